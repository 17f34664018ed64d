//! The values of a search, laid over the configurations of stages and held against their schemas.

use std::collections::BTreeMap;

use jackfield_loader::Offer;
use jackfield_plugin_api::{Dimension, Domain, Values, step_value};
use jsonschema::Validator;
use serde_json::Value;

use crate::{
    check::{
        checker::Checker,
        files,
        found::{CheckedConfig, SearchedKey, SpaceFound},
    },
    diagnostics::{Fault, Span},
    draft::{DimensionDraft, SearchDraft},
    plan::pointer,
    syntax::{Key, Node, Table, Value as Toml},
};

/// A value of one key, to be held against the schema of its stage's configuration.
struct Probe {
    node: Node,
    /// Whether it is there to show that numbers between integers occur.
    between: bool,
}

impl<'a> Checker<'a> {
    /// Lays the ends of each range, a number between them, and each choice over its stage's configuration, and holds that
    /// against the schema. What a stage is then configured with has the first value of each key that is always searched.
    ///
    /// Gives back the configurations that were tried, each with its stage.
    pub(crate) fn search_overlays(&mut self, search: &SearchDraft, space: &SpaceFound) -> Vec<(usize, Value)> {
        let mut tried = Vec::new();
        let mut validators = BTreeMap::new();
        for (&stage, &place) in &space.stages {
            let Some((_, offer)) = self.offers[stage] else { continue };
            if let Ok(validator) = jsonschema::validator_for(&offer.descriptor.config) {
                validators.insert(stage, (offer, validator));
            }
            self.configured(search, space, stage, place);
        }
        // A range that is wrong in itself says nothing of what others go with.
        for at in 0..if space.whole { space.keys.len() } else { 0 } {
            let key = &space.keys[at];
            let Some((offer, validator)) = validators.get(&key.stage) else { continue };
            let place = self.with_place(key.stage, space);
            let draft = &search.space[key.draft];
            for probe in probes(&key.dimension, draft) {
                let values = assignment(search, space, Some((at, probe.node.clone())));
                let node = self.laid(key.stage, key.span, space, &values);
                let known = self.faults.len();
                let value = self.held(&node, (*offer, validator), place);
                let added = self.faults.split_off(known);
                let is_fine = added.is_empty();
                self.explained(key, draft, &probe, added);
                if is_fine && let Some(value) = value {
                    self.picks_no_files(key, offer, &value);
                    tried.push((key.stage, value));
                }
            }
        }
        tried
    }

    /// What the stage is configured with before a trial's values are known: its own `with`, and of each key that is always
    /// searched the first value. Whether that is whole is held with those that are searched along with them.
    fn configured(&mut self, search: &SearchDraft, space: &SpaceFound, stage: usize, place: Span) {
        let draft = &self.draft.stages[stage];
        let uses = draft.uses.as_ref().map_or(draft.name.span, |uses| uses.span);
        let Some((_, offer)) = self.offers[stage] else { return };
        if !space.whole {
            // A key that is missing may be one whose range is wrong.
            let known = self.faults.len();
            let config = self.with_table(draft.with.as_ref(), Some(offer), draft.name.span, uses);
            let added = self.faults.split_off(known);
            self.faults.extend(added.into_iter().filter(|fault| fault.code != "missing-key"));
            self.configs[stage] = config;
            return;
        }
        let values = assignment(search, space, None);
        let node = self.laid(stage, place, space, &values);
        let value = node.to_json(&mut Vec::new());
        let keys = values.iter().map(|(at, _)| &space.keys[*at]).filter(|key| key.stage == stage);
        let keys: Vec<&SearchedKey> = keys.collect();
        // Files are not read for values that are refused further on.
        if keys.iter().any(|key| files::is_named_at(&offer.descriptor.config, &value, &pointer(&key.path))) {
            self.configs[stage] = CheckedConfig { value, ..CheckedConfig::default() };
            return;
        }
        let at = self.with_place(stage, space);
        let mut config = self.with_table(Some(&(at, node)), Some(offer), draft.name.span, uses);
        let written = draft.with.as_ref().map(|(_, node)| node.to_json(&mut Vec::new()));
        for key in keys.iter().filter(|key| key.dimension.when.is_some()) {
            take_off(&mut config.value, written.as_ref(), &key.path);
        }
        self.configs[stage] = config;
    }

