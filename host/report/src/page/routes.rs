//! What each route learned over time, by context.

use jackfield_pipeline::RoutePlan;

use super::{
    super::{
        beta,
        gather::Facts,
        html::{Html, put},
        learned::{Context, Learned, posterior},
        units::{clip, grouped, many, percent, px, share, short},
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

pub(super) fn section(facts: &Facts<'_>) -> Option<Html> {
    if facts.routes.is_empty() {
        return None;
    }
    let mut out = Html::new();
    for learned in &facts.routes {
        let Some(stage) = facts.run.plan.stages.get(learned.stage) else { continue };
        let Some(route) = &stage.route else { continue };
        put!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", learned.stage + 1, clip(&stage.name, 60));
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
        out.own("<div class=\"cards\">\n");
        for (place, (name, context)) in contexts.iter().enumerate() {
            let id = format!("route-{}-{place}", learned.stage);
            card(&mut out, &id, (name, context), (route, &drawn));
        }
        out.own("</div>\n");
        // Without a reward the table says little more than the drawings.
        let has_reward = learned.reward.count > 0;
        out.own(if has_reward { "" } else { "<details><summary>As a table</summary>\n" });
        estimates(&mut out, route, &contexts);
        out.own(if has_reward { "" } else { "</details>\n" });
        if hidden > 0 {
            put!(out, "<p class=\"note\">And {} in further contexts.</p>\n", many(hidden, "item"));
        }
    }
    Some(out)
}

fn about(out: &mut Html, route: &RoutePlan, learned: &Learned) {
    put!(
        out,
        "<p>The policy <code>{}</code> picked one of {} for {}",
        route.extension.name,
        many(route.arms.len() as u64, "arm"),
        many(learned.outcomes, "item")
    );
    if learned.reward.count > 0 {
        put!(out, "; {} had a reward, {} on average", grouped(learned.reward.count), short(learned.reward.mean));
    }
    if route.context.is_some() {
        put!(out, ". It learns for each of {} by itself", many(learned.contexts.len() as u64, "context"));
    }
    out.own(if learned.began_with_more { ". It began with what earlier runs had learned.</p>\n" } else { ".</p>\n" });
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
    out.own("<ul class=\"legend\">");
    for (series, arm) in drawn.iter().enumerate() {
        out.own("<li>");
        key(out, series);
        put!(out, " {}</li>", clip(&route.arms[*arm].arm.name, 60));
    }
    if route.arms.len() > drawn.len() {
        put!(out, "<li class=\"note\">{} more are in the table alone</li>", route.arms.len() - drawn.len());
    }
    out.own("</ul>\n");
}

/// The shares of the arms, and below them the reward, over the items of a context.
fn card(out: &mut Html, id: &str, (name, context): (&str, &Context), (route, drawn): (&RoutePlan, &[usize])) {
    let windows = context.rolling();
    let has_reward = context.reward.count > 0;
    let high = TOP + SHARES + if has_reward { GAP + REWARD } else { 0.0 } + 24.0;
    out.own("<figure class=\"card\"><figcaption>");
    if name.is_empty() {
        out.own("all items");
    } else {
        put!(out, "<b>{}</b>", clip(name, 60));
    }
    put!(out, " <span class=\"note\">{}</span></figcaption>\n", many(context.outcomes, "item"));
    put!(out, "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" ", px(WIDE), px(high), px(WIDE), px(high));
    put!(
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
        put!(out, "{}: {} at the end. ", clip(&route.arms[*arm].arm.name, 60), percent(part));
    }
    out.own("</desc>\n");
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
        put!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">mean reward</text>", px(LEFT), px(top - 6.0));
        frame(out, (top, REWARD), [&short(low + span), "", &short(low)]);
        let mean = y(context.reward.mean);
        put!(
            out,
            "<path class=\"average\" d=\"M{} {}H{}\"><title>{} over all items</title></path>",
            px(LEFT),
            px(mean),
            px(WIDE - RIGHT),
            short(context.reward.mean)
        );
        out.own("<path class=\"reward\" d=\"");
        for (place, (end, mean)) in known.iter().enumerate() {
            put!(out, "{}{} {}", if place == 0 { "M" } else { "L" }, px(x(*end)), px(y(*mean)));
        }
        out.own("\"/>\n");
        ground = top + REWARD;
    }
    put!(out, "<text class=\"muted\" x=\"{}\" y=\"{}\">item 1</text>", px(LEFT), px(ground + 17.0));
    put!(
        out,
        "<text class=\"muted\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        px(WIDE - RIGHT),
        px(ground + 17.0),
        grouped(context.outcomes)
    );
    out.own("</svg></figure>\n");
}

fn frame(out: &mut Html, (top, high): (f64, f64), labels: [&str; 3]) {
    out.own("<g class=\"grid\">");
    for (place, label) in labels.iter().enumerate() {
        let y = top + high * place as f64 / 2.0;
        put!(out, "<path d=\"M{} {}H{}\"/>", px(LEFT), px(y), px(WIDE - RIGHT));
        if !label.is_empty() {
            put!(out, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", px(LEFT - 6.0), px(y + 4.0), label);
        }
    }
    out.own("</g>\n");
}

/// A line with its mark here and there, and at its end.
fn line(out: &mut Html, series: usize, points: &[(f64, f64)]) {
    put!(out, "<path class=\"line s{}\" d=\"", series % SERIES);
    for (place, (x, y)) in points.iter().enumerate() {
        put!(out, "{}{} {}", if place == 0 { "M" } else { "L" }, px(*x), px(*y));
    }
    out.own("\"/>");
    // Not at the same places for all, so that marks do not hide one another.
    let every = (points.len() / 4).max(1);
    let first = every * (series + 1) / (SERIES + 1);
    for (x, y) in points.iter().skip(first).step_by(every).take(4) {
        mark(out, series, (*x, *y));
    }
    if let Some(last) = points.last() {
        mark(out, series, *last);
    }
    out.own("\n");
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
        for (place, (arm, facts)) in route.arms.iter().zip(&context.arms).enumerate().take(ARMS) {
            out.own(if place == 0 { "<tr class=\"first\">" } else { "<tr>" });
            if place == 0 {
                let name = if name.is_empty() { "all".to_owned() } else { clip(name, 60) };
                put!(out, "<th scope=\"rowgroup\" rowspan=\"{}\">{}</th>", shown, name);
            }
            put!(out, "<td>{}</td>", clip(&arm.arm.name, 60));
            number_cell(out, &grouped(facts.used));
            number_cell(out, &percent(share(facts.used as f64, context.outcomes as f64)));
            number_cell(
                out,
                &percent(share(last.used.get(place).copied().unwrap_or_default() as f64, last.items as f64)),
            );
            number_cell(out, &grouped(facts.failed));
            if has_reward {
                number_cell(out, &if facts.reward.count > 0 { short(facts.reward.mean) } else { "-".to_owned() });
                number_cell(
                    out,
                    &facts
                        .reward
                        .margin()
                        .filter(|margin| *margin > 0.0)
                        .map_or_else(|| "-".to_owned(), |margin| format!("± {}", short(margin))),
                );
            }
            if has_posterior {
                believed(out, posterior(route, facts));
            }
            out.own("</tr>\n");
        }
    }
    close_table(out);
    if has_posterior {
        out.own("<p class=\"note\">Posterior: what the policy believes of the mean reward at the end, a Beta distribution with its prior; the interval holds 95 % of it.</p>\n");
    }
    if route.arms.len() > ARMS {
        put!(out, "<p class=\"note\">{} more arms are in the record.</p>\n", route.arms.len() - ARMS);
    }
}

fn believed(out: &mut Html, posterior: Option<(f64, f64)>) {
    let Some((a, b)) = posterior else {
        out.own("<td>-</td><td>-</td>");
        return;
    };
    let [low, high] = beta::quantiles((a, b), [0.025, 0.975]);
    let mean = a / (a + b);
    out.own("<td class=\"share\">");
    interval(out, (0.0, 1.0), (low, mean, high), 150.0);
    put!(out, " {}</td><td>{} to {}</td>", short(mean), short(low), short(high));
}
