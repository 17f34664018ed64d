//! What differs between the plan that a run was made by and the one that is to go on with it.

use jackfield_loader::{BUNDLED, mask_secrets};
use jackfield_pipeline::{ExtensionRef, InputExpr, InputPlan, ModelPlan, Plan, RoutePlan, SearchPlan, StagePlan};
use serde_json::Value;

use crate::{
    lockfile::shell_word,
    value_changes::{Change, changes, shown},
};

/// So many differences are named.
const NAMED: usize = 6;

/// All that a resume would find changed, old and new, and what to do about it.
pub fn what_differs(before: &Plan, now: &Plan) -> String {
    let mut found = Vec::new();
    pipeline_differs(before, now, &mut found);
    for new in &now.models {
        match before.models.iter().find(|old| old.name == new.name) {
            Some(old) => model_differs(old, new, &mut found),
            None if is_used(new, now) => found.push(format!("model `{}` is new", new.name)),
            None => {}
        }
    }
    for old in before.models.iter().filter(|old| now.models.iter().all(|new| new.name != old.name)) {
        if is_used(old, before) {
            found.push(format!("there is no model `{}` any more", old.name));
        }
    }
    found.extend(search_differs(before, now));
    for new in &now.stages {
        if let Some(old) = before.stages.iter().find(|old| old.name == new.name) {
            stage_differs((before, old), (now, new), &mut found);
        }
    }
    let others = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    if others > 0 {
        found.push(format!("and {others} more"));
    }
    match variables_that_differ(before, now).as_slice() {
        [] => found.push("start a new run, or restore what was".to_owned()),
        variables => {
            found.extend(variables.iter().map(|(changed, _)| changed.clone()));
            let set: Vec<&str> = variables.iter().map(|(_, set)| set.as_str()).collect();
            found.push(format!("set {} to go on with this run, or start a new one", set.join(" ")));
        }
    }
    mask_secrets(&found.join("; ")).into_owned()
}

/// The variables of the environment that have another value and can change a result: how each differs, and what sets it back.
fn variables_that_differ(before: &Plan, now: &Plan) -> Vec<(String, String)> {
    let old_of = |name: &str| before.variables.iter().find(|old| old.name == name);
    let pairs = now.variables.iter().filter_map(|new| Some((old_of(&new.name)?, new)));
    let differing = pairs.filter(|(old, new)| old.value != new.value && new.can_change_results());
    differing
        .map(|(old, new)| {
            let change = Change { place: new.name.clone(), old: Some(old.value.clone()), new: Some(new.value.clone()) };
            let value = shell_word(&old.text());
            (format!("the variable {}", shown(&change)), format!("{}={value}", new.name))
        })
        .collect()
}

/// A value that was one and now is another.
fn changed(what: &str, old: impl std::fmt::Display, new: impl std::fmt::Display) -> String {
    format!("{what} was {old}, now it is {new}")
}

fn pipeline_differs(before: &Plan, now: &Plan, found: &mut Vec<String>) {
    if before.name != now.name {
        found.push(changed("the name of the pipeline", format!("`{}`", before.name), format!("`{}`", now.name)));
    }
    if before.seed != now.seed {
        found.push(changed("the seed", before.seed, now.seed));
    }
    let names = |plan: &Plan| plan.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>().join(", ");
    if names(before) != names(now) {
        found.push(format!("the stages were {}, now they are {}", names(before), names(now)));
    }
    input_differs(&before.input, &now.input, found);
}

/// How the input differs in what makes its items: not in where they lie, or how many there are.
fn input_differs(before: &InputPlan, now: &InputPlan, found: &mut Vec<String>) {
    let kind = |input: &InputPlan| match input {
        InputPlan::Files { .. } => "files",
        InputPlan::Jsonl { .. } => "jsonl",
        InputPlan::Json { .. } => "json",
        InputPlan::Csv { .. } => "csv",
        InputPlan::Inline { .. } => "inline",
        InputPlan::Trials { .. } => "trials",
    };
    if kind(before) != kind(now) {
        return found.push(changed("`use` of the input", kind(before), kind(now)));
    }
    let id = |input: &InputPlan| match input {
        InputPlan::Jsonl { id, .. }
        | InputPlan::Json { id, .. }
        | InputPlan::Csv { id, .. }
        | InputPlan::Inline { id, .. } => id.as_ref().map_or_else(|| "absent".to_owned(), |id| format!("`{id}`")),
        InputPlan::Files { .. } | InputPlan::Trials { .. } => String::new(),
    };
    if id(before) != id(now) {
        found.push(changed("`id` of the input", id(before), id(now)));
    }
    match (before, now) {
        (InputPlan::Csv { delimiter: old, .. }, InputPlan::Csv { delimiter: new, .. }) if old != new => {
            let char = |byte: &u8| format!("`{}`", char::from(*byte));
            found.push(changed("`delimiter` of the input", char(old), char(new)));
        }
        (InputPlan::Json { item_keys: old, .. }, InputPlan::Json { item_keys: new, .. }) if old != new => {
            found.push(changed("`item_keys` of the input", old.join(", "), new.join(", ")));
        }
        (InputPlan::Inline { items: old, .. }, InputPlan::Inline { items: new, .. }) if old != new => {
            let what = match old.iter().zip(new).position(|(old, new)| old != new) {
                Some(position) => format!("item {} of the input changed", position + 1),
                None => changed("the number of items in the input", old.len(), new.len()),
            };
            found.push(what);
        }
        _ => {}
    }
}

