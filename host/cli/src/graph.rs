//! `jackfield graph` draws the stages and wires of a pipeline as text, as a Mermaid flow chart or for Graphviz.

use std::{collections::BTreeSet, fmt::Write as _};

use clap::ValueEnum;
use jackfield::internal::InputLook;
use jackfield_pipeline::{
    Condition, InputExpr, ObjectivePlan, Plan, Scope, SearchPlan, Source, StagePlan, WhenPlan, Wire,
};
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
    let loaded = match load_pipeline(&args.pipeline, OutputFormat::Human, InputLook::None) {
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
        InputExpr::Constant(_) => {}
    }
}

/// The constants among what a stage gets, each with the field that it is for.
fn add_constants(expr: &InputExpr, field: &str, found: &mut Vec<String>) {
    match expr {
        InputExpr::Constant(value) => {
            let name = if field.is_empty() { "input" } else { field };
            let mut value = value.to_string();
            if value.chars().count() > LONGEST_CONSTANT {
                value = value.chars().take(LONGEST_CONSTANT).chain(['…']).collect();
            }
            found.push(format!("{name} = {value}"));
        }
        InputExpr::Wire(_) => {}
        InputExpr::List(parts) => parts.iter().for_each(|part| add_constants(part, field, found)),
        InputExpr::Table(entries) => {
            for entry in entries {
                let inner = if field.is_empty() { entry.key.clone() } else { format!("{field}.{}", entry.key) };
                add_constants(&entry.value, &inner, found);
            }
        }
    }
}

/// The most characters of a constant that are drawn.
const LONGEST_CONSTANT: usize = 40;

fn source_name(plan: &Plan, source: Source) -> Option<String> {
    match source {
        Source::Input => Some("input".to_owned()),
        Source::Each | Source::Spend => None,
        Source::Column(column) => source_name(plan, plan.columns.get(column)?.wire.source),
        Source::Stage(index) => plan.stages.get(index).map(|stage| stage.name.clone()),
    }
}

/// The keys of a stage's configuration that the search chooses.
fn searched_keys(plan: &Plan, stage: &StagePlan) -> Vec<String> {
    let targets = plan.search.iter().flat_map(|search| &search.targets);
    let of_stage = targets.filter(|target| plan.stages[target.stage].name == stage.name);
    of_stage.map(|target| target.path.join(".")).collect()
}

/// A wire into a policy, which is no input of the stage: what it tells items apart by, or learns from.
struct PolicyWire<'a> {
    /// What the policy makes of it: `context`, `reward`, or the objective that is to become more or less.
    role: String,
    wire: &'a Wire,
}

/// The wires into the policy of a stage's route.
fn route_wires(stage: &StagePlan) -> Vec<PolicyWire<'_>> {
    let Some(route) = &stage.route else { return Vec::new() };
    let named = [("context", &route.context), ("reward", &route.reward)];
    let named =
        named.into_iter().filter_map(|(role, wire)| Some(PolicyWire { role: role.to_owned(), wire: wire.as_ref()? }));
    named.chain(route.objectives.iter().map(objective_wire)).collect()
}

/// The wires into the policy of the search.
fn search_wires(search: &SearchPlan) -> Vec<PolicyWire<'_>> {
    let reports = search.reports.iter().map(|wire| PolicyWire { role: "report".to_owned(), wire });
    search.objectives.iter().map(objective_wire).chain(reports).collect()
}

fn objective_wire(objective: &ObjectivePlan) -> PolicyWire<'_> {
    let direction = if objective.minimize { "less" } else { "more" };
    PolicyWire { role: format!("{direction} {}", objective.name), wire: &objective.wire }
}

/// A policy and the wires into it, in words: `thompson of 2 arms, context: domain.label, reward: grade.reward`.
fn route_words(plan: &Plan, stage: &StagePlan) -> Option<String> {
    let route = stage.route.as_ref()?;
    let mut words = format!("route: {} of {}", route.extension.name, counted(route.arms.len() as u64, "arm"));
    for PolicyWire { role, wire } in route_wires(stage) {
        let _ = write!(words, ", {role}: {}", plan.wire_text(wire));
    }
    Some(words)
}

/// The stages of runs, and those that run at export.
fn all_stages(plan: &Plan) -> impl Iterator<Item = &StagePlan> {
    plan.stages.iter().chain(&plan.exports)
}

/// When a stage is on, in words: `when triage.kind equals "billing"`.
fn when_words(plan: &Plan, when: &WhenPlan) -> String {
    let wire = plan.wire_text(&when.wire);
    if when.condition == Condition::True {
        format!("when {wire}")
    } else {
        format!("when {wire} {}", when.condition.words())
    }
}

/// A note on how often a stage runs, unless that is once an item, on its searched keys, and on the constants that it gets.
fn schedule(plan: &Plan, stage: &StagePlan) -> Option<String> {
    let each = stage.for_each.as_ref().map(|_| "each element".to_owned());
    let repeat = stage.repeat.map(|times| format!("{times} times"));
    let exported = plan.exports.iter().any(|export| export.name == stage.name);
    let run = match (exported, stage.scope) {
        (true, _) => Some("at export".to_owned()),
        (false, Scope::Run) => Some("once a run".to_owned()),
        (false, Scope::All) => Some("over all items".to_owned()),
        (false, Scope::Item) => None,
    };
    let keys = searched_keys(plan, stage);
    let keys = (!keys.is_empty()).then(|| format!("searched: {}", keys.join(", ")));
    let when = stage.when.as_ref().map(|when| when_words(plan, when));
    let mut parts: Vec<String> = [run, when, each, repeat, keys].into_iter().flatten().collect();
    add_constants(&stage.input, "", &mut parts);
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
        for words in [schedule(plan, stage), route_words(plan, stage)].into_iter().flatten() {
            let _ = write!(text, "  [{words}]");
        }
        text.push('\n');
    }
    text
}

