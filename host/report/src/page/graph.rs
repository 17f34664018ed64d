//! The graph with times on it.

use jackfield_pipeline::{Scope, StagePlan};

use super::{
    super::{
        aggregate::RunStats,
        calls::StageStats,
        html::{Html, write_escaped},
        text::truncate,
        units::{brief_duration, grouped_count, long_duration, percent, px, share, with_commas},
    },
    close_drawing,
    layout::{INPUT, NODE, layout},
    open_drawing,
};

/// More stages than these are in the tables alone.
const MOST: usize = 150;

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let plan = &stats.run.plan;
    let mut out = Html::new();
    if plan.stages.len() > MOST {
        write_escaped!(
            out,
            "<p>{} are too many to draw; the table of latencies has those that took longest.</p>\n",
            grouped_count(plan.stages.len() as u64, "stage")
        );
        return Some(out);
    }
    write_escaped!(
        out,
        "<p>Stages from left to right, each after those that it reads. The bar is the stage's share of the <span class=\"nb\">{}</span> that all stages took. A stage keeps its number throughout the page.</p>\n",
        long_duration(stats.total_us())
    );
    // The input is the last node, in the first column.
    let has_input = plan.stages.iter().any(StagePlan::reads_input);
    let mut columns: Vec<usize> = plan.layers().iter().map(|layer| layer + usize::from(has_input)).collect();
    let input = columns.len();
    let mut reads: Vec<Vec<usize>> = plan
        .stages
        .iter()
        .map(|stage| stage.reads.iter().copied().chain(stage.reads_input().then_some(input)).collect())
        .collect();
    if has_input {
        columns.push(0);
        reads.push(Vec::new());
    }
    let layout = layout(&columns, &reads, has_input);
    let about: Vec<String> = stats
        .each_stage()
        .map(|(number, plan, stage)| {
            let sources: Vec<&str> = plan.reads.iter().map(|read| stats.stage_name(*read)).collect();
            let after = if sources.is_empty() { String::new() } else { format!(" after {}", sources.join(", ")) };
            format!("{number} {}{after}: {}", truncate(&plan.name, 60), grouped_count(stage.calls(), "call"))
        })
        .collect();
    open_drawing(&mut out, "graph-svg", layout.size, "Graph of the stages, with times", &about.join(". "));
    out.write_static("<g class=\"cords\">");
    for cord in &layout.cords {
        write_escaped!(out, "<path class=\"{}\" d=\"", if cord.from == input { "cord of-input" } else { "cord" });
        for (place, pair) in cord.points.windows(2).enumerate() {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if place == 0 {
                write_escaped!(out, "M{} {}", px(x0), px(y0));
            }
            // Ways through a column are straight.
            if place % 2 == 1 {
                write_escaped!(out, "H{}", px(x1));
            } else {
                let half = (x1 - x0) * 0.55;
                write_escaped!(out, "C{} {} {} {} {} {}", px(x0 + half), px(y0), px(x1 - half), px(y1), px(x1), px(y1));
            }
        }
        out.write_static("\"/>");
    }
    out.write_static("</g>\n");
    let total = stats.total_us();
    for ((number, plan, stage), corner) in stats.each_stage().zip(&layout.nodes) {
        node(&mut out, *corner, (number, plan, stage), total);
    }
    if let Some(&(x, y)) = layout.nodes.get(input) {
        let (wide, middle) = (INPUT, y + NODE.1 / 2.0);
        write_escaped!(
            out,
            "<g class=\"input\"><rect x=\"{}\" y=\"{}\" width=\"112\" height=\"52\" rx=\"26\"/>",
            px(x + wide - 112.0),
            px(middle - 26.0)
        );
        write_escaped!(
            out,
            "<text x=\"{}\" y=\"{}\" class=\"name\">input</text>",
            px(x + wide - 56.0),
            px(middle - 3.0)
        );
        write_escaped!(
            out,
            "<text x=\"{}\" y=\"{}\">{}</text>",
            px(x + wide - 56.0),
            px(middle + 14.0),
            grouped_count(stats.items.total(), "item")
        );
        write_escaped!(out, "<circle class=\"jack\" cx=\"{}\" cy=\"{}\" r=\"4\"/></g>\n", px(x + wide), px(middle));
    }
    close_drawing(&mut out);
    Some(out)
}

