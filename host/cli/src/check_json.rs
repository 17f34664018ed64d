//! What `jackfield check --json` prints of a pipeline that is in order: the pipeline in the words of its file, with all that the
//! file leaves out filled in.
//!
//! The shape is documented in docs/reference/check-json.md, and a test holds the page to it. It says less than the plan of
//! `run.json`, which is the host's own and changes with it.

use std::time::Duration;

use jackfield_pipeline::{
    CachePlan, Condition, EnvironmentVariable, ExtensionRef, InputExpr, InputPlan, ModelPlan, ObjectivePlan, OnError,
    Plan, RequirementPlan, RoutePlan, Scope, SearchPlan, StagePlan, WhenPlan, Wire,
};
use serde_json::{Map, Value, json};

use crate::terminal::without_secrets;

/// A pipeline that is in order. `file` is its file, and `notes` are what is worth knowing of it.
pub(super) fn described(plan: &Plan, file: &str, notes: &[String]) -> Value {
    let stages = plan.stages.iter().chain(&plan.exports);
    let mut pipeline = table([
        ("ok", json!(true)),
        ("faults", json!([])),
        ("notes", json!(notes)),
        ("file", json!(file)),
        ("digest", json!(plan.digest)),
        (
            "pipeline",
            table([
                ("name", json!(plan.name)),
                ("seed", json!(plan.seed)),
                ("max_in_flight", json!(plan.max_in_flight)),
                ("sandbox_memory", json!(plan.sandbox_memory)),
                ("tensor_storage", json!(plan.tensor_storage)),
            ]),
        ),
        ("input", input(&plan.input)),
        ("model", named(plan.models.iter().map(|entry| (&entry.name, model(plan, entry))))),
        ("cache", named(plan.caches.iter().map(|entry| (&entry.name, cache(entry))))),
        ("stages", named(stages.clone().map(|entry| (&entry.name, stage(plan, entry))))),
        ("order", stages.map(|stage| Value::from(stage.name.as_str())).collect()),
        ("search", plan.search.as_ref().map_or(Value::Null, |entry| search(plan, entry))),
        ("output", output(plan)),
        ("variables", named(plan.variables.iter().map(|entry| (&entry.name, variable(entry))))),
        ("require", plan.requirements.iter().map(|entry| requirement(plan, entry)).collect::<Map<_, _>>().into()),
    ]);
    for key in ["model", "cache", "output", "variables", "require"] {
        if pipeline[key].as_object().is_some_and(Map::is_empty) {
            pipeline.as_object_mut().into_iter().for_each(|pipeline| {
                pipeline.remove(key);
            });
        }
    }
    pipeline
}

/// A table without what is null: a key that says nothing is left out, as in a file.
fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
    entries.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn named<'a>(entries: impl Iterator<Item = (&'a String, Value)>) -> Value {
    entries.map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>().into()
}

fn input(input: &InputPlan) -> Value {
    let paths = |patterns: &[String]| json!(patterns);
    let size = |bytes: &u64| json!(bytes);
    match input {
        InputPlan::Files { patterns, max_item_size } => {
            table([("use", json!("files")), ("path", paths(patterns)), ("max_item_size", size(max_item_size))])
        }
        InputPlan::Jsonl { patterns, id, max_item_size } => table([
            ("use", json!("jsonl")),
            ("path", paths(patterns)),
            ("id", json!(id)),
            ("max_item_size", size(max_item_size)),
        ]),
        InputPlan::Json { patterns, item_keys, id, max_item_size } => table([
            ("use", json!("json")),
            ("path", paths(patterns)),
            ("id", json!(id)),
            ("item_keys", if item_keys.is_empty() { Value::Null } else { json!(item_keys) }),
            ("max_item_size", size(max_item_size)),
        ]),
        InputPlan::Csv { patterns, id, delimiter, max_item_size } => table([
            ("use", json!("csv")),
            ("path", paths(patterns)),
            ("id", json!(id)),
            ("delimiter", json!(char::from(*delimiter).to_string())),
            ("max_item_size", size(max_item_size)),
        ]),
        InputPlan::Inline { items, id } => {
            table([("use", json!("inline")), ("items", without_secrets(&json!(items))), ("id", json!(id))])
        }
        InputPlan::Trials { count } => table([("use", json!("trials")), ("count", json!(count))]),
    }
}

