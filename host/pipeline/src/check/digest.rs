//! The digest of a plan: the same for two plans that cannot differ in a result.

use serde_json::{Map, Value, json};

use crate::plan::{
    ArmPlan, InputExpr, InputPlan, ModelPlan, ObjectivePlan, Plan, RoutePlan, SearchPlan, SearchTarget, Source,
    StagePlan, Wire,
};
use jackfield_loader::Digest;

/// The digest of all in a plan that can change a result: not where items lie, how many there are, nor how many calls are
/// made at a time or how long they may take.
pub(crate) fn digest_of(plan: &Plan) -> Digest {
    let stages: Map<String, Value> =
        plan.stages.iter().map(|stage| (stage.name.clone(), stage_value(plan, stage))).collect();
    let mut value = json!({ "name": plan.name, "seed": plan.seed, "input": input(&plan.input), "stages": stages });
    if let Some(search) = &plan.search {
        value["search"] = search_value(plan, search);
    }
    let mut text = String::new();
    canonical(&value, &mut text);
    Digest::of(text)
}

fn input(input: &InputPlan) -> Value {
    match input {
        InputPlan::Files { .. } => json!({ "use": "files" }),
        InputPlan::Jsonl { id, .. } => json!({ "use": "jsonl", "id": id }),
        InputPlan::Json { item_keys, id, .. } => json!({ "use": "json", "item_keys": item_keys, "id": id }),
        InputPlan::Csv { id, delimiter, .. } => json!({ "use": "csv", "id": id, "delimiter": delimiter }),
        InputPlan::Inline { items, id } => json!({ "use": "inline", "id": id, "items": items }),
        InputPlan::Trials { .. } => json!({ "use": "trials" }),
    }
}

fn stage_value(plan: &Plan, stage: &StagePlan) -> Value {
    let extension = &stage.extension;
    let mut value = json!({
        "kind": extension.kind,
        "extension": extension.name,
        "version": extension.version,
        "digest": extension.digest,
        "config": stage.config_identity(),
        "in": expr(plan, &stage.input),
        "for_each": stage.for_each.as_ref().map(|for_each| wire(plan, for_each)),
        "repeat": stage.repeat,
        "on_error": stage.policy.on_error,
        "model": stage.model.map(|model| model_value(&plan.models[model])),
        "route": stage.route.as_ref().map(|route| route_value(plan, route)),
    });
    if let Some(when) = &stage.when {
        value["when"] = json!([wire(plan, &when.wire), when.condition]);
    }
    value
}

/// All of a route but where it keeps what it learns.
fn route_value(plan: &Plan, route: &RoutePlan) -> Value {
    let extension = &route.extension;
    let arm = |arm: &ArmPlan| {
        json!([arm.arm.name, arm.config_identity(), arm.model.map(|model| model_value(&plan.models[model]))])
    };
    let objective = |one: &ObjectivePlan| json!([one.name, wire(plan, &one.wire), one.minimize]);
    json!({
        "extension": extension.name,
        "version": extension.version,
        "digest": extension.digest,
        "config": route.config_identity(),
        "arms": route.arms.iter().map(arm).collect::<Vec<_>>(),
        "context": route.context.as_ref().map(|context| wire(plan, context)),
        "reward": route.reward.as_ref().map(|reward| wire(plan, reward)),
        "objectives": route.objectives.iter().map(objective).collect::<Vec<_>>(),
        "in_flight": route.in_flight,
    })
}

/// All of a search but what ends it and where its trials are kept: further trials can be made of a run that is done.
fn search_value(plan: &Plan, search: &SearchPlan) -> Value {
    let extension = &search.extension;
    let target = |target: &SearchTarget| json!([target.dimension, plan.stages[target.stage].name, target.path]);
    let objective = |one: &ObjectivePlan| json!([one.name, wire(plan, &one.wire), one.minimize]);
    json!({
        "extension": extension.name,
        "version": extension.version,
        "digest": extension.digest,
        "config": search.config_identity(),
        "space": search.study.space,
        "targets": search.targets.iter().map(target).collect::<Vec<_>>(),
        "objectives": search.objectives.iter().map(objective).collect::<Vec<_>>(),
        "reports": search.reports.iter().map(|report| wire(plan, report)).collect::<Vec<_>>(),
        "points": search.points,
        "in_flight": search.in_flight,
    })
}

/// What of a model can change an answer: not how fast it is called, nor what it may cost.
fn model_value(model: &ModelPlan) -> Value {
    let extension = &model.extension;
    json!({
        "extension": extension.name,
        "version": extension.version,
        "digest": extension.digest,
        "config": model.config_identity(),
    })
}

fn expr(plan: &Plan, input: &InputExpr) -> Value {
    match input {
        InputExpr::Wire(source) => json!({ "wire": wire(plan, source) }),
        InputExpr::List(list) => json!({ "list": list.iter().map(|input| expr(plan, input)).collect::<Vec<_>>() }),
        InputExpr::Table(table) => {
            let fields: Map<String, Value> =
                table.iter().map(|entry| (entry.key.clone(), expr(plan, &entry.value))).collect();
            json!({ "table": fields })
        }
        InputExpr::Constant(value) => json!({ "const": value }),
    }
}

/// A wire as text: names, unlike indices, do not depend on the order of the stages.
fn wire(plan: &Plan, wire: &Wire) -> String {
    let source = match wire.source {
        Source::Input => "input",
        Source::Each => "each",
        Source::Spend => "spend",
        Source::Stage(index) => &plan.stages[index].name,
        Source::Column(_) => return plan.wire_text(wire),
    };
    wire.path.iter().fold(source.to_owned(), |text, step| text + &step.to_string())
}

/// JSON with sorted keys and no white space, whatever order the maps keep.
pub(crate) fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(value, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