fn node(out: &mut Html, (x, y): (f64, f64), (number, plan, stage): (usize, &StagePlan, &StageStats), total: u64) {
    let class = if stage.failed > 0 { "node has-failed" } else { "node" };
    write_escaped!(out, "<g class=\"{}\" transform=\"translate({} {})\">", class, px(x), px(y));
    write_escaped!(
        out,
        "<title>{} {}: {} ok, {} failed, {} skipped; {} in all</title>",
        number,
        plan.name,
        stage.ok,
        stage.failed,
        stage.skipped,
        long_duration(stage.total_us())
    );
    let (wide, high) = NODE;
    write_escaped!(out, "<rect class=\"panel\" width=\"{}\" height=\"{}\" rx=\"5\"/>", px(wide), px(high));
    for side in [0.0, wide] {
        write_escaped!(out, "<circle class=\"jack\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", px(side), px(high / 2.0));
    }
    let name = if plan.name.chars().count() > 15 { "name small" } else { "name" };
    out.write_static("<rect class=\"plate\" x=\"12\" y=\"10\" width=\"24\" height=\"17\" rx=\"3\"/>");
    write_escaped!(out, "<text class=\"plate-no\" x=\"24\" y=\"22.5\">{}</text>", number);
    write_escaped!(out, "<text class=\"{}\" x=\"42\" y=\"23\">{}</text>", name, truncate(&plan.name, 18));
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"12\" y=\"42\">{}</text>",
        truncate(&kind(plan), if stage.failed > 0 { 16 } else { 25 })
    );
    let calls = if stage.calls() == 0 {
        if stage.skipped > 0 {
            format!("skipped {}", grouped_count(stage.skipped, "time"))
        } else {
            "no calls".to_owned()
        }
    } else {
        format!("{} · {}", grouped_count(stage.calls(), "call"), long_duration(stage.total_us()))
    };
    write_escaped!(out, "<text x=\"12\" y=\"59\">{}</text>", calls);
    if stage.failed > 0 {
        write_escaped!(
            out,
            "<text class=\"bad\" x=\"{}\" y=\"42\" text-anchor=\"end\">✕ {}</text>",
            px(wide - 12.0),
            with_commas(stage.failed)
        );
    }
    if stage.made.count() > 0 {
        write_escaped!(
            out,
            "<text x=\"12\" y=\"75\">p50 {} · p95 {}</text>",
            brief_duration(stage.made.quantile(0.5)),
            brief_duration(stage.made.quantile(0.95))
        );
    } else if stage.hits.count() > 0 {
        out.write_static("<text x=\"12\" y=\"75\">all from the cache</text>");
    }
    let part = share(stage.total_us() as f64, total as f64);
    let room = wide - 24.0 - 42.0;
    write_escaped!(out, "<rect class=\"track\" x=\"12\" y=\"82\" width=\"{}\" height=\"6\" rx=\"1\"/>", px(room));
    let filled = if part > 0.0 { (part * room).max(1.5) } else { 0.0 };
    write_escaped!(out, "<rect class=\"fill\" x=\"12\" y=\"82\" width=\"{}\" height=\"6\" rx=\"1\"/>", px(filled));
    write_escaped!(
        out,
        "<text class=\"part\" x=\"{}\" y=\"89\" text-anchor=\"end\">{}</text></g>\n",
        px(wide - 12.0),
        percent(part)
    );
}

/// What a stage is, and how often it runs unless that is once an item.
fn kind(plan: &StagePlan) -> String {
    // What a routed stage runs matters less than who decides how.
    let own = (plan.extension.name != plan.name && plan.route.is_none()).then(|| plan.extension.name.clone());
    let run = (plan.scope == Scope::Run).then(|| "once a run".to_owned());
    let each = plan.for_each.as_ref().map(|_| "each element".to_owned());
    let repeat = plan.repeat.map(|times| format!("{times} times"));
    let routed = plan.route.as_ref().map(|route| format!("routed by {}", route.extension.name));
    let parts: Vec<String> = [own, run, each, repeat, routed].into_iter().flatten().collect();
    if parts.is_empty() { "once an item".to_owned() } else { parts.join(", ") }
}