/// Whether a stage of the plan, or an arm of one, calls the model: only then can it change a result.
fn is_used(model: &ModelPlan, plan: &Plan) -> bool {
    let arms = plan.stages.iter().filter_map(|stage| stage.route.as_ref()).flat_map(|route| &route.arms);
    let used = plan.stages.iter().map(|stage| stage.model).chain(arms.map(|arm| arm.model));
    used.flatten().any(|index| plan.models.get(index).is_some_and(|used| used.name == model.name))
}

fn model_differs(old: &ModelPlan, new: &ModelPlan, found: &mut Vec<String>) {
    let what = extension_differs(&old.extension, &new.extension);
    let config = || config_differs(&old.config_identity(), (&new.config_identity(), &new.config));
    if let Some(what) = what.or_else(config) {
        found.push(format!("model `{}`: {what}", new.name));
    }
}

fn stage_differs((before, old): (&Plan, &StagePlan), (now, new): (&Plan, &StagePlan), found: &mut Vec<String>) {
    let mut add = |what: String| found.push(format!("stage `{}`: {what}", new.name));
    if let Some(what) = extension_differs(&old.extension, &new.extension) {
        return add(what);
    }
    let (old_config, new_config) = (without_searched(before, old), without_searched(now, new));
    if let Some(what) = config_differs(&old_config, (&new_config, &new.config)) {
        add(what);
    }
    let model = |plan: &Plan, stage: &StagePlan| {
        let model = stage.model.and_then(|model| plan.models.get(model));
        model.map_or_else(|| "absent".to_owned(), |model| format!("`{}`", model.name))
    };
    if model(before, old) != model(now, new) {
        add(changed("its model", model(before, old), model(now, new)));
    }
    let wires = |plan: &Plan, stage: &StagePlan| input_text(plan, &stage.input);
    if wires(before, old) != wires(now, new) {
        add(format!("its wires changed: `in` was {}, now it is {}", wires(before, old), wires(now, new)));
    }
    let for_each = |plan: &Plan, stage: &StagePlan| {
        stage.for_each.as_ref().map_or_else(|| "absent".to_owned(), |wire| format!("`{}`", plan.wire_text(wire)))
    };
    if for_each(before, old) != for_each(now, new) {
        add(changed("`for_each`", for_each(before, old), for_each(now, new)));
    }
    let when = |plan: &Plan, stage: &StagePlan| match &stage.when {
        Some(when) => format!("`{}` {}", plan.wire_text(&when.wire), when.condition.words()),
        None => "absent".to_owned(),
    };
    if when(before, old) != when(now, new) {
        add(changed("`when`", when(before, old), when(now, new)));
    }
    if old.repeat != new.repeat {
        add(changed("`repeat`", format!("{:?}", old.repeat), format!("{:?}", new.repeat)));
    }
    if old.policy.on_error != new.policy.on_error {
        let name = |stage: &StagePlan| serde_json::to_value(stage.policy.on_error).unwrap_or_default().to_string();
        add(changed("`on_error`", name(old), name(new)));
    }
    match (&old.route, &new.route) {
        (Some(old), Some(new)) => {
            if let Some(what) = route_differs(old, new) {
                add(what);
            }
        }
        (None, None) => {}
        (None, Some(_)) => add("it was not routed, now it is".to_owned()),
        (Some(_), None) => add("it was routed, now it is not".to_owned()),
    }
}

/// What tells a stage's `with` table apart, without the keys that are searched: each trial has values of its own there.
fn without_searched(plan: &Plan, stage: &StagePlan) -> Value {
    let mut config = stage.config_identity();
    let space = plan.search.iter().flat_map(|search| &search.study.space);
    let keys = space.filter_map(|key| key.name.strip_prefix(&stage.name)?.strip_prefix('.'));
    for key in keys {
        let (table, key) = key.rsplit_once('.').map_or(("", key), |(table, key)| (table, key));
        let pointer: String = table.split('.').filter(|step| !step.is_empty()).map(|step| format!("/{step}")).collect();
        if let Some(table) = config.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            table.remove(key);
        }
    }
    config
}

fn route_differs(old: &RoutePlan, new: &RoutePlan) -> Option<String> {
    if let Some(what) = extension_differs(&old.extension, &new.extension) {
        return Some(format!("the policy of its route: {what}"));
    }
    if let Some(what) = config_differs(&old.config_identity(), (&new.config_identity(), &new.config)) {
        return Some(format!("the policy of its route: {what}"));
    }
    let names = |route: &RoutePlan| route.arms.iter().map(|arm| arm.arm.name.as_str()).collect::<Vec<_>>().join(", ");
    if names(old) != names(new) {
        return Some(changed("its arms", names(old), names(new)));
    }
    for (old, new) in old.arms.iter().zip(&new.arms) {
        let config = config_differs(&old.config_identity(), (&new.config_identity(), &new.config));
        if let Some(what) = config {
            return Some(format!("its arm `{}`: {what}", new.arm.name));
        }
    }
    let same = (&old.context, &old.reward, &old.objectives) == (&new.context, &new.reward, &new.objectives);
    (!same).then(|| "what its route reads or learns from changed".to_owned())
}

