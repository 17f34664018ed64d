//! The space of a search: which keys of which stages, what values each may have, and points of it.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Condition, Dimension, Domain, Values, step_value};
use serde_json::{Value, json};

use super::Checker;
use crate::pipeline::{
    faults::Fault,
    plan::Step,
    search_draft::{DimensionDraft, SearchDraft, number},
    search_plan::SearchTarget,
    source::Span,
    suggest,
    tree::{Key, Value as Toml},
};

/// The keys that are searched, what a condition is on before what depends on it.
#[derive(Default)]
pub(super) struct SpaceFound {
    pub(super) keys: Vec<SearchedKey>,
    /// The stages that are searched, each with where the first of its keys stands: those too of whose keys none is as it
    /// should be.
    pub(super) stages: BTreeMap<usize, Span>,
    /// Whether that is all of the space: nothing of it is wrong.
    pub(super) whole: bool,
}

/// A key of a stage that is searched.
pub(super) struct SearchedKey {
    pub(super) dimension: Dimension,
    /// The stage, by index in the draft.
    pub(super) stage: usize,
    /// The way to the key from the stage's `with`.
    pub(super) path: Vec<String>,
    /// Where its name stands.
    pub(super) span: Span,
    /// What was written for it, by index in the draft.
    pub(super) draft: usize,
}

impl SpaceFound {
    /// The dimensions, in the order of the study.
    pub(super) fn dimensions(&self) -> Vec<Dimension> {
        self.keys.iter().map(|key| key.dimension.clone()).collect()
    }

    /// Which key of which stage each dimension is.
    pub(super) fn targets(&self, places: &[usize]) -> Vec<SearchTarget> {
        let target = |key: &SearchedKey| SearchTarget {
            stage: places[key.stage],
            dimension: key.dimension.name.clone(),
            path: key.path.clone(),
        };
        self.keys.iter().map(target).collect()
    }

    /// What keeps an object from being the values of a trial, if anything does.
    pub(super) fn refuses(&self, params: &Value) -> Option<String> {
        let mut values = Values::new();
        for key in self.keys.iter().filter(|_| self.whole) {
            let name = &key.dimension.name;
            let given = params.get(name);
            if let Some(value) = given {
                let Some(value) = canonical(&key.dimension, value) else {
                    return Some(format!("`{name}` is never {value}: {}", allowed(&key.dimension)));
                };
                values.insert(name.clone(), value);
            }
            match (key.dimension.applies(&values), given) {
                (true, None) => return Some(format!("it has no value of `{name}`")),
                (false, Some(_)) => return Some(format!("it has a value of `{name}`, whose `when` does not hold")),
                _ => {}
            }
        }
        None
    }
}