    /// Where a key is missed that a stage's configuration lacks: at its `with`, or at the first of its keys that are searched.
    fn with_place(&self, stage: usize, space: &SpaceFound) -> Span {
        let draft = &self.draft.stages[stage];
        let first = space.stages.get(&stage).copied().unwrap_or(draft.name.span);
        draft.with.as_ref().map_or(first, |(key, _)| *key)
    }

    /// A stage's `with` with these values laid over it.
    fn laid(&self, stage: usize, place: Span, space: &SpaceFound, values: &[(usize, Node)]) -> Node {
        let mut with = match &self.draft.stages[stage].with {
            Some((_, node)) => node.clone(),
            None => Node { span: place, value: Toml::Table(Table::default()) },
        };
        for (at, node) in values {
            let key = &space.keys[*at];
            if key.stage == stage {
                lay_over(&mut with, &key.path, key.span, node.clone());
            }
        }
        with
    }

    /// A configuration as JSON, held against the schema; none if it cannot be JSON.
    fn held(&mut self, node: &Node, (offer, validator): (&Offer, &Validator), place: Span) -> Option<Value> {
        let known = self.faults.len();
        let value = node.to_json(&mut self.faults);
        if self.faults.len() > known {
            return None;
        }
        self.against_schema(&value, (offer, validator), Some(node), place);
        Some(value)
    }

    /// Adds the faults of a probe, with what they have to do with the search. Those that are there already are left out.
    fn explained(&mut self, key: &SearchedKey, draft: &DimensionDraft, probe: &Probe, added: Vec<Fault>) {
        let name = &key.dimension.name;
        for mut fault in added {
            if probe.between {
                // Whether it is within its bounds, the ends tell.
                if fault.code != "wrong-type" || fault.place != Some(probe.node.span) {
                    continue;
                }
                let message = format!("the range of `{name}` has numbers between integers, and {}", fault.message);
                fault = Fault::at("wrong-type", draft.node.span, message)
                    .hint("add `integer = true` to the range".to_owned());
            } else if let (Some(min), Some(max)) = (key.dimension.min, key.dimension.max)
                && fault.place == Some(probe.node.span)
            {
                fault = fault.note(format!("`{name}` is searched from {min} to {max}"));
            } else if fault.code == "missing-key"
                || fault.place.is_some_and(|place| place != key.span && !within(place, draft.node.span))
            {
                fault = fault.note(format!("where `{name}` is {}", self.draft.sources.text(probe.node.span)));
            }
            if !self.faults.iter().any(|known| known.place == fault.place && known.message == fault.message) {
                self.faults.push(fault);
            }
        }
    }

    /// What a file holds is read when the pipeline is, and so cannot be picked later.
    fn picks_no_files(&mut self, key: &SearchedKey, offer: &Offer, value: &Value) {
        if !files::is_named_at(&offer.descriptor.config, value, &pointer(&key.path)) {
            return;
        }
        let message = format!("`{}` names a file, and a search picks none", key.dimension.name);
        let fault = Fault::at("bad-search", key.span, message);
        if !self.faults.iter().any(|known| known.place == fault.place && known.message == fault.message) {
            let hint = "read each file in a stage of its own, and search a key that says which of them is used";
            self.faults.push(fault.hint(hint.to_owned()));
        }
    }
}

/// What stands for all values of a key.
fn probes(dimension: &Dimension, draft: &DimensionDraft) -> Vec<Probe> {
    let at_end = |node: Node| Probe { node, between: false };
    if let Some(choices) = &draft.choices {
        return choices.iter().cloned().map(at_end).collect();
    }
    let (Some(least), Some(greatest)) = (&draft.min, &draft.max) else { return Vec::new() };
    let (Some(min), Some(max)) = (dimension.min, dimension.max) else { return Vec::new() };
    let last = match dimension.domain() {
        Ok(Domain::Steps { min, step, count, .. }) => step_value(min, step, count - 1),
        _ => max,
    };
    let mut probes = vec![
        at_end(numbered(least.span, min, dimension.integer)),
        at_end(numbered(greatest.span, last, dimension.integer)),
    ];
    if !dimension.integer {
        let middle = min + (max - min) / 2.0;
        let aside = if max > min { ((max - min) / 4.0).min(0.25) } else { 0.25 };
        let middle = if middle.fract() == 0.0 { middle + aside } else { middle };
        probes.push(Probe { node: numbered(draft.node.span, middle, false), between: true });
    }
    probes
}

fn numbered(span: Span, number: f64, integer: bool) -> Node {
    Node { span, value: if integer { Toml::Integer(number as i128) } else { Toml::Float(number) } }
}

