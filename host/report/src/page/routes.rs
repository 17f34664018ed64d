//! What each route learned over time, by context.

use jackfield_pipeline::RoutePlan;

use super::{
    super::{
        aggregate::RunStats,
        beta,
        html::{Html, write_escaped},
        learned::{Context, Learned, posterior},
        text::truncate,
        units::{grouped_count, percent, px, share, short_number, with_commas},
    },
    bars::interval,
    close_table,
    marks::{SERIES, key, mark},
    number_cell, open_table,
};

/// The most contexts of a route that are shown, and the most arms of each that are drawn.
const CONTEXTS: usize = 12;
const ARMS: usize = 64;

const WIDE: f64 = 340.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 18.0;
const SHARES: f64 = 116.0;
const REWARD: f64 = 62.0;
const TOP: f64 = 12.0;
const GAP: f64 = 30.0;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    if stats.routes.is_empty() {
        return None;
    }
    let mut out = Html::new();
    for learned in &stats.routes {
        let Some(stage) = stats.run.plan.stages.get(learned.stage) else { continue };
        let Some(route) = &stage.route else { continue };
        write_escaped!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", learned.stage + 1, truncate(&stage.name, 60));
        about(&mut out, route, learned);
        if learned.outcomes == 0 {
            continue;
        }
        let mut contexts: Vec<(&String, &Context)> = learned.contexts.iter().collect();
        contexts.sort_by_key(|(_, context)| std::cmp::Reverse(context.outcomes));
        let hidden: u64 =
            contexts.iter().skip(CONTEXTS).map(|(_, context)| context.outcomes).sum::<u64>() + learned.others;
        contexts.truncate(CONTEXTS);
        let drawn = drawn_arms(route, &contexts);
        legend(&mut out, route, &drawn);
        out.write_static("<div class=\"cards\">\n");
        for (place, (name, context)) in contexts.iter().enumerate() {
            let id = format!("route-{}-{place}", learned.stage);
            card(&mut out, &id, (name, context), (route, &drawn));
        }
        out.write_static("</div>\n");
        // Without a reward the table says little more than the drawings.
        let has_reward = learned.reward.count > 0;
        out.write_static(if has_reward { "" } else { "<details><summary>As a table</summary>\n" });
        estimates(&mut out, route, &contexts);
        out.write_static(if has_reward { "" } else { "</details>\n" });
        if hidden > 0 {
            write_escaped!(out, "<p class=\"note\">And {} in further contexts.</p>\n", grouped_count(hidden, "item"));
        }
    }
    Some(out)
}

fn about(out: &mut Html, route: &RoutePlan, learned: &Learned) {
    write_escaped!(
        out,
        "<p>The policy <code>{}</code> picked one of {} for {}",
        route.extension.name,
        grouped_count(route.arms.len() as u64, "arm"),
        grouped_count(learned.outcomes, "item")
    );
    if learned.reward.count > 0 {
        write_escaped!(
            out,
            "; {} had a reward, {} on average",
            with_commas(learned.reward.count),
            short_number(learned.reward.mean)
        );
    }
    if route.context.is_some() {
        write_escaped!(
            out,
            ". It learns for each of {} by itself",
            grouped_count(learned.contexts.len() as u64, "context")
        );
    }
    out.write_static(if learned.began_with_more {
        ". It began with what earlier runs had learned.</p>\n"
    } else {
        ".</p>\n"
    });
}

/// The arms with lines of their own: those that were used most.
fn drawn_arms(route: &RoutePlan, contexts: &[(&String, &Context)]) -> Vec<usize> {
    let used =
        |arm: usize| contexts.iter().map(|(_, context)| context.arms.get(arm).map_or(0, |arm| arm.used)).sum::<u64>();
    let mut arms: Vec<usize> = (0..route.arms.len()).collect();
    if arms.len() > SERIES {
        arms.sort_by_key(|arm| (std::cmp::Reverse(used(*arm)), *arm));
        arms.truncate(SERIES);
        arms.sort_unstable();
    }
    arms
}

fn legend(out: &mut Html, route: &RoutePlan, drawn: &[usize]) {
    out.write_static("<ul class=\"legend\">");
    for (series, arm) in drawn.iter().enumerate() {
        out.write_static("<li>");
        key(out, series);
        write_escaped!(out, " {}</li>", truncate(&route.arms[*arm].arm.name, 60));
    }
    if route.arms.len() > drawn.len() {
        write_escaped!(out, "<li class=\"note\">{} more are in the table alone</li>", route.arms.len() - drawn.len());
    }
    out.write_static("</ul>\n");
}