/// The node that stands for the item.
const INPUT: &str = "input";
/// The node that stands for the policy of the search; no stage has such a name.
const SEARCH: &str = "[search]";

/// An arrow of a drawing, between nodes by their names.
struct Arrow {
    from: String,
    to: String,
    /// For a wire into a policy, what the policy makes of it, and `when` for the wire that decides whether the stage is on: such an
    /// arrow is dashed.
    role: Option<String>,
}

/// All arrows, stage by stage: first what a stage reads, then what its policy is told; those of the search last.
fn arrows(plan: &Plan) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let policy_arrow = |PolicyWire { role, wire }: PolicyWire<'_>, to: &str| {
        let from = source_name(plan, wire.source)?;
        Some(Arrow { from, to: to.to_owned(), role: Some(role) })
    };
    for stage in all_stages(plan) {
        let when = stage.when.as_ref().and_then(|when| source_name(plan, when.wire.source));
        let condition = when.map(|from| Arrow { from, to: stage.name.clone(), role: Some("when".to_owned()) });
        let read = sources(plan, stage).into_iter();
        arrows.extend(read.map(|from| Arrow { from, to: stage.name.clone(), role: None }));
        arrows.extend(condition);
        arrows.extend(route_wires(stage).into_iter().filter_map(|wire| policy_arrow(wire, &stage.name)));
    }
    if let Some(search) = &plan.search {
        arrows.extend(search_wires(search).into_iter().filter_map(|wire| policy_arrow(wire, SEARCH)));
        arrows.push(Arrow { from: SEARCH.to_owned(), to: INPUT.to_owned(), role: Some("values".to_owned()) });
    }
    arrows
}

/// The lines of a node: the stage, how often it runs, and its policy.
fn node_lines(plan: &Plan, stage: &StagePlan) -> Vec<String> {
    let route = stage
        .route
        .as_ref()
        .map(|route| format!("route: {} of {}", route.extension.name, counted(route.arms.len() as u64, "arm")));
    [Some(stage.name.clone()), schedule(plan, stage), route].into_iter().flatten().collect()
}

fn as_mermaid(plan: &Plan) -> String {
    let mut text = String::from("flowchart LR\n");
    let names: Vec<&str> = all_stages(plan).map(|stage| stage.name.as_str()).collect();
    // Names that differ in a hyphen alone have different numbers.
    let node = |name: &str| match names.iter().position(|known| *known == name) {
        Some(index) => format!("s{index}_{}", name.replace('-', "_")),
        None => name.trim_matches(['[', ']']).to_owned(),
    };
    text.push_str("    input([input])\n");
    if let Some(search) = &plan.search {
        let _ = writeln!(text, "    search{{{{\"search<br/><i>{}</i>\"}}}}", for_mermaid(&search.extension.name));
    }
    for stage in all_stages(plan) {
        let mut lines = node_lines(plan, stage).into_iter().map(|line| for_mermaid(&line));
        let mut label = lines.next().unwrap_or_default();
        lines.for_each(|line| label.push_str(&format!("<br/><i>{line}</i>")));
        let _ = writeln!(text, "    {}[\"{label}\"]", node(&stage.name));
    }
    for Arrow { from, to, role } in arrows(plan) {
        let (from, to) = (node(&from), node(&to));
        let _ = match role {
            None => writeln!(text, "    {from} --> {to}"),
            Some(role) => writeln!(text, "    {from} -. \"{}\" .-> {to}", for_mermaid(&role)),
        };
    }
    text
}

/// A text for a label of Mermaid, which reads entities and HTML.
fn for_mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("#amp;"),
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '#' => escaped.push_str("#35;"),
            '`' => escaped.push_str("#96;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

fn as_dot(plan: &Plan) -> String {
    let mut text = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n  {} [shape=ellipse];\n",
        for_dot(&plan.name),
        for_dot(INPUT)
    );
    if let Some(search) = &plan.search {
        let label = for_dot(&format!("search\n{}", search.extension.name));
        let _ = writeln!(text, "  {} [shape=hexagon, label={label}];", for_dot(SEARCH));
    }
    for stage in all_stages(plan) {
        let _ = writeln!(text, "  {} [label={}];", for_dot(&stage.name), for_dot(&node_lines(plan, stage).join("\n")));
    }
    for Arrow { from, to, role } in arrows(plan) {
        let (from, to) = (for_dot(&from), for_dot(&to));
        let _ = match role {
            None => writeln!(text, "  {from} -> {to};"),
            Some(role) => {
                // What is learned from comes later: it is not what puts a stage to the right of another.
                let constraint = if role == "context" || role == "when" { "" } else { ", constraint=false" };
                writeln!(text, "  {from} -> {to} [style=dashed{constraint}, label={}];", for_dot(&role))
            }
        };
    }
    text.push_str("}\n");
    text
}

/// A text as a quoted string of Graphviz.
fn for_dot(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            char if char.is_control() => quoted.push(' '),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{for_dot, for_mermaid};

    #[test]
    fn what_a_plugin_calls_itself_ends_no_label() {
        assert_eq!(for_mermaid("a\"]\n<b>#`&"), "a#quot;] #lt;b#gt;#35;#96;#amp;");
        assert_eq!(for_dot("a\\\"];\nb\t"), r#""a\\\"];\nb ""#);
    }
}
