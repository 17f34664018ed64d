//! `jackfield graph`.

use std::{collections::BTreeSet, fmt::Write as _};

use clap::ValueEnum;

use super::{
    exit::Exit,
    load::{PipelineArgs, Talk, load_pipeline},
};
use crate::{
    pipeline::{InputExpr, Plan, Scope, Source, StagePlan},
    telemetry::output,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// How to draw it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A list, each stage after those that it reads.
    #[default]
    Text,
    /// A Mermaid flow chart.
    Mermaid,
    /// A Graphviz graph.
    Dot,
}

pub(super) fn graph(args: &Args) -> Exit {
    let loaded = match load_pipeline(&args.pipeline, Talk::People) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let text = match args.format {
        Format::Text => as_text(&loaded.plan),
        Format::Mermaid => as_mermaid(&loaded.plan),
        Format::Dot => as_dot(&loaded.plan),
    };
    output().lines(text);
    Exit::Success
}

/// What a stage reads: `input` and names of stages.
fn sources(plan: &Plan, stage: &StagePlan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(plan, &stage.input, &mut found);
    if let Some(wire) = &stage.for_each {
        found.extend(source_name(plan, wire.source));
    }
    found
}

fn collect(plan: &Plan, expr: &InputExpr, found: &mut BTreeSet<String>) {
    match expr {
        InputExpr::Wire(wire) => found.extend(source_name(plan, wire.source)),
        InputExpr::List(parts) => parts.iter().for_each(|part| collect(plan, part, found)),
        InputExpr::Table(entries) => entries.iter().for_each(|entry| collect(plan, &entry.value, found)),
    }
}

fn source_name(plan: &Plan, source: Source) -> Option<String> {
    match source {
        Source::Input => Some("input".to_owned()),
        Source::Each | Source::Spend => None,
        Source::Stage(index) => plan.stages.get(index).map(|stage| stage.name.clone()),
    }
}

/// How often a stage runs, unless that is once an item.
fn rhythm(stage: &StagePlan) -> Option<String> {
    let each = stage.for_each.as_ref().map(|_| "each element".to_owned());
    let repeat = stage.repeat.map(|times| format!("{times} times"));
    let run = (stage.scope == Scope::Run).then(|| "once a run".to_owned());
    let parts: Vec<String> = [run, each, repeat].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Layers beyond this one are no longer set in further.
const DEEPEST: usize = 40;

fn as_text(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.name);
    let layers = plan.layers();
    let mut by_layer: Vec<_> = plan.stages.iter().zip(layers).collect();
    by_layer.sort_by_key(|(_, layer)| *layer);
    for (stage, layer) in by_layer {
        let _ = write!(text, "{:indent$}{}", "", stage.name, indent = 2 + 2 * layer.min(DEEPEST));
        if stage.extension.name != stage.name {
            let _ = write!(text, " ({})", stage.extension.name);
        }
        let sources: Vec<String> = sources(plan, stage).into_iter().collect();
        if !sources.is_empty() {
            let _ = write!(text, " <- {}", sources.join(", "));
        }
        if let Some(rhythm) = rhythm(stage) {
            let _ = write!(text, "  [{rhythm}]");
        }
        text.push('\n');
    }
    text
}

fn as_mermaid(plan: &Plan) -> String {
    let mut text = String::from("flowchart LR\n");
    let node = |name: &str| name.replace('-', "_");
    text.push_str("    input([input])\n");
    for stage in &plan.stages {
        let rhythm = rhythm(stage).map(|rhythm| format!("<br/><i>{rhythm}</i>")).unwrap_or_default();
        let _ = writeln!(text, "    s_{}[\"{}{rhythm}\"]", node(&stage.name), stage.name);
    }
    for stage in &plan.stages {
        for source in sources(plan, stage) {
            let from = if source == "input" { source } else { format!("s_{}", node(&source)) };
            let _ = writeln!(text, "    {from} --> s_{}", node(&stage.name));
        }
    }
    text
}

fn as_dot(plan: &Plan) -> String {
    let mut text =
        format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n  \"input\" [shape=ellipse];\n", plan.name);
    for stage in &plan.stages {
        let rhythm = rhythm(stage).map(|rhythm| format!("\\n{rhythm}")).unwrap_or_default();
        let _ = writeln!(text, "  \"{0}\" [label=\"{0}{rhythm}\"];", stage.name);
        for source in sources(plan, stage) {
            let _ = writeln!(text, "  \"{source}\" -> \"{}\";", stage.name);
        }
    }
    text.push_str("}\n");
    text
}
