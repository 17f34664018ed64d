//! What each route learned over time, by context. `geometry` computes where everything stands; the other modules write it.

mod card;
mod estimates;
mod geometry;

use jackfield_pipeline::RoutePlan;

use super::{
    super::{
        aggregate::RunStats,
        html::{Html, write_escaped},
        learned::{Context, Learned},
        text::truncate,
        units::{grouped_count, short_number, with_commas},
    },
    marks::{SERIES, key},
};

/// The most contexts of a route that are shown.
const MAX_CONTEXTS: usize = 12;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    if stats.routes.is_empty() {
        return None;
    }
    let mut out = Html::new();
    for learned in &stats.routes {
        let Some(stage) = stats.run.plan.stages.get(learned.stage) else { continue };
        let Some(route) = &stage.route else { continue };
        write_escaped!(out, "<h3><b class=\"no\">{}</b> {}</h3>\n", learned.stage + 1, truncate(&stage.name, 60));
        write_summary(&mut out, route, learned);
        if learned.outcomes == 0 {
            continue;
        }
        let mut contexts: Vec<(&String, &Context)> = learned.contexts.iter().collect();
        contexts.sort_by_key(|(_, context)| std::cmp::Reverse(context.outcomes));
        let hidden: u64 =
            contexts.iter().skip(MAX_CONTEXTS).map(|(_, context)| context.outcomes).sum::<u64>() + learned.others;
        contexts.truncate(MAX_CONTEXTS);
        let drawn = drawn_arms(route, &contexts);
        write_legend(&mut out, route, &drawn);
        out.write_static("<div class=\"cards\">\n");
        for (index, (name, context)) in contexts.iter().enumerate() {
            let id = format!("route-{}-{index}", learned.stage);
            card::write(&mut out, &id, name, context, route, &drawn);
        }
        out.write_static("</div>\n");
        // Without a reward the table says little more than the drawings.
        let has_reward = learned.reward.count > 0;
        out.write_static(if has_reward { "" } else { "<details><summary>As a table</summary>\n" });
        estimates::write(&mut out, route, &contexts);
        out.write_static(if has_reward { "" } else { "</details>\n" });
        if hidden > 0 {
            write_escaped!(out, "<p class=\"note\">And {} in further contexts.</p>\n", grouped_count(hidden, "item"));
        }
    }
    Some(out)
}

fn write_summary(out: &mut Html, route: &RoutePlan, learned: &Learned) {
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

fn write_legend(out: &mut Html, route: &RoutePlan, drawn: &[usize]) {
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
