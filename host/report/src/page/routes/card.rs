//! The drawing of a context: the shares of the arms, and below them the reward, over its items.

use jackfield_pipeline::RoutePlan;

use super::{
    super::{
        super::{
            html::{Html, write_escaped},
            learned::Context,
            text::truncate,
            units::{grouped_count, percent, px, share, short_number, with_commas},
        },
        marks::{SERIES, mark},
    },
    geometry::{ContextDrawing, Frame, LEFT, RIGHT, RewardDrawing, WIDTH, marked_points},
};

/// `arms` are the positions of the arms that have lines.
pub(super) fn write(out: &mut Html, id: &str, name: &str, context: &Context, route: &RoutePlan, arms: &[usize]) {
    let windows = context.rolling();
    let drawing = ContextDrawing::of(context, &windows, arms);
    out.write_static("<figure class=\"card\"><figcaption>");
    if name.is_empty() {
        out.write_static("all items");
    } else {
        write_escaped!(out, "<b>{}</b>", truncate(name, 60));
    }
    write_escaped!(out, " <span class=\"note\">{}</span></figcaption>\n", grouped_count(context.outcomes, "item"));
    let (width, height) = (px(WIDTH), px(drawing.height));
    write_escaped!(out, "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" ", width, height, width, height);
    write_escaped!(
        out,
        "role=\"img\" aria-labelledby=\"{}-t {}-d\"><title id=\"{}-t\">Arms picked over time</title><desc id=\"{}-d\">",
        id,
        id,
        id,
        id
    );
    let last = windows.last();
    for arm in arms {
        let part = last.map_or(0.0, |last| share(last.used[*arm] as f64, last.items as f64));
        write_escaped!(out, "{}: {} at the end. ", truncate(&route.arms[*arm].arm.name, 60), percent(part));
    }
    out.write_static("</desc>\n");
    write_frame(out, drawing.shares, ["100 %", "50 %", "0"]);
    for (series, points) in drawing.share_lines.iter().enumerate() {
        write_share_line(out, series, points);
    }
    if let Some(reward) = &drawing.reward {
        write_reward(out, reward, context.reward.mean);
    }
    let labels_y = px(drawing.bottom() + 17.0);
    write_escaped!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">item 1</text>", px(LEFT), labels_y);
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        px(WIDTH - RIGHT),
        labels_y,
        with_commas(context.outcomes)
    );
    out.write_static("</svg></figure>\n");
}

fn write_reward(out: &mut Html, reward: &RewardDrawing, mean: f64) {
    let frame = reward.frame;
    write_escaped!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">mean reward</text>", px(LEFT), px(frame.top - 6.0));
    write_frame(out, frame, [&short_number(reward.highest), "", &short_number(reward.lowest)]);
    write_escaped!(
        out,
        "<path class=\"average\" d=\"M{} {}H{}\"><title>{} over all items</title></path>",
        px(LEFT),
        px(reward.mean_y),
        px(WIDTH - RIGHT),
        short_number(mean)
    );
    out.write_static("<path class=\"reward\" d=\"");
    write_points(out, &reward.line);
    out.write_static("\"/>\n");
}

/// Three level lines with their labels to the left, from top to bottom.
fn write_frame(out: &mut Html, frame: Frame, labels: [&str; 3]) {
    out.write_static("<g class=\"grid\">");
    for (index, label) in labels.iter().enumerate() {
        let y = frame.label_y(index);
        write_escaped!(out, "<path d=\"M{} {}H{}\"/>", px(LEFT), px(y), px(WIDTH - RIGHT));
        if !label.is_empty() {
            write_escaped!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                px(LEFT - 6.0),
                px(y + 4.0),
                label
            );
        }
    }
    out.write_static("</g>\n");
}

/// The line of an arm, with its marks.
fn write_share_line(out: &mut Html, series: usize, points: &[(f64, f64)]) {
    write_escaped!(out, "<path class=\"line s{}\" d=\"", series % SERIES);
    write_points(out, points);
    out.write_static("\"/>");
    for point in marked_points(points, series, SERIES) {
        mark(out, series, point);
    }
    out.write_static("\n");
}

/// The points of a path, each joined to the one before.
fn write_points(out: &mut Html, points: &[(f64, f64)]) {
    for (index, (x, y)) in points.iter().enumerate() {
        write_escaped!(out, "{}{} {}", if index == 0 { "M" } else { "L" }, px(*x), px(*y));
    }
}