/// The wires of an input, as they are written.
fn input_text(plan: &Plan, input: &InputExpr) -> String {
    match input {
        InputExpr::Wire(wire) => format!("`{}`", plan.wire_text(wire)),
        InputExpr::Constant(value) => value.to_string(),
        InputExpr::List(list) => {
            format!("[{}]", list.iter().map(|input| input_text(plan, input)).collect::<Vec<_>>().join(", "))
        }
        InputExpr::Table(table) => {
            let entry = |key: &str, value: &InputExpr| format!("{key} = {}", input_text(plan, value));
            let entries: Vec<String> = table.iter().map(|one| entry(&one.key, &one.value)).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// How the search differs, if it does: further trials are no difference.
fn search_differs(before: &Plan, now: &Plan) -> Option<String> {
    let (old, new) = match (&before.search, &now.search) {
        (Some(old), Some(new)) => (old, new),
        (None, None) => return None,
        (None, Some(_)) => return Some("there was no search, now there is one".to_owned()),
        (Some(_), None) => return Some("there was a search, now there is none".to_owned()),
    };
    if let Some(what) = plugin_differs(&old.extension, &new.extension) {
        return Some(format!("the policy of the search: {what}"));
    }
    if old.extension != new.extension {
        return Some(format!("the search used `{}`, now it uses `{}`", old.extension.name, new.extension.name));
    }
    if let Some(what) = config_differs(&old.config_identity(), (&new.config_identity(), &new.config)) {
        return Some(format!("the search: {what}"));
    }
    let key_of = |plan: &SearchPlan, name: &str| plan.study.space.iter().find(|key| key.name == name).cloned();
    for key in old.study.space.iter().chain(&new.study.space) {
        match (key_of(old, &key.name), key_of(new, &key.name)) {
            (Some(_), None) => return Some(format!("`{}` was searched, now it is not", key.name)),
            (None, Some(_)) => return Some(format!("`{}` was not searched, now it is", key.name)),
            (old, new) if old != new => return Some(format!("the range or the choices of `{}` changed", key.name)),
            _ => {}
        }
    }
    let what = if old.study.space != new.study.space {
        "the order of the keys that are searched"
    } else if old.objectives != new.objectives {
        "what the search makes less or more"
    } else if old.reports != new.reports {
        "what a trial reports"
    } else if old.points != new.points {
        "the points that are tried first"
    } else if old.in_flight != new.in_flight {
        "`in_flight` of the search"
    } else {
        return None;
    };
    Some(format!("{what} changed"))
}

/// How an extension differs: by name, by the plugin that has it, or by its code.
fn extension_differs(old: &ExtensionRef, new: &ExtensionRef) -> Option<String> {
    let name = |extension: &ExtensionRef| match extension.plugin.as_str() {
        BUNDLED => format!("`{}`", extension.name),
        plugin => format!("`{plugin}/{}`", extension.name),
    };
    if name(old) != name(new) {
        return Some(format!("it uses another extension: {}, which was {}", name(new), name(old)));
    }
    if old.version != new.version {
        return Some(changed(&format!("the version of {}", name(new)), &old.version, &new.version));
    }
    plugin_differs(old, new).map(str::to_owned)
}

/// How the code behind an extension differs, if it does.
fn plugin_differs(old: &ExtensionRef, new: &ExtensionRef) -> Option<&'static str> {
    let linked_in = |extension: &ExtensionRef| extension.plugin == BUNDLED;
    match old.digest != new.digest {
        true if linked_in(old) && linked_in(new) => {
            Some("it is part of the program, and this program is another build than the one that made the run")
        }
        true => Some("its plugin has another digest"),
        false => None,
    }
}

/// What differs between two configurations: the files that changed, by their paths, and the keys, old and new.
fn config_differs(old: &Value, (new, config): (&Value, &Value)) -> Option<String> {
    let found = changes(old, new);
    if found.is_empty() {
        return None;
    }
    let file = |change: &Change| {
        let pointer = change.place.strip_suffix(".sha256")?.replace(['.', '['], "/").replace(']', "");
        config.pointer(&format!("/{}", pointer.trim_start_matches('/')))?["path"].as_str().map(str::to_owned)
    };
    let (files, keys): (Vec<_>, Vec<_>) = found.iter().partition(|change| file(change).is_some());
    let mut words: Vec<String> = files
        .into_iter()
        .filter_map(|change| Some(format!("what lies at `{}`, which its `with` table names, changed", file(change)?)))
        .collect();
    if !keys.is_empty() {
        let keys: Vec<String> = keys.into_iter().map(shown).collect();
        words.push(format!("its `with` table changed: {}", keys.join(", ")));
    }
    Some(mask_secrets(&words.join(", and ")).into_owned())
}
