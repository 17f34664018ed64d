//! When stages were at work, and on which items.

use jackfield_store::CallEnd;

use super::{
    super::{
        aggregate::RunStats,
        flow::{BINS, Bar, Flow, Lane},
        html::{Html, write_escaped},
        text::truncate,
        units::{
            axis_step, grouped_count, long_duration, microseconds, px, readable_timestamp, share, short_number,
            tick_label, with_commas,
        },
    },
    close_drawing, close_table,
    marks::cross,
    number_cell, open_drawing, open_table, stage_cell,
};

const LEFT: f64 = 190.0;
const WIDE: f64 = 780.0;
const RIGHT: f64 = 84.0;
const LANE: f64 = 30.0;
const AXIS: f64 = 26.0;
/// The height that items drawn one by one share.
const TALL: f64 = 1300.0;
/// Tints of the map.
const TINTS: u32 = 6;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let mut out = Html::new();
    let flow = &stats.flow;
    if stats.stages.iter().all(|stage| stage.calls() == 0) {
        out.write_static("<p>No call was answered.</p>\n");
        return Some(out);
    }
    lanes(&mut out, stats);
    match &flow.bars {
        Some(bars) if !bars.is_empty() => one_by_one(&mut out, stats),
        _ => map(&mut out, stats),
    }
    Some(out)
}

// Over time.

fn lanes(out: &mut Html, stats: &RunStats<'_>) {
    let flow = &stats.flow;
    write_escaped!(
        out,
        "<h3>Over time</h3>\n<p>How many calls of each stage were under way, in {} steps of {}; each lane is as high as its own peak. <span class=\"bad\">✕</span> marks failures.</p>\n",
        BINS,
        microseconds((flow.step_us() as u64).max(1))
    );
    let step = flow.step_us();
    let lanes = stats.each_stage().filter_map(|(number, plan, _)| Some((number, plan, flow.lane(number - 1)?)));
    let shown: Vec<_> = lanes.collect();
    let high = AXIS + LANE * (shown.len() + 1) as f64 + 8.0;
    let peak = |bins: &[f64]| bins.iter().copied().fold(0.0, f64::max) / step;
    let about: Vec<String> = shown
        .iter()
        .map(|(_, plan, lane)| {
            format!("{} at most {} at a time", truncate(&plan.name, 60), short_number(peak(&lane.busy)))
        })
        .collect();
    open_drawing(out, "lanes", (LEFT + WIDE + RIGHT, high), "Calls under way over time", &about.join("; "));
    time_axis(out, flow, high);
    write_escaped!(out, "<text class=\"lane-name\" x=\"33\" y=\"{}\">items in work</text>", px(AXIS + 22.0));
    lane(out, &flow.in_work, step, AXIS, "lane items");
    for (place, (number, plan, told)) in shown.iter().enumerate() {
        let top = AXIS + LANE * (place + 1) as f64;
        lane_name(out, (*number, &plan.name), top + 22.0);
        lane(out, &told.busy, step, top, "lane");
        for (bin, count) in told.failed.iter().enumerate().filter(|(_, count)| **count > 0) {
            let x = LEFT + (bin as f64 + 0.5) / BINS as f64 * WIDE;
            cross(
                out,
                (x, top + 9.0),
                &format!("{} of {}", grouped_count(*count, "failure"), truncate(&plan.name, 60)),
            );
        }
    }
    close_drawing(out);
    not_drawn(out, stats);
}

/// How many stages were called that are not drawn.
fn not_drawn(out: &mut Html, stats: &RunStats<'_>) {
    let called = stats.stages.iter().filter(|stage| stage.calls() > 0).count();
    let more = called.saturating_sub(stats.flow.drawn());
    if more > 0 {
        write_escaped!(out, "<p class=\"note\">And {}.</p>\n", grouped_count(more as u64, "more stage"));
    }
}

fn lane_name(out: &mut Html, (number, name): (usize, &str), y: f64) {
    write_escaped!(
        out,
        "<g transform=\"translate(0 {})\"><rect class=\"plate\" x=\"2\" y=\"-12.5\" width=\"24\" height=\"17\" rx=\"3\"/>",
        px(y)
    );
    write_escaped!(out, "<text class=\"plate-no\" x=\"14\" y=\"0\">{}</text>", number);
    write_escaped!(
        out,
        "<text class=\"lane-name\" x=\"33\" y=\"0\">{}<title>{}</title></text></g>",
        truncate(name, 22),
        name
    );
}