/// Values of all keys that have one, by index: this one of one key, of the others the first with which that key is searched.
fn assignment(search: &SearchDraft, space: &SpaceFound, fixed: Option<(usize, Node)>) -> Vec<(usize, Node)> {
    let place = |name: &str| space.keys.iter().position(|key| key.dimension.name == name);
    let mut forced: BTreeMap<usize, Node> = BTreeMap::new();
    let mut on = None;
    if let Some((at, node)) = fixed {
        on = Some(at);
        forced.insert(at, node);
    }
    while let Some(when) = on.and_then(|at| space.keys[at].dimension.when.as_ref()) {
        on = place(&when.name);
        if let (Some(at), Some(value)) = (on, when.values.first()) {
            forced.insert(at, node_of(search, &space.keys[at], value));
        }
    }
    let (mut known, mut found) = (Values::new(), Vec::new());
    for (at, key) in space.keys.iter().enumerate() {
        if !key.dimension.applies(&known) {
            continue;
        }
        let node = forced.remove(&at).or_else(|| {
            let draft = &search.space[key.draft];
            let first = draft.min.as_ref().zip(key.dimension.min);
            let first = first.map(|(node, min)| numbered(node.span, min, key.dimension.integer));
            first.or_else(|| draft.choices.as_ref()?.first().cloned())
        });
        let Some(node) = node else { continue };
        known.insert(key.dimension.name.clone(), node.to_json(&mut Vec::new()));
        found.push((at, node));
    }
    found
}

/// A value of a key as it is written, or where the key is.
fn node_of(search: &SearchDraft, key: &SearchedKey, value: &Value) -> Node {
    let draft = &search.space[key.draft];
    let at = key.dimension.choices.iter().position(|choice| choice == value);
    let choice = at.and_then(|at| draft.choices.as_ref()?.get(at).cloned());
    choice.unwrap_or_else(|| numbered(draft.node.span, value.as_f64().unwrap_or_default(), key.dimension.integer))
}

/// Puts a value at the end of a way of keys; whatever is no table on the way becomes one.
fn lay_over(with: &mut Node, path: &[String], place: Span, node: Node) {
    let Some((first, rest)) = path.split_first() else {
        *with = node;
        return;
    };
    if with.as_table().is_none() {
        *with = Node { span: place, value: Toml::Table(Table::default()) };
    }
    if let Toml::Table(table) = &mut with.value {
        let inner = table.get(first).cloned();
        let mut inner = inner.unwrap_or(Node { span: place, value: Toml::Table(Table::default()) });
        lay_over(&mut inner, rest, place, node);
        table.put(Key { text: first.clone(), span: place }, inner);
    }
}

/// Takes a value off again that was laid over what is written.
fn take_off(config: &mut Value, written: Option<&Value>, path: &[String]) {
    let (Some((first, rest)), Some(table)) = (path.split_first(), config.as_object_mut()) else { return };
    let below = written.and_then(|written| written.get(first));
    if !rest.is_empty()
        && let Some(inner) = table.get_mut(first)
    {
        take_off(inner, below, rest);
        if below.is_some() || inner.as_object().is_some_and(|inner| !inner.is_empty()) {
            return;
        }
    }
    match below.filter(|_| rest.is_empty()) {
        Some(below) => drop(table.insert(first.clone(), below.clone())),
        None => drop(table.remove(first)),
    }
}

fn within(place: Span, outer: Span) -> bool {
    place.source == outer.source && place.start >= outer.start && place.end <= outer.end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_laid_over_a_table_is_taken_off_again() {
        let off = |mut config: Value, written: Value, path: &[&str]| {
            take_off(&mut config, Some(&written), &path.iter().map(ToString::to_string).collect::<Vec<_>>());
            config
        };
        assert_eq!(off(json!({"a": 1, "b": 2}), json!({"a": 3}), &["a"]), json!({"a": 3, "b": 2}));
        assert_eq!(off(json!({"a": 1, "b": 2}), json!({}), &["a"]), json!({"b": 2}));
        assert_eq!(off(json!({"a": {"b": 1}}), json!({}), &["a", "b"]), json!({}));
        assert_eq!(off(json!({"a": {"b": 1}}), json!({"a": {}}), &["a", "b"]), json!({"a": {}}));
        assert_eq!(off(json!({"a": {"b": 1, "c": 2}}), json!({}), &["a", "b"]), json!({"a": {"c": 2}}));
        assert_eq!(off(json!({"a": {"b": 1}}), json!({"a": {"b": 5}}), &["a", "b"]), json!({"a": {"b": 5}}));
    }
}
