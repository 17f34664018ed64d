//! The graph of the stages with times on it. `layout` and `geometry` compute where everything stands; this module writes it.

mod geometry;
mod layout;

use jackfield_pipeline::{Scope, StagePlan};

use super::{
    super::{
        aggregate::RunStats,
        calls::StageStats,
        html::{Html, write_escaped},
        text::truncate,
        units::{brief_duration, grouped_count, long_duration, percent, px, share, with_commas},
    },
    close_drawing, open_drawing,
};
use geometry::{CurveStep, ShareBar};
use layout::{INPUT_WIDTH, Layout, NODE_HEIGHT, NODE_WIDTH};

/// The most stages that are drawn: of more, the tables alone tell.
const MAX_STAGES: usize = 150;
/// The input is drawn as a rounded box of this size, in pixels.
const INPUT_BOX: (f64, f64) = (112.0, 52.0);

pub(super) fn section(stats: &RunStats<'_>) -> Option<Html> {
    let plan = &stats.run.plan;
    let mut out = Html::new();
    if plan.stages.len() > MAX_STAGES {
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
    let graph = geometry::graph(plan);
    let layout = graph.layout();
    open_drawing(&mut out, "graph-svg", layout.size, "Graph of the stages, with times", &description(stats));
    write_edges(&mut out, &layout, graph.input);
    let total_us = stats.total_us();
    for ((number, plan, stage), corner) in stats.each_stage().zip(&layout.nodes) {
        write_stage(&mut out, *corner, &StageNode { number, plan, stage, total_us });
    }
    if let Some(corner) = layout.nodes.get(graph.input) {
        write_input(&mut out, *corner, stats.items.total());
    }
    close_drawing(&mut out);
    Some(out)
}

/// The graph in words.
fn description(stats: &RunStats<'_>) -> String {
    let stages = stats.each_stage().map(|(number, plan, stage)| {
        let sources: Vec<&str> = plan.reads.iter().map(|read| stats.stage_name(*read)).collect();
        let after = if sources.is_empty() { String::new() } else { format!(" after {}", sources.join(", ")) };
        format!("{number} {}{after}: {}", truncate(&plan.name, 60), grouped_count(stage.calls(), "call"))
    });
    stages.collect::<Vec<_>>().join(". ")
}

fn write_edges(out: &mut Html, layout: &Layout, input: usize) {
    out.write_static("<g class=\"cords\">");
    for edge in &layout.edges {
        write_escaped!(out, "<path class=\"{}\" d=\"", if edge.from == input { "cord of-input" } else { "cord" });
        for step in geometry::curve(&edge.points) {
            match step {
                CurveStep::Move((x, y)) => write_escaped!(out, "M{} {}", px(x), px(y)),
                CurveStep::Level(x) => write_escaped!(out, "H{}", px(x)),
                CurveStep::Bend { first_control, second_control, end } => write_escaped!(
                    out,
                    "C{} {} {} {} {} {}",
                    px(first_control.0),
                    px(first_control.1),
                    px(second_control.0),
                    px(second_control.1),
                    px(end.0),
                    px(end.1)
                ),
            }
        }
        out.write_static("\"/>");
    }
    out.write_static("</g>\n");
}

/// The input of the run, in a node with this upper left corner.
fn write_input(out: &mut Html, (x, y): (f64, f64), items: u64) {
    let (right, middle) = (x + INPUT_WIDTH, y + NODE_HEIGHT / 2.0);
    let center = px(right - INPUT_BOX.0 / 2.0);
    write_escaped!(
        out,
        "<g class=\"input\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"26\"/>",
        px(right - INPUT_BOX.0),
        px(middle - INPUT_BOX.1 / 2.0),
        px(INPUT_BOX.0),
        px(INPUT_BOX.1)
    );
    write_escaped!(out, "<text x=\"{}\" y=\"{}\" class=\"name\">input</text>", center, px(middle - 3.0));
    write_escaped!(out, "<text x=\"{}\" y=\"{}\">{}</text>", center, px(middle + 14.0), grouped_count(items, "item"));
    write_escaped!(out, "<circle class=\"jack\" cx=\"{}\" cy=\"{}\" r=\"4\"/></g>\n", px(right), px(middle));
}

/// What is written into the node of a stage.
struct StageNode<'a> {
    /// Its number on the page, from 1.
    number: usize,
    plan: &'a StagePlan,
    stage: &'a StageStats,
    /// The time of all stages, in microseconds.
    total_us: u64,
}