/// `use` in full, and what is pinned of the extension.
fn extension(extension: &ExtensionRef) -> [(&'static str, Value); 4] {
    [
        ("use", json!(format!("{}/{}", extension.plugin, extension.name))),
        ("version", json!(extension.version)),
        ("form", json!(extension.linkage)),
        ("sha256", json!(extension.digest)),
    ]
}

/// A table that begins with an extension and its configuration.
fn with_extension<const N: usize>(used: &ExtensionRef, config: &Value, entries: [(&str, Value); N]) -> Value {
    let mut map = match table(extension(used)) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if config.as_object().is_none_or(|config| !config.is_empty()) {
        map.insert("with".to_owned(), without_secrets(config));
    }
    if let Value::Object(entries) = table(entries) {
        map.extend(entries);
    }
    Value::Object(map)
}

fn duration(time: Option<Duration>) -> Value {
    time.map_or(Value::Null, |time| humantime::format_duration(time).to_string().into())
}

fn model(plan: &Plan, model: &ModelPlan) -> Value {
    let any = |value: Value| match value.as_object() {
        Some(map) if map.values().all(Value::is_null) => Value::Null,
        Some(map) => {
            map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        None => value,
    };
    with_extension(
        &model.extension,
        &model.config,
        [
            ("concurrency", json!(model.concurrency)),
            ("rate", any(json!(model.rate))),
            ("budget", any(json!(model.budget))),
            ("price", json!(model.price)),
            ("timeout", duration(model.timeout)),
            ("retry", json!({ "attempts": model.attempts, "backoff": duration(Some(model.backoff)) })),
            ("cache", cache_name(plan, model.cache)),
            ("record", json!(model.record)),
        ],
    )
}

fn cache_name(plan: &Plan, index: Option<usize>) -> Value {
    index.map_or(Value::Null, |index| json!(plan.caches[index].name))
}

fn cache(cache: &CachePlan) -> Value {
    let tiers =
        cache.tiers.iter().map(|tier| with_extension(&tier.extension, &tier.config, [("ttl", duration(tier.ttl))]));
    json!({ "tiers": tiers.collect::<Vec<_>>() })
}

fn stage(plan: &Plan, stage: &StagePlan) -> Value {
    let policy = &stage.policy;
    let is_export = plan.exports.iter().any(|export| export.name == stage.name);
    let reads: Vec<&str> = stage.reads.iter().map(|read| plan.stages[*read].name.as_str()).collect();
    let flag = |is_set: bool| if is_set { json!(true) } else { Value::Null };
    with_extension(
        &stage.extension,
        &stage.config,
        [
            ("kind", json!(stage.extension.kind)),
            ("in", expression(plan, &stage.input)),
            ("for_each", wire(plan, stage.for_each.as_ref())),
            ("when", stage.when.as_ref().map_or(Value::Null, |when| condition(plan, when))),
            ("repeat", json!(stage.repeat)),
            (
                "runs",
                json!(match (is_export, stage.scope) {
                    (true, _) => "at export",
                    (false, Scope::Run) => "once a run",
                    (false, Scope::Item) => "once an item",
                    (false, Scope::All) => "once over all items",
                }),
            ),
            ("reads", json!(reads)),
            ("model", stage.model.map_or(Value::Null, |model| json!(plan.models[model].name))),
            ("cache", cache_name(plan, stage.cache)),
            ("store", cache_name(plan, stage.store)),
            ("route", stage.route.as_ref().map_or(Value::Null, |entry| route(plan, entry))),
            ("timeout", duration(policy.timeout)),
            ("retry", json!({ "attempts": policy.attempts, "backoff": duration(Some(policy.backoff)) })),
            (
                "on_error",
                json!(match policy.on_error {
                    OnError::Continue => "continue",
                    OnError::Drop => "drop",
                    OnError::Fail => "fail",
                }),
            ),
            ("concurrency", json!(policy.concurrency)),
            ("batch", json!(policy.batch)),
            ("deferred", flag(stage.deferred)),
            ("export", flag(is_export)),
        ],
    )
}

fn wire(plan: &Plan, wire: Option<&Wire>) -> Value {
    wire.map_or(Value::Null, |wire| plan.wire_text(wire).into())
}

/// When a stage is on, as `when` has it.
fn condition(plan: &Plan, when: &WhenPlan) -> Value {
    let keys = when.condition.keys().into_iter().map(|(key, value)| (key.to_owned(), value));
    match wire(plan, Some(&when.wire)) {
        wire if when.condition == Condition::True => wire,
        wire => [("wire".to_owned(), wire)].into_iter().chain(keys).collect::<Map<_, _>>().into(),
    }
}

/// What is required of a run: the wire, and its bounds.
fn requirement(plan: &Plan, requirement: &RequirementPlan) -> (String, Value) {
    let bounds = requirement.condition.keys().into_iter().map(|(key, value)| (key.to_owned(), value));
    (plan.wire_text(&requirement.wire), bounds.collect::<Map<_, _>>().into())
}

/// What a call gets, as `in` has it; null for nothing.
fn expression(plan: &Plan, expr: &InputExpr) -> Value {
    match expr {
        InputExpr::Wire(entry) => wire(plan, Some(entry)),
        // As the file has it: a string by itself is a wire.
        InputExpr::Constant(value) if value.is_number() || value.is_boolean() => value.clone(),
        InputExpr::Constant(value) => json!({ "const": value }),
        InputExpr::List(parts) => parts.iter().map(|part| expression(plan, part)).collect(),
        InputExpr::Table(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), expression(plan, &entry.value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// The wires of objectives by their names: those of which less is better, or more.
fn objectives(plan: &Plan, objectives: &[ObjectivePlan], minimize: bool) -> Value {
    let chosen = objectives.iter().filter(|objective| objective.minimize == minimize);
    let chosen = named(chosen.map(|objective| (&objective.name, wire(plan, Some(&objective.wire)))));
    if chosen.as_object().is_some_and(Map::is_empty) { Value::Null } else { chosen }
}

fn route(plan: &Plan, route: &RoutePlan) -> Value {
    let arms = route.arms.iter().map(|arm| {
        table([
            ("name", json!(arm.arm.name)),
            ("with", without_secrets(&arm.config)),
            ("model", arm.model.map_or(Value::Null, |model| json!(plan.models[model].name))),
        ])
    });
    with_extension(
        &route.extension,
        &route.config,
        [
            ("arms", arms.collect()),
            ("context", wire(plan, route.context.as_ref())),
            ("reward", wire(plan, route.reward.as_ref())),
            ("maximize", objectives(plan, &route.objectives, false)),
            ("minimize", objectives(plan, &route.objectives, true)),
            ("in_flight", json!(route.in_flight)),
            ("state", json!(route.state)),
        ],
    )
}

fn search(plan: &Plan, search: &SearchPlan) -> Value {
    let space = named(search.study.space.iter().map(|dimension| {
        let mut range = json!(dimension);
        range.as_object_mut().into_iter().for_each(|range| {
            range.remove("name");
        });
        (&dimension.name, range)
    }));
    let reports: Vec<Value> = search.reports.iter().map(|report| wire(plan, Some(report))).collect();
    with_extension(
        &search.extension,
        &search.config,
        [
            ("space", space),
            ("maximize", objectives(plan, &search.objectives, false)),
            ("minimize", objectives(plan, &search.objectives, true)),
            ("report", if reports.is_empty() { Value::Null } else { json!(reports) }),
            ("in_flight", json!(search.in_flight)),
            ("study", search.keep.as_ref().map_or(Value::Null, |study| json!(study.name))),
        ],
    )
}

/// A variable of the environment that `[params]` names.
fn variable(variable: &EnvironmentVariable) -> Value {
    table([
        ("value", without_secrets(&variable.value)),
        ("set", json!(variable.is_set)),
        ("default", variable.default.as_ref().map_or(Value::Null, without_secrets)),
        ("params", json!(variable.parameters)),
        ("used_by", json!(variable.used_by)),
    ])
}

fn output(plan: &Plan) -> Value {
    let output = &plan.output;
    let wires = |entries: &[(String, Wire)]| match entries {
        [] => Value::Null,
        entries => named(entries.iter().map(|(name, entry)| (name, wire(plan, Some(entry))))),
    };
    table([
        ("item_files", json!(output.item_files)),
        ("files", wires(&output.files)),
        ("merged", wires(&output.merged)),
        ("show", wires(&output.show)),
    ])
}