/// The area of a lane, and its peak in words.
fn lane(out: &mut Html, bins: &[f64], step: f64, top: f64, class: &str) {
    let peak = bins.iter().copied().fold(0.0, f64::max);
    let ground = top + LANE - 4.0;
    write_escaped!(out, "<path class=\"ground\" d=\"M{} {}H{}\"/>", px(LEFT), px(ground), px(LEFT + WIDE));
    if peak <= 0.0 {
        return;
    }
    let wide = WIDE / bins.len() as f64;
    write_escaped!(out, "<path class=\"{}\" d=\"M{} {}", class, px(LEFT), px(ground));
    let mut last = String::new();
    for (bin, busy) in bins.iter().enumerate() {
        let least = if *busy > 0.0 { 0.8 } else { 0.0 };
        let y = px(ground - (busy / peak * (LANE - 8.0)).max(least));
        if y != last {
            write_escaped!(out, "H{}V{}", px(LEFT + bin as f64 * wide), y);
            last = y;
        }
    }
    write_escaped!(out, "H{}V{}z\"/>", px(LEFT + WIDE), px(ground));
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"{}\" y=\"{}\">peak {}</text>\n",
        px(LEFT + WIDE + 10.0),
        px(ground - 4.0),
        short_number(peak / step)
    );
}

/// Ticks of time, and where a session began that is not the first.
fn time_axis(out: &mut Html, flow: &Flow, high: f64) {
    let length = flow.length_us() as f64;
    let x = |micros: f64| LEFT + micros / length * WIDE;
    out.write_static("<g class=\"grid\">");
    let step = axis_step(length);
    let mut at = 0.0;
    while at <= length {
        write_escaped!(out, "<path d=\"M{} {}V{}\"/>", px(x(at)), px(AXIS - 4.0), px(high));
        write_escaped!(
            out,
            "<text x=\"{}\" y=\"14\" text-anchor=\"middle\">{}</text>",
            px(x(at)),
            if at == 0.0 { "0".to_owned() } else { tick_label(at, length) }
        );
        at += step;
    }
    out.write_static("</g>\n");
    for (place, session) in flow.sessions.iter().enumerate().skip(1).take(40) {
        write_escaped!(
            out,
            "<path class=\"session\" d=\"M{} {}V{}\"><title>Session {} began {}</title></path>",
            px(x(session.from_us as f64)),
            px(AXIS - 4.0),
            px(high),
            place + 1,
            readable_timestamp(&session.began)
        );
    }
}

// Few items: one by one.