/// The node of a stage, with its upper left corner.
fn write_stage(out: &mut Html, (x, y): (f64, f64), node: &StageNode<'_>) {
    let StageNode { number, plan, stage, total_us } = node;
    let class = if stage.failed > 0 { "node has-failed" } else { "node" };
    write_escaped!(out, "<g class=\"{}\" transform=\"translate({} {})\">", class, px(x), px(y));
    write_escaped!(
        out,
        "<title>{} {}: {} ok, {} failed, {} skipped, {} off; {} in all</title>",
        number,
        plan.name,
        stage.ok,
        stage.failed,
        stage.skipped,
        stage.off,
        long_duration(stage.total_us())
    );
    write_escaped!(out, "<rect class=\"panel\" width=\"{}\" height=\"{}\" rx=\"5\"/>", px(NODE_WIDTH), px(NODE_HEIGHT));
    for side in [0.0, NODE_WIDTH] {
        write_escaped!(out, "<circle class=\"jack\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", px(side), px(NODE_HEIGHT / 2.0));
    }
    let name_class = if plan.name.chars().count() > 15 { "name small" } else { "name" };
    out.write_static("<rect class=\"plate\" x=\"12\" y=\"10\" width=\"24\" height=\"17\" rx=\"3\"/>");
    write_escaped!(out, "<text class=\"plate-no\" x=\"24\" y=\"22.5\">{}</text>", number);
    write_escaped!(out, "<text class=\"{}\" x=\"42\" y=\"23\">{}</text>", name_class, truncate(&plan.name, 18));
    let kind_characters = if stage.failed > 0 { 16 } else { 25 };
    write_escaped!(
        out,
        "<text class=\"muted\" x=\"12\" y=\"42\">{}</text>",
        truncate(&stage_kind(plan), kind_characters)
    );
    write_escaped!(out, "<text x=\"12\" y=\"59\">{}</text>", calls_in_words(stage));
    if stage.failed > 0 {
        write_escaped!(
            out,
            "<text class=\"bad\" x=\"{}\" y=\"42\" text-anchor=\"end\">✕ {}</text>",
            px(NODE_WIDTH - 12.0),
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
    let time_share = share(stage.total_us() as f64, *total_us as f64);
    let bar = ShareBar::of(time_share);
    write_escaped!(out, "<rect class=\"track\" x=\"12\" y=\"82\" width=\"{}\" height=\"6\" rx=\"1\"/>", px(bar.width));
    write_escaped!(out, "<rect class=\"fill\" x=\"12\" y=\"82\" width=\"{}\" height=\"6\" rx=\"1\"/>", px(bar.filled));
    write_escaped!(
        out,
        "<text class=\"part\" x=\"{}\" y=\"89\" text-anchor=\"end\">{}</text></g>\n",
        px(NODE_WIDTH - 12.0),
        percent(time_share)
    );
}

fn calls_in_words(stage: &StageStats) -> String {
    match (stage.calls(), stage.skipped, stage.off) {
        (0, 0, 0) => "no calls".to_owned(),
        (0, 0, off) => format!("off {}", grouped_count(off, "time")),
        (0, skipped, _) => format!("skipped {}", grouped_count(skipped, "time")),
        (calls, _, 0) => format!("{} · {}", grouped_count(calls, "call"), long_duration(stage.total_us())),
        (calls, _, off) => format!("{} · off {}", grouped_count(calls, "call"), grouped_count(off, "time")),
    }
}

/// What a stage is, and how often it runs unless that is once an item.
fn stage_kind(plan: &StagePlan) -> String {
    // The extension of a routed stage matters less than the policy that decides how it runs.
    let extension = (plan.extension.name != plan.name && plan.route.is_none()).then(|| plan.extension.name.clone());
    let run = match plan.scope {
        Scope::Run => Some("once a run".to_owned()),
        Scope::All => Some("over all items".to_owned()),
        Scope::Item => None,
    };
    let each = plan.for_each.as_ref().map(|_| "each element".to_owned());
    let repeat = plan.repeat.map(|times| format!("{times} times"));
    let routed = plan.route.as_ref().map(|route| format!("routed by {}", route.extension.name));
    let parts: Vec<String> = [extension, run, each, repeat, routed].into_iter().flatten().collect();
    if parts.is_empty() { "once an item".to_owned() } else { parts.join(", ") }
}