impl Checker<'_> {
    /// Checks the space.
    pub(super) fn space(&mut self, search: &SearchDraft) -> SpaceFound {
        let before = self.faults.len();
        if let Some(at) = search.space_at.filter(|_| search.space.is_empty()) {
            let fault = Fault::at("bad-search", at, "the space has no key to search");
            self.faults.push(fault.hint("such as `\"STAGE.KEY\" = { min = 0.0, max = 1.0 }`".to_owned()));
        }
        let mut keys: Vec<SearchedKey> = Vec::new();
        let mut is_whole = !search.space.is_empty();
        for (index, draft) in search.space.iter().enumerate() {
            let key = self.searched_key(draft).and_then(|(stage, path)| {
                let dimension = self.dimension(draft)?;
                Some(SearchedKey { dimension, stage, path, span: draft.name.span, draft: index })
            });
            let Some(key) = key else {
                is_whole = false;
                continue;
            };
            let inside = |other: &SearchedKey| {
                let shared = other.path.len().min(key.path.len());
                other.stage == key.stage && other.path[..shared] == key.path[..shared]
            };
            if let Some(other) = keys.iter().find(|other| inside(other)) {
                let message = match other.path.len() == key.path.len() {
                    true => format!("`{}` is searched twice", key.dimension.name),
                    false => format!(
                        "`{}` and `{}` are both searched, and one is inside the other",
                        other.dimension.name, key.dimension.name
                    ),
                };
                let fault = Fault::at("duplicate-name", key.span, message).related(other.span, "the other one");
                self.faults.push(fault);
            } else {
                keys.push(key);
            }
        }
        self.conditions(search, &mut keys);
        let keys = self.conditions_first(keys);
        let named = search.space.iter().rev().filter_map(|draft| {
            let name = draft.name.text.as_ref()?;
            Some((self.stage(&name.source)?, draft.name.span))
        });
        let stages = named.collect();
        SpaceFound { keys, stages, whole: is_whole && self.faults.len() == before }
    }

    /// The stage and the key that a name of the space means.
    fn searched_key(&mut self, draft: &DimensionDraft) -> Option<(usize, Vec<String>)> {
        let name = &draft.name;
        let text = name.text.as_ref()?;
        let head = self.head(name);
        let Some(index) = self.stage(&text.source) else {
            let fault =
                if self.draft.models.iter().any(|model| model.name.text == text.source) || text.source == "model" {
                    let message =
                        format!("`{}` is not of a stage: a search varies keys of the `with` of stages alone", name.raw);
                    let hint = "search a key of a stage that calls the model";
                    Fault::at("unknown-stage", head, message).hint(hint.to_owned())
                } else {
                    let hint = suggest::hint_for(&text.source, "known stages", self.names());
                    Fault::at("unknown-stage", head, format!("there is no stage `{}`", text.source)).hint(hint)
                };
            self.faults.push(fault);
            return None;
        };
        let stage = &self.draft.stages[index];
        let bad = |message: String| Fault::at("bad-search", name.span, message);
        if text.path.is_empty() {
            let hint = format!("write `\"{}.KEY\" = ...`, in quotes", name.raw);
            self.faults
                .push(bad(format!("`{}` is a stage, and a search varies keys of its `with`", name.raw)).hint(hint));
            return None;
        }
        let mut path = Vec::new();
        for step in &text.path {
            let Step::Field(key) = step else {
                let message = format!("`{}` is an element of a list, and a search varies keys", name.raw);
                self.faults.push(bad(message).hint("let the list as a whole be one of the choices".to_owned()));
                return None;
            };
            path.push(key.clone());
        }
        if let Some(route) = &stage.route {
            let message =
                format!("stage `{}` has a route, and is searched: its `with` cannot be picked twice", text.source);
            let fault = bad(message).related(route.span, "the route");
            self.faults.push(fault.hint("keep one of them".to_owned()));
            return None;
        }
        if stage.export.is_some() {
            let message =
                format!("stage `{}` runs when an item is exported, and a search varies what trials run", text.source);
            self.faults.push(bad(message).hint("let it read `input.params` instead".to_owned()));
            return None;
        }
        Some((index, path))
    }

    /// What a key may be; none if that is no range and no list, which is reported.
    fn dimension(&mut self, draft: &DimensionDraft) -> Option<Dimension> {
        if draft.is_malformed() {
            return None;
        }
        let name = &draft.name.raw;
        let before = self.faults.len();
        let choices: Option<Vec<Value>> =
            draft.choices.as_ref().map(|list| list.iter().map(|node| node.to_json(&mut self.faults)).collect());
        if self.faults.len() > before {
            return None;
        }
        let fault = |span: Span, message: String| Fault::at("bad-search", span, message);
        let ranged = draft.min.is_some() || draft.max.is_some();
        let mut faults = Vec::new();
        match (&draft.choices, ranged) {
            (Some(_), true) => {
                let message = format!("`{name}` has both a range and choices");
                faults.push(fault(draft.node.span, message).hint("keep one of them".to_owned()));
            }
            (None, false) => {
                let message = format!("`{name}` has neither a range nor choices");
                let hint = "write `{ min = 0.0, max = 1.0 }`, or a list of values";
                faults.push(fault(draft.node.span, message).hint(hint.to_owned()));
            }
            (Some(list), false) if list.is_empty() => {
                let message = format!("`{name}` has no value to choose from");
                faults.push(fault(draft.node.span, message).hint(format!("such as `\"{name}\" = [0.95, 1.0]`")));
            }
            (Some(list), false) => {
                let values = choices.as_deref().unwrap_or_default();
                for (at, value) in values.iter().enumerate() {
                    if let Some(first) = values[..at].iter().position(|earlier| is_same(earlier, value)) {
                        let fault = Fault::at("duplicate-name", list[at].span, format!("`{name}` has a choice twice"));
                        faults.push(fault.related(list[first].span, "the first one"));
                    }
                }
                if draft.log || draft.step.is_some() || draft.integer {
                    let message = format!("`{name}` has choices, and `log`, `step` and `integer` are for ranges");
                    faults.push(fault(draft.node.span, message).hint("leave them out".to_owned()));
                }
            }
            (None, true) => faults = range_faults(draft),
        }
        let dimension = Dimension {
            name: name.clone(),
            min: draft.min.as_ref().and_then(number),
            max: draft.max.as_ref().and_then(number),
            log: draft.log,
            step: draft.step.as_ref().and_then(number),
            integer: draft.integer,
            choices: choices.unwrap_or_default(),
            when: None,
        };
        // Whatever is left: the contract's own rule holds.
        if faults.is_empty()
            && let Err(failure) = dimension.domain()
        {
            faults.push(fault(draft.node.span, failure.message().replace("` of the space: ", "` ")));
        }
        let is_fine = faults.is_empty();
        self.faults.extend(faults);
        is_fine.then_some(dimension)
    }

    /// What has to hold for a key to be searched.
    fn conditions(&mut self, search: &SearchDraft, keys: &mut [SearchedKey]) {
        for at in 0..keys.len() {
            let Some((span, entries)) = &search.space[keys[at].draft].when else { continue };
            let name = keys[at].dimension.name.clone();
            let [(key, node)] = entries.as_slice() else {
                let message = format!("`when` of `{name}` names {} keys, and it is a condition on one", entries.len());
                let hint = "such as `when = { \"STAGE.KEY\" = \"value\" }`";
                self.faults.push(Fault::at("bad-search", *span, message).hint(hint.to_owned()));
                continue;
            };
            let Some(on) = self.condition_on(search, keys, &name, key) else { continue };
            let before = self.faults.len();
            let value = node.to_json(&mut self.faults);
            if self.faults.len() > before {
                continue;
            }
            let on = &keys[on].dimension;
            let listed = match (&value, &node.value) {
                (Value::Array(values), Toml::List(nodes)) if canonical(on, &value).is_none() => {
                    values.iter().cloned().zip(nodes.iter().map(|node| node.span)).collect()
                }
                _ => vec![(value, node.span)],
            };
            let mut is = Vec::new();
            for (value, span) in &listed {
                match canonical(on, value) {
                    Some(value) => is.push(value),
                    None => {
                        let message = format!("`{name}` depends on `{}` being {value}, which it never is", on.name);
                        self.faults.push(Fault::at("bad-search", *span, message).hint(allowed(on)));
                    }
                }
            }
            if listed.is_empty() {
                let message = format!("`when` of `{name}` has no value for which it holds");
                self.faults.push(Fault::at("bad-search", node.span, message));
            }
            let name = on.name.clone();
            keys[at].dimension.when = Some(Condition { name, values: is });
        }
    }

    /// The key that a condition is on.
    fn condition_on(&mut self, search: &SearchDraft, keys: &[SearchedKey], name: &str, key: &Key) -> Option<usize> {
        if key.text == name {
            let message = format!("`{name}` depends on itself");
            let hint = "name another key of the space in `when`";
            self.faults.push(Fault::at("bad-search", key.span, message).hint(hint.to_owned()));
            return None;
        }
        let found = keys.iter().position(|other| other.dimension.name == key.text);
        // One that is wrong is reported where it stands.
        if found.is_none() && !search.space.iter().any(|other| other.name.raw == key.text) {
            let message = format!("`{name}` depends on `{}`, which is not a key of the space", key.text);
            let others = keys.iter().map(|other| other.dimension.name.as_str()).filter(|other| *other != name);
            let hint = suggest::hint_for(&key.text, "other keys of the space", others);
            self.faults.push(Fault::at("bad-search", key.span, message).hint(hint));
        }
        found
    }

    /// The keys with what a condition is on before what depends on it, and else as they stand.
    fn conditions_first(&mut self, keys: Vec<SearchedKey>) -> Vec<SearchedKey> {
        let on = |at: usize| {
            let when = keys[at].dimension.when.as_ref()?;
            keys.iter().position(|other| other.dimension.name == when.name)
        };
        let (mut order, mut placed) = (Vec::new(), vec![false; keys.len()]);
        for start in 0..keys.len() {
            let mut chain = Vec::new();
            let mut next = Some(start);
            while let Some(at) = next.filter(|at| !placed[*at]) {
                if let Some(first) = chain.iter().position(|seen| *seen == at) {
                    let names = chain[first..].iter().chain([&at]).map(|at| keys[*at].dimension.name.as_str());
                    let names: Vec<&str> = names.collect();
                    let message =
                        format!("keys of the space depend on each other in a circle: `{}`", names.join(" -> "));
                    let hint = "take `when` off one of them".to_owned();
                    self.faults.push(Fault::at("cycle", keys[at].span, message).hint(hint));
                    break;
                }
                chain.push(at);
                next = on(at);
            }
            for at in chain.into_iter().rev() {
                if !std::mem::replace(&mut placed[at], true) {
                    order.push(at);
                }
            }
        }
        let mut keys: Vec<Option<SearchedKey>> = keys.into_iter().map(Some).collect();
        order.into_iter().filter_map(|at| keys[at].take()).collect()
    }

    /// The points that are tried first.
    pub(super) fn points(&mut self, search: &SearchDraft, space: &SpaceFound) -> Vec<Values> {
        let mut points = Vec::new();
        let names: Vec<&str> = space.keys.iter().map(|key| key.dimension.name.as_str()).collect();
        for node in &search.points {
            let mut values = Values::new();
            let before = self.faults.len();
            for (key, node) in node.as_table().into_iter().flat_map(|table| &table.0) {
                let value = node.to_json(&mut self.faults);
                let Some(found) = space.keys.iter().find(|found| found.dimension.name == key.text) else {
                    if !search.space.iter().any(|other| other.name.raw == key.text) {
                        let message = format!("a point has a value of `{}`, which is not a key of the space", key.text);
                        let hint = suggest::hint_for(&key.text, "keys of the space", names.iter().copied());
                        self.faults.push(Fault::at("bad-search", key.span, message).hint(hint));
                    }
                    continue;
                };
                match canonical(&found.dimension, &value) {
                    Some(value) => drop(values.insert(key.text.clone(), value)),
                    None => {
                        let message = format!("`{}` of a point cannot be {value}", key.text);
                        self.faults.push(Fault::at("bad-search", node.span, message).hint(allowed(&found.dimension)));
                    }
                }
            }
            if self.faults.len() > before || !space.whole {
                continue;
            }
            for key in &space.keys {
                let dimension = &key.dimension;
                let name = &dimension.name;
                match (dimension.applies(&values), values.contains_key(name)) {
                    (true, false) => {
                        let message = format!("a point has no value of `{name}`");
                        self.faults.push(Fault::at("bad-search", node.span, message).hint(allowed(dimension)));
                    }
                    (false, true) => {
                        let message = format!("a point has a value of `{name}`, whose `when` does not hold there");
                        self.faults.push(Fault::at("bad-search", node.span, message).hint("leave it out".to_owned()));
                    }
                    _ => {}
                }
            }
            points.push(values);
        }
        points
    }
}