/// The shares of the arms, and below them the reward, over the items of a context.
fn card(out: &mut Html, id: &str, (name, context): (&str, &Context), (route, drawn): (&RoutePlan, &[usize])) {
    let windows = context.rolling();
    let has_reward = context.reward.count > 0;
    let high = TOP + SHARES + if has_reward { GAP + REWARD } else { 0.0 } + 24.0;
    out.write_static("<figure class=\"card\"><figcaption>");
    if name.is_empty() {
        out.write_static("all items");
    } else {
        write_escaped!(out, "<b>{}</b>", truncate(name, 60));
    }
    write_escaped!(out, " <span class=\"note\">{}</span></figcaption>\n", grouped_count(context.outcomes, "item"));
    write_escaped!(
        out,
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" ",
        px(WIDE),
        px(high),
        px(WIDE),
        px(high)
    );
    write_escaped!(
        out,
        "role=\"img\" aria-labelledby=\"{}-t {}-d\"><title id=\"{}-t\">Arms picked over time</title><desc id=\"{}-d\">",
        id,
        id,
        id,
        id
    );
    let last = windows.last();
    for arm in drawn {
        let part = last.map_or(0.0, |last| share(last.used[*arm] as f64, last.items as f64));
        write_escaped!(out, "{}: {} at the end. ", truncate(&route.arms[*arm].arm.name, 60), percent(part));
    }
    out.write_static("</desc>\n");
    // Where a window ends, in items from the first one on.
    let ends: Vec<f64> = context
        .windows
        .iter()
        .scan(0, |sum, window| {
            *sum += window.items;
            Some(*sum as f64)
        })
        .collect();
    let x = |items: f64| LEFT + share(items, context.outcomes as f64) * (WIDE - LEFT - RIGHT);
    frame(out, (TOP, SHARES), ["100 %", "50 %", "0"]);
    for (series, arm) in drawn.iter().enumerate() {
        let y = |part: f64| TOP + (1.0 - part) * SHARES;
        let points: Vec<(f64, f64)> = windows
            .iter()
            .zip(&ends)
            .map(|(window, end)| (x(*end), y(share(window.used[*arm] as f64, window.items as f64))))
            .collect();
        line(out, series, &points);
    }
    let mut ground = TOP + SHARES;
    if has_reward {
        let top = ground + GAP;
        let known: Vec<(f64, f64)> = windows
            .iter()
            .zip(&ends)
            .filter(|(window, _)| window.reward.count > 0)
            .map(|(window, end)| (*end, window.reward.mean))
            .collect();
        let (low, span) = range(known.iter().map(|(_, mean)| *mean));
        let y = |mean: f64| top + (1.0 - (mean - low) / span) * REWARD;
        write_escaped!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">mean reward</text>", px(LEFT), px(top - 6.0));
        frame(out, (top, REWARD), [&short_number(low + span), "", &short_number(low)]);
        let mean = y(context.reward.mean);
        write_escaped!(
            out,
            "<path class=\"average\" d=\"M{} {}H{}\"><title>{} over all items</title></path>",
            px(LEFT),
            px(mean),
            px(WIDE - RIGHT),
            short_number(context.reward.mean)
        );
        out.write_static("<path class=\"reward\" d=\"");
        for (place, (end, mean)) in known.iter().enumerate() {
            write_escaped!(out, "{}{} {}", if place == 0 { "M" } else { "L" }, px(x(*end)), px(y(*mean)));
        }
        out.write_static("\"/>\n");
        ground = top + REWARD;
    }
    write_escaped!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">item 1</text>", px(LEFT), px(ground + 17.0));
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        px(WIDE - RIGHT),
        px(ground + 17.0),
        with_commas(context.outcomes)
    );
    out.write_static("</svg></figure>\n");
}