fn one_by_one(out: &mut Html, stats: &RunStats<'_>) {
    let flow = &stats.flow;
    let Some(bars) = &flow.bars else { return };
    out.write_static(
        "<h3>Item by item</h3>\n<p>Each bar is a call, with the number of its stage where there is room. ",
    );
    out.write_static("Solid: made. Hollow: taken from the cache. Crossed: failed.</p>\n");
    let rows: Vec<Row<'_>> = bars
        .iter()
        .map(|(item, bars)| {
            let name =
                if *item < 0 { "the run itself".to_owned() } else { stats.ids.get(item).cloned().unwrap_or_default() };
            let (packed, lanes) = pack(bars);
            (name, packed, lanes)
        })
        .collect();
    let most = (TALL / rows.len().max(1) as f64).clamp(20.0, 72.0);
    let lane_of = |lanes: usize| ((most - 8.0) / lanes.max(1) as f64).clamp(2.0, 15.0);
    let heights: Vec<f64> = rows.iter().map(|(.., lanes)| (lane_of(*lanes) * *lanes as f64 + 8.0).max(24.0)).collect();
    let high = AXIS + heights.iter().sum::<f64>() + 6.0;
    let about = format!(
        "{} with {}",
        grouped_count(stats.items.total(), "item"),
        grouped_count(bars.values().map(Vec::len).sum::<usize>() as u64, "call")
    );
    open_drawing(out, "items", (LEFT + WIDE + RIGHT, high), "Calls of each item over time", &about);
    time_axis(out, flow, high);
    let length = flow.length_us() as f64;
    let mut top = AXIS;
    for ((name, bars, lanes), row) in rows.iter().zip(&heights) {
        write_escaped!(out, "<path class=\"ground\" d=\"M0 {}H{}\"/>", px(top), px(LEFT + WIDE));
        write_escaped!(
            out,
            "<text class=\"lane-name\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}<title>{}</title></text>",
            px(LEFT - 12.0),
            px(top + 16.0),
            truncate(name, 20),
            truncate(name, 200)
        );
        let high = lane_of(*lanes);
        for (lane, bar) in bars {
            let x = LEFT + bar.from_us as f64 / length * WIDE;
            let wide = (bar.took_us as f64 / length * WIDE).max(1.5);
            let y = top + 4.0 + *lane as f64 * high;
            let class = match (bar.end, bar.hit) {
                (CallEnd::Failed, _) => "call failed",
                (_, true) => "call hit",
                (_, false) if bar.stage.is_multiple_of(2) => "call",
                (_, false) => "call odd",
            };
            write_escaped!(
                out,
                "<g class=\"{}\"><title>{} {}: {}</title>",
                class,
                bar.stage + 1,
                stats.stage_name(bar.stage),
                microseconds(bar.took_us)
            );
            write_escaped!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                px(x),
                px(y),
                px(wide),
                px((high - 1.0).max(1.0))
            );
            if wide > 20.0 && high >= 13.0 {
                write_escaped!(
                    out,
                    "<text x=\"{}\" y=\"{}\">{}</text>",
                    px(x + wide / 2.0),
                    px(y + high - 4.0),
                    bar.stage + 1
                );
            }
            out.write_static("</g>");
        }
        out.write_static("\n");
        top += row;
    }
    close_drawing(out);
}

/// The name of an item, its bars with their lanes, and how many lanes there are.
type Row<'a> = (String, Vec<(usize, &'a Bar)>, usize);

/// Each bar with the first lane in which nothing is in its way, and how many lanes there are.
fn pack(bars: &[Bar]) -> (Vec<(usize, &Bar)>, usize) {
    let mut sorted: Vec<&Bar> = bars.iter().collect();
    sorted.sort_by_key(|bar| (bar.from_us, bar.stage));
    let mut free: Vec<u64> = Vec::new();
    let mut packed = Vec::with_capacity(sorted.len());
    for bar in sorted {
        let lane = free.iter().position(|free| *free <= bar.from_us).unwrap_or_else(|| {
            free.push(0);
            free.len() - 1
        });
        free[lane] = bar.from_us.saturating_add(bar.took_us);
        packed.push((lane, bar));
    }
    (packed, free.len())
}

// Many items: a map of groups.