/// What is wrong with a range.
fn range_faults(draft: &DimensionDraft) -> Vec<Fault> {
    let name = &draft.name.raw;
    let fault = |span: Span, message: String| Fault::at("bad-search", span, message);
    let (Some(least), Some(greatest)) = (&draft.min, &draft.max) else {
        let missing = if draft.min.is_none() { "min" } else { "max" };
        let message = format!("the range of `{name}` has no `{missing}`");
        return vec![fault(draft.node.span, message).hint(format!("add `{missing} = ...`"))];
    };
    let ends = number(least).zip(number(greatest));
    let Some((min, max)) = ends else { return Vec::new() };
    let mut faults = Vec::new();
    if min > max {
        let message = format!("the range of `{name}` is empty: {min} is more than {max}");
        faults.push(fault(least.span, message).hint("`min` is the lesser end".to_owned()));
    }
    if draft.log && min <= 0.0 {
        let message = format!("the range of `{name}` begins at {min}, which has no logarithm");
        faults.push(fault(least.span, message).hint("with `log`, `min` is above 0; or leave `log` out".to_owned()));
    }
    if let Some(step) = &draft.step {
        if number(step).is_some_and(|step| step <= 0.0) {
            let fault = fault(step.span, format!("the step of `{name}` is not above 0"));
            faults.push(fault.hint("leave `step` out for any value of the range".to_owned()));
        } else if draft.log {
            let message = format!("`{name}` has both `log` and `step`");
            faults.push(fault(step.span, message).hint("keep one of them".to_owned()));
        }
    }
    if draft.integer {
        for (what, node) in [("min", Some(least)), ("max", Some(greatest)), ("step", draft.step.as_ref())] {
            if let Some(node) = node.filter(|node| number(node).is_some_and(|number| number.fract() != 0.0)) {
                let message = format!("`{name}` is of integers, and its `{what}` is not one");
                faults.push(fault(node.span, message).hint("round it, or leave `integer` out".to_owned()));
            }
        }
    }
    faults
}