fn frame(out: &mut Html, (top, high): (f64, f64), labels: [&str; 3]) {
    out.write_static("<g class=\"grid\">");
    for (place, label) in labels.iter().enumerate() {
        let y = top + high * place as f64 / 2.0;
        write_escaped!(out, "<path d=\"M{} {}H{}\"/>", px(LEFT), px(y), px(WIDE - RIGHT));
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

/// A line with its mark here and there, and at its end.
fn line(out: &mut Html, series: usize, points: &[(f64, f64)]) {
    write_escaped!(out, "<path class=\"line s{}\" d=\"", series % SERIES);
    for (place, (x, y)) in points.iter().enumerate() {
        write_escaped!(out, "{}{} {}", if place == 0 { "M" } else { "L" }, px(*x), px(*y));
    }
    out.write_static("\"/>");
    // Not at the same places for all, so that marks do not hide one another.
    let every = (points.len() / 4).max(1);
    let first = every * (series + 1) / (SERIES + 1);
    for (x, y) in points.iter().skip(first).step_by(every).take(4) {
        mark(out, series, (*x, *y));
    }
    if let Some(last) = points.last() {
        mark(out, series, *last);
    }
    out.write_static("\n");
}

/// The lower end and the length of an axis for these values: 0 to 1 where they lie within.
fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
    if low >= 0.0 && high <= 1.0 {
        return (0.0, 1.0);
    }
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    (low, if high > low { high - low } else { 1.0 })
}

/// How the arms stand at the end.
fn estimates(out: &mut Html, route: &RoutePlan, contexts: &[(&String, &Context)]) {
    let arms = || contexts.iter().flat_map(|(_, context)| &context.arms);
    let has_reward = arms().any(|arm| arm.reward.count > 0);
    let has_posterior = arms().any(|arm| posterior(route, arm).is_some());
    let mut head = vec![
        ("context", false),
        ("arm", false),
        ("used", true),
        ("share", true),
        ("share at the end", true),
        ("failed", true),
    ];
    if has_reward {
        head.push(("mean reward", true));
        head.push(("± 95 %", true));
    }
    if has_posterior {
        head.push(("posterior", false));
        head.push(("95 % interval", false));
    }
    let shown = route.arms.len().min(ARMS);
    open_table(out, "How the arms stand at the end", &head);
    for (name, context) in contexts {
        let last = context.rolling().pop().unwrap_or_default();
        for (place, (arm, stats)) in route.arms.iter().zip(&context.arms).enumerate().take(ARMS) {
            out.write_static(if place == 0 { "<tr class=\"first\">" } else { "<tr>" });
            if place == 0 {
                let name = if name.is_empty() { "all".to_owned() } else { truncate(name, 60) };
                write_escaped!(out, "<th scope=\"rowgroup\" rowspan=\"{}\">{}</th>", shown, name);
            }
            write_escaped!(out, "<td>{}</td>", truncate(&arm.arm.name, 60));
            number_cell(out, &with_commas(stats.used));
            number_cell(out, &percent(share(stats.used as f64, context.outcomes as f64)));
            number_cell(
                out,
                &percent(share(last.used.get(place).copied().unwrap_or_default() as f64, last.items as f64)),
            );
            number_cell(out, &with_commas(stats.failed));
            if has_reward {
                number_cell(
                    out,
                    &if stats.reward.count > 0 { short_number(stats.reward.mean) } else { "-".to_owned() },
                );
                number_cell(
                    out,
                    &stats
                        .reward
                        .margin()
                        .filter(|margin| *margin > 0.0)
                        .map_or_else(|| "-".to_owned(), |margin| format!("± {}", short_number(margin))),
                );
            }
            if has_posterior {
                believed(out, posterior(route, stats));
            }
            out.write_static("</tr>\n");
        }
    }
    close_table(out);
    if has_posterior {
        out.write_static("<p class=\"note\">Posterior: what the policy believes of the mean reward at the end, a Beta distribution with its prior; the interval holds 95 % of it.</p>\n");
    }
    if route.arms.len() > ARMS {
        write_escaped!(out, "<p class=\"note\">{} more arms are in the record.</p>\n", route.arms.len() - ARMS);
    }
}

fn believed(out: &mut Html, posterior: Option<(f64, f64)>) {
    let Some((a, b)) = posterior else {
        out.write_static("<td>-</td><td>-</td>");
        return;
    };
    let [low, high] = beta::quantiles((a, b), [0.025, 0.975]);
    let mean = a / (a + b);
    out.write_static("<td class=\"share\">");
    interval(out, (0.0, 1.0), (low, mean, high), 150.0);
    write_escaped!(out, " {}</td><td>{} to {}</td>", short_number(mean), short_number(low), short_number(high));
}