fn map(out: &mut Html, stats: &RunStats<'_>) {
    let flow = &stats.flow;
    let groups = flow.groups;
    let lanes = stats.each_stage().filter_map(|(number, plan, _)| Some((number, plan, flow.lane(number - 1)?)));
    let shown: Vec<_> = lanes.filter(|(_, _, lane)| lane.cells.iter().any(|cell| cell.calls > 0)).collect();
    let mean = |lane: &Lane, group: usize| {
        let cell = &lane.cells[group];
        (cell.calls > 0).then(|| (cell.total_us as f64 / cell.calls as f64).max(1.0))
    };
    let all = || shown.iter().flat_map(|(_, _, lane)| (0..groups).filter_map(move |group| mean(lane, group)));
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(1.0, f64::max));
    if !least.is_finite() {
        return;
    }
    write_escaped!(
        out,
        "<h3>Over items</h3>\n<p>The mean time of a call, from the first item on the left to the last on the right, {} in groups of up to {}. The stronger the tint the slower, on a logarithmic scale. <span class=\"bad\">✕</span> marks groups with failures.</p>\n",
        grouped_count(flow.items, "item"),
        with_commas(flow.items.div_ceil(groups.max(1) as u64))
    );
    let scale = (most / least).ln().max(1e-9);
    let tint = |mean: f64| (((mean / least).ln() / scale * f64::from(TINTS)) as u32).min(TINTS - 1);
    out.write_static("<ul class=\"legend\">");
    for level in 0..TINTS {
        let from = least * (scale * f64::from(level) / f64::from(TINTS)).exp();
        write_escaped!(
            out,
            "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\"><rect class=\"t{}\" width=\"22\" height=\"14\"/></svg> from {}</li>",
            level,
            microseconds(from as u64)
        );
    }
    out.write_static("</ul>\n");
    let row = 22.0;
    let high = AXIS + row * shown.len() as f64 + 4.0;
    let about = format!(
        "{}, {}; the table below has the means by quarters",
        grouped_count(shown.len() as u64, "stage"),
        grouped_count(flow.items, "item")
    );
    open_drawing(out, "map", (LEFT + WIDE + RIGHT, high), "Mean time of a call by stage and item", &about);
    for quarter in 0..=4_u64 {
        let x = LEFT + WIDE * quarter as f64 / 4.0;
        let anchor = match quarter {
            0 => "start",
            4 => "end",
            _ => "middle",
        };
        let item = (flow.items.saturating_mul(quarter) / 4).max(1);
        write_escaped!(
            out,
            "<text class=\"muted\" x=\"{}\" y=\"14\" text-anchor=\"{}\">item {}</text>",
            px(x),
            anchor,
            with_commas(item)
        );
    }
    let edge = |group: u64| LEFT + share(group as f64, flow.items as f64) * WIDE;
    for level in 0..TINTS {
        write_escaped!(out, "<path class=\"t{}\" d=\"", level);
        for (place, (_, _, lane)) in shown.iter().enumerate() {
            for group in (0..groups).filter(|group| mean(lane, *group).is_some_and(|mean| tint(mean) == level)) {
                let (first, next) = flow.group(group);
                let (left, right) = (edge(first), edge(next));
                write_escaped!(
                    out,
                    "M{} {}h{}v{}h-{}z",
                    px(left),
                    px(AXIS + row * place as f64),
                    px(right - left),
                    px(row - 2.0),
                    px(right - left)
                );
            }
        }
        out.write_static("\"/>\n");
    }
    for (place, (number, plan, lane)) in shown.iter().enumerate() {
        let top = AXIS + row * place as f64;
        lane_name(out, (*number, &plan.name), top + 15.0);
        for group in (0..groups).filter(|group| lane.cells[*group].failed > 0) {
            let (first, next) = flow.group(group);
            let x = (edge(first) + edge(next)) / 2.0;
            cross(out, (x, top + 10.0), &grouped_count(lane.cells[group].failed, "failure"));
        }
    }
    close_drawing(out);
    not_drawn(out, stats);
    quarters(out, &shown.iter().map(|(number, plan, lane)| (*number, plan.name.as_str(), *lane)).collect::<Vec<_>>());
}

fn quarters(out: &mut Html, stages: &[(usize, &str, &Lane)]) {
    out.write_static("<details><summary>As a table</summary>\n");
    let head = [("stage", false), ("first quarter", true), ("second", true), ("third", true), ("last quarter", true)];
    open_table(out, "Mean time of a call by quarter of the items", &head);
    for (number, name, lane) in stages {
        let cells = &lane.cells;
        out.write_static("<tr>");
        stage_cell(out, *number, name);
        for quarter in 0..4 {
            let range = cells.len() * quarter / 4..cells.len() * (quarter + 1) / 4;
            let sum = |of: fn(&super::super::flow::Cell) -> u64| {
                cells[range.clone()].iter().map(of).fold(0, u64::saturating_add)
            };
            let (calls, total) = (sum(|cell| cell.calls), sum(|cell| cell.total_us));
            number_cell(out, &total.checked_div(calls).map_or_else(|| "-".to_owned(), long_duration));
        }
        out.write_static("</tr>\n");
    }
    close_table(out);
    out.write_static("</details>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_that_overlap_have_lanes_of_their_own() {
        let bar = |from_us, took_us| Bar { stage: 0, from_us, took_us, end: CallEnd::Ok, hit: false };
        let bars = [bar(5, 10), bar(0, 10), bar(10, 5), bar(15, 1)];
        let (packed, lanes) = pack(&bars);
        let placed: Vec<(usize, u64)> = packed.iter().map(|(lane, bar)| (*lane, bar.from_us)).collect();
        assert_eq!((placed, lanes), (vec![(0, 0), (1, 5), (0, 10), (0, 15)], 2));
        assert_eq!(pack(&[]).1, 0);
    }
}