/// The value as the policy would give it; none if it is not one of the dimension's.
fn canonical(dimension: &Dimension, value: &Value) -> Option<Value> {
    let value = match dimension.domain().ok()? {
        Domain::Choices(choices) => choices.iter().find(|choice| is_same(choice, value))?.clone(),
        Domain::Float { .. } | Domain::Steps { integer: false, .. } => json!(value.as_f64()?),
        _ => value.clone(),
    };
    dimension.contains(&value).then_some(value)
}

/// Whether two values are the same: numbers as numbers, however they are written.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

/// What a dimension's values are, for a hint.
fn allowed(dimension: &Dimension) -> String {
    const MOST: usize = 8;
    match dimension.domain() {
        Ok(Domain::Choices(choices)) => {
            let shown: Vec<String> = choices.iter().take(MOST).map(|choice| format!("`{choice}`")).collect();
            let more = choices.len().saturating_sub(MOST);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("`{}` is one of {}{more}", dimension.name, shown.join(", "))
        }
        Ok(Domain::Float { min, max, .. }) => format!("`{}` is from {min} to {max}", dimension.name),
        Ok(Domain::LogIntegers { min, max }) => format!("`{}` is an integer from {min} to {max}", dimension.name),
        Ok(Domain::Steps { min, step, count, integer }) => {
            let max = step_value(min, step, count - 1);
            let number = if integer { "an integer" } else { "a number" };
            let by = if integer && step == 1.0 { String::new() } else { format!(" in steps of {step}") };
            format!("`{}` is {number} from {min} to {max}{by}", dimension.name)
        }
        Err(failure) => failure.message().to_owned(),
    }
}

/// The type of a dimension's values.
pub(super) fn schema_of(dimension: &Dimension) -> Value {
    match dimension.domain() {
        Ok(Domain::Choices(choices)) => json!({ "enum": choices }),
        Ok(Domain::LogIntegers { min, max }) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Ok(_) => {
            let ty = if dimension.integer { "integer" } else { "number" };
            json!({ "type": ty, "minimum": dimension.min, "maximum": dimension.max })
        }
        // It is reported.
        Err(_) => Value::Bool(true),
    }
}
