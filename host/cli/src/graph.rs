//! `jackfield graph` draws the stages and wires of a pipeline as text, as a Mermaid flow chart or for Graphviz.

use std::{collections::BTreeSet, fmt::Write as _};

use clap::ValueEnum;
use jackfield_pipeline::{InputExpr, Plan, Scope, Source, StagePlan};
use jackfield_plugin_api::Goal;

use super::{
    exit::Exit,
    load::{OutputFormat, PipelineArgs, load_pipeline},
    table::counted,
};
use crate::terminal::output;

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
    let loaded = match load_pipeline(&args.pipeline, OutputFormat::Human) {
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

/// What a stage reads: `input`, and the names of other stages.
fn sources(plan: &Plan, stage: &StagePlan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if !searched_keys(plan, stage).is_empty() {
        found.insert("input".to_owned());
    }
    add_sources(plan, &stage.input, &mut found);
    if let Some(wire) = &stage.for_each {
        found.extend(source_name(plan, wire.source));
    }
    found
}

/// Adds the sources of an expression.
fn add_sources(plan: &Plan, expr: &InputExpr, found: &mut BTreeSet<String>) {
    match expr {
        InputExpr::Wire(wire) => found.extend(source_name(plan, wire.source)),
        InputExpr::List(parts) => parts.iter().for_each(|part| add_sources(plan, part, found)),
        InputExpr::Table(entries) => entries.iter().for_each(|entry| add_sources(plan, &entry.value, found)),
    }
}

fn source_name(plan: &Plan, source: Source) -> Option<String> {
    match source {
        Source::Input => Some("input".to_owned()),
        Source::Each | Source::Spend => None,
        Source::Stage(index) => plan.stages.get(index).map(|stage| stage.name.clone()),
    }
}

/// The keys of a stage's configuration that the search chooses.
fn searched_keys(plan: &Plan, stage: &StagePlan) -> Vec<String> {
    let targets = plan.search.iter().flat_map(|search| &search.targets);
    let of_stage = targets.filter(|target| plan.stages[target.stage].name == stage.name);
    of_stage.map(|target| target.path.join(".")).collect()
}

/// The stages of runs, and those that run at export.
fn all_stages(plan: &Plan) -> impl Iterator<Item = &StagePlan> {
    plan.stages.iter().chain(&plan.exports)
}

/// A note on how often a stage runs, unless that is once an item, and on its searched keys.
fn schedule(plan: &Plan, stage: &StagePlan) -> Option<String> {
    let each = stage.for_each.as_ref().map(|_| "each element".to_owned());
    let repeat = stage.repeat.map(|times| format!("{times} times"));
    let exported = plan.exports.iter().any(|export| export.name == stage.name);
    let run = match (exported, stage.scope) {
        (true, _) => Some("at export".to_owned()),
        (false, Scope::Run) => Some("once a run".to_owned()),
        (false, Scope::Item) => None,
    };
    let keys = searched_keys(plan, stage);
    let keys = (!keys.is_empty()).then(|| format!("searched: {}", keys.join(", ")));
    let parts: Vec<String> = [run, each, repeat, keys].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Layers beyond this one are not indented further.
const DEEPEST: usize = 40;

fn as_text(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.name);
    if let Some(search) = &plan.search {
        let goal = |goal: &Goal| format!("{} {}", if goal.minimize { "less" } else { "more" }, goal.name);
        let goals: Vec<String> = search.study.goals.iter().map(goal).collect();
        let keys = counted(search.study.space.len() as u64, "key");
        let _ = writeln!(text, "  search ({}) of {keys}: {}", search.extension.name, goals.join(", "));
    }
    let layers = plan.layers();
    let mut by_layer: Vec<_> = plan.stages.iter().zip(layers.iter().copied()).collect();
    by_layer.sort_by_key(|(_, layer)| *layer);
    let beyond = |stage: &StagePlan| stage.reads.iter().filter_map(|read| Some(layers.get(*read)? + 1)).max();
    by_layer.extend(plan.exports.iter().map(|stage| (stage, beyond(stage).unwrap_or(0))));
    for (stage, layer) in by_layer {
        let _ = write!(text, "{:indent$}{}", "", stage.name, indent = 2 + 2 * layer.min(DEEPEST));
        if stage.extension.name != stage.name {
            let _ = write!(text, " ({})", stage.extension.name);
        }
        let sources: Vec<String> = sources(plan, stage).into_iter().collect();
        if !sources.is_empty() {
            let _ = write!(text, " <- {}", sources.join(", "));
        }
        if let Some(schedule) = schedule(plan, stage) {
            let _ = write!(text, "  [{schedule}]");
        }
        text.push('\n');
    }
    text
}

fn as_mermaid(plan: &Plan) -> String {
    let mut text = String::from("flowchart LR\n");
    let node = |name: &str| name.replace('-', "_");
    text.push_str("    input([input])\n");
    for stage in all_stages(plan) {
        let schedule = schedule(plan, stage).map(|schedule| format!("<br/><i>{schedule}</i>")).unwrap_or_default();
        let _ = writeln!(text, "    s_{}[\"{}{schedule}\"]", node(&stage.name), stage.name);
    }
    for stage in all_stages(plan) {
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
    for stage in all_stages(plan) {
        let schedule = schedule(plan, stage).map(|schedule| format!("\\n{schedule}")).unwrap_or_default();
        let _ = writeln!(text, "  \"{0}\" [label=\"{0}{schedule}\"];", stage.name);
        for source in sources(plan, stage) {
            let _ = writeln!(text, "  \"{source}\" -> \"{}\";", stage.name);
        }
    }
    text.push_str("}\n");
    text
}
