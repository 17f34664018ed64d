//! Checks the configurations of stages with the values of a search against their schemas.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Dimension, Domain, Values, step_value};
use serde_json::Value;

use crate::{
    check::{
        checker::Checker,
        config::ConfigSchema,
        files,
        found::{CheckedConfig, SearchedKey, SpaceFound},
    },
    diagnostics::{Diagnostic, Span},
    parsed::{ParsedDimension, ParsedSearch},
    plan::pointer,
    syntax::{Key, Node, Table, Value as Toml},
};
use jackfield_loader::ExtensionEntry;

/// A value of one key, which is checked against the schema of its stage's configuration.
struct Probe {
    node: Node,
    /// Whether it only shows that numbers between integers occur.
    is_between_integers: bool,
}

impl<'a> Checker<'a> {
    /// Sets the ends of each range, a number between them, and each choice in its stage's configuration, and checks that against
    /// the schema. The stage is then configured with the first value of each key that is always searched.
    ///
    /// Gives back the configurations that were tried, each with its stage.
    pub(crate) fn check_overlays(&mut self, search: &ParsedSearch, space: &SpaceFound) -> Vec<(usize, Value)> {
        let mut tried_configs = Vec::new();
        let mut validators = BTreeMap::new();
        for (&stage, &span) in &space.stages {
            let Some((_, entry)) = self.extensions[stage] else { continue };
            if let Ok(validator) = jsonschema::validator_for(&entry.descriptor.config) {
                validators.insert(stage, (entry, validator));
            }
            self.set_base_config(search, space, stage, span);
        }
        // If the space is wrong, the values of other keys may be wrong for that reason.
        for at in 0..if space.whole { space.keys.len() } else { 0 } {
            let key = &space.keys[at];
            let Some((entry, validator)) = validators.get(&key.stage) else { continue };
            let span = self.with_span(key.stage, space);
            let parsed = &search.space[key.parsed];
            for probe in probes(&key.dimension, parsed) {
                let values = assignment(search, space, Some((at, probe.node.clone())));
                let node = self.with_values_set(key.stage, key.span, space, &values);
                let known = self.diagnostics.len();
                let value = self.check_overlaid(&node, ConfigSchema { entry, validator }, span);
                let added = self.diagnostics.split_off(known);
                let is_fine = added.is_empty();
                self.report_probe(key, parsed, &probe, added);
                if is_fine && let Some(value) = value {
                    self.check_that_no_file_is_picked(key, entry, &value);
                    let found = self.templates_of(&entry.descriptor.config, Some(&node), &value, span);
                    let templates = self.configs[key.stage].templates.take();
                    self.configs[key.stage].templates =
                        templates.zip(found).map(|(known, added)| [known, added].concat());
                    tried_configs.push((key.stage, value));
                }
            }
        }
        tried_configs
    }

    /// What the stage is configured with before a trial's values are known: its own `with`, and of each key that is always
    /// searched the first value. Whether it is complete is checked with the values of all keys.
    fn set_base_config(&mut self, search: &ParsedSearch, space: &SpaceFound, stage: usize, span: Span) {
        let parsed = &self.parsed.stages[stage];
        let uses = parsed.uses.as_ref().map_or(parsed.name.span, |uses| uses.span);
        let Some((_, entry)) = self.extensions[stage] else { return };
        if !space.whole {
            // A key that is missing may be one whose range is wrong.
            let known = self.diagnostics.len();
            let config = self.with_table(parsed.with.as_ref(), Some(entry), parsed.name.span, uses);
            let added = self.diagnostics.split_off(known);
            self.diagnostics.extend(added.into_iter().filter(|diagnostic| diagnostic.code != "missing-key"));
            self.configs[stage] = config;
            return;
        }
        let values = assignment(search, space, None);
        let node = self.with_values_set(stage, span, space, &values);
        let value = node.to_json(&mut Vec::new());
        let keys = values.iter().map(|(at, _)| &space.keys[*at]).filter(|key| key.stage == stage);
        let keys: Vec<&SearchedKey> = keys.collect();
        // Files are not read for values that are refused further on.
        if keys.iter().any(|key| files::names_a_file(&entry.descriptor.config, &value, &pointer(&key.path))) {
            self.configs[stage] = CheckedConfig { value, ..CheckedConfig::default() };
            return;
        }
        let at = self.with_span(stage, space);
        let mut config = self.with_table(Some(&(at, node)), Some(entry), parsed.name.span, uses);
        let written = parsed.with.as_ref().map(|(_, node)| node.to_json(&mut Vec::new()));
        for key in keys.iter().filter(|key| key.dimension.when.is_some()) {
            restore(&mut config.value, written.as_ref(), &key.path);
        }
        self.configs[stage] = config;
    }

    /// Where a missing key of a stage's configuration is reported: at its `with`, or at the first of its keys that are searched.
    fn with_span(&self, stage: usize, space: &SpaceFound) -> Span {
        let parsed = &self.parsed.stages[stage];
        let first = space.stages.get(&stage).copied().unwrap_or(parsed.name.span);
        parsed.with.as_ref().map_or(first, |(key, _)| *key)
    }

    /// A stage's `with` with these values set in it.
    fn with_values_set(&self, stage: usize, span: Span, space: &SpaceFound, values: &[(usize, Node)]) -> Node {
        let mut with = match &self.parsed.stages[stage].with {
            Some((_, node)) => node.clone(),
            None => Node { span, value: Toml::Table(Table::default()) },
        };
        for (at, node) in values {
            let key = &space.keys[*at];
            if key.stage == stage {
                set_at_path(&mut with, &key.path, key.span, node.clone());
            }
        }
        with
    }

    /// A configuration as JSON, checked against the schema; none if it cannot be JSON.
    fn check_overlaid(&mut self, node: &Node, schema: ConfigSchema<'_>, span: Span) -> Option<Value> {
        let known = self.diagnostics.len();
        let value = node.to_json(&mut self.diagnostics);
        if self.diagnostics.len() > known {
            return None;
        }
        self.against_schema(&value, schema, Some(node), span);
        Some(value)
    }

    /// Adds the diagnostics of a probe, with what they have to do with the search. Those that are there already are left out.
    fn report_probe(&mut self, key: &SearchedKey, parsed: &ParsedDimension, probe: &Probe, added: Vec<Diagnostic>) {
        let name = &key.dimension.name;
        for mut diagnostic in added {
            if probe.is_between_integers {
                // Whether it is within its bounds is checked with the ends of the range.
                if diagnostic.code != "wrong-type" || diagnostic.span != Some(probe.node.span) {
                    continue;
                }
                let message = format!("the range of `{name}` has numbers between integers, and {}", diagnostic.message);
                diagnostic = Diagnostic::at("wrong-type", parsed.node.span, message)
                    .hint("add `integer = true` to the range".to_owned());
            } else if let (Some(min), Some(max)) = (key.dimension.min, key.dimension.max)
                && diagnostic.span == Some(probe.node.span)
            {
                diagnostic = diagnostic.note(format!("`{name}` is searched from {min} to {max}"));
            } else if diagnostic.code == "missing-key"
                || diagnostic.span.is_some_and(|span| span != key.span && !span.is_within(parsed.node.span))
            {
                diagnostic =
                    diagnostic.note(format!("where `{name}` is {}", self.parsed.sources.text(probe.node.span)));
            }
            if !self
                .diagnostics
                .iter()
                .any(|known| known.span == diagnostic.span && known.message == diagnostic.message)
            {
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Reports a key that names a file: files are read when the pipeline is checked, so they cannot be picked later.
    fn check_that_no_file_is_picked(&mut self, key: &SearchedKey, entry: &ExtensionEntry, value: &Value) {
        if !files::names_a_file(&entry.descriptor.config, value, &pointer(&key.path)) {
            return;
        }
        let message = format!("`{}` names a file, but a search cannot pick a file", key.dimension.name);
        let diagnostic = Diagnostic::at("bad-search", key.span, message);
        if !self.diagnostics.iter().any(|known| known.span == diagnostic.span && known.message == diagnostic.message) {
            let hint = "read each file in a stage of its own, and search a key that says which of them is used";
            self.diagnostics.push(diagnostic.hint(hint.to_owned()));
        }
    }
}

/// Values that represent all values of a key.
fn probes(dimension: &Dimension, parsed: &ParsedDimension) -> Vec<Probe> {
    let at_an_end = |node: Node| Probe { node, is_between_integers: false };
    if let Some(choices) = &parsed.choices {
        return choices.iter().cloned().map(at_an_end).collect();
    }
    let (Some(least), Some(greatest)) = (&parsed.min, &parsed.max) else { return Vec::new() };
    let (Some(min), Some(max)) = (dimension.min, dimension.max) else { return Vec::new() };
    let last = match dimension.domain() {
        Ok(Domain::Steps { min, step, count, .. }) => step_value(min, step, count - 1),
        _ => max,
    };
    let mut probes = vec![
        at_an_end(number_node(least.span, min, dimension.integer)),
        at_an_end(number_node(greatest.span, last, dimension.integer)),
    ];
    if !dimension.integer {
        let middle = min + (max - min) / 2.0;
        let offset = if max > min { ((max - min) / 4.0).min(0.25) } else { 0.25 };
        let middle = if middle.fract() == 0.0 { middle + offset } else { middle };
        probes.push(Probe { node: number_node(parsed.node.span, middle, false), is_between_integers: true });
    }
    probes
}

fn number_node(span: Span, number: f64, integer: bool) -> Node {
    Node { span, value: if integer { Toml::Integer(number as i128) } else { Toml::Float(number) } }
}

/// Values of all keys that have one, by index: this one of one key, of the others the first with which that key is searched.
fn assignment(search: &ParsedSearch, space: &SpaceFound, fixed: Option<(usize, Node)>) -> Vec<(usize, Node)> {
    let position = |name: &str| space.keys.iter().position(|key| key.dimension.name == name);
    let mut forced: BTreeMap<usize, Node> = BTreeMap::new();
    let mut next_key = None;
    if let Some((at, node)) = fixed {
        next_key = Some(at);
        forced.insert(at, node);
    }
    while let Some(when) = next_key.and_then(|at| space.keys[at].dimension.when.as_ref()) {
        next_key = position(&when.name);
        if let (Some(at), Some(value)) = (next_key, when.values.first()) {
            forced.insert(at, node_of(search, &space.keys[at], value));
        }
    }
    let (mut known, mut found) = (Values::new(), Vec::new());
    for (at, key) in space.keys.iter().enumerate() {
        if !key.dimension.applies(&known) {
            continue;
        }
        let node = forced.remove(&at).or_else(|| {
            let parsed = &search.space[key.parsed];
            let first = parsed.min.as_ref().zip(key.dimension.min);
            let first = first.map(|(node, min)| number_node(node.span, min, key.dimension.integer));
            first.or_else(|| parsed.choices.as_ref()?.first().cloned())
        });
        let Some(node) = node else { continue };
        known.insert(key.dimension.name.clone(), node.to_json(&mut Vec::new()));
        found.push((at, node));
    }
    found
}

/// A value of a key as it is written, or where the key is.
fn node_of(search: &ParsedSearch, key: &SearchedKey, value: &Value) -> Node {
    let parsed = &search.space[key.parsed];
    let at = key.dimension.choices.iter().position(|choice| choice == value);
    let choice = at.and_then(|at| parsed.choices.as_ref()?.get(at).cloned());
    choice.unwrap_or_else(|| number_node(parsed.node.span, value.as_f64().unwrap_or_default(), key.dimension.integer))
}

/// Sets the value at a path of keys; whatever is not a table on the path becomes one.
fn set_at_path(with: &mut Node, path: &[String], span: Span, node: Node) {
    let Some((first, rest)) = path.split_first() else {
        *with = node;
        return;
    };
    if with.as_table().is_none() {
        *with = Node { span, value: Toml::Table(Table::default()) };
    }
    if let Toml::Table(table) = &mut with.value {
        let inner = table.get(first).cloned();
        let mut inner = inner.unwrap_or(Node { span, value: Toml::Table(Table::default()) });
        set_at_path(&mut inner, rest, span, node);
        table.insert(Key { text: first.clone(), span }, inner);
    }
}

/// Removes a value that was set in what is written, or restores the written one.
fn restore(config: &mut Value, written: Option<&Value>, path: &[String]) {
    let (Some((first, rest)), Some(table)) = (path.split_first(), config.as_object_mut()) else { return };
    let below = written.and_then(|written| written.get(first));
    if !rest.is_empty()
        && let Some(inner) = table.get_mut(first)
    {
        restore(inner, below, rest);
        if below.is_some() || inner.as_object().is_some_and(|inner| !inner.is_empty()) {
            return;
        }
    }
    match below.filter(|_| rest.is_empty()) {
        Some(below) => drop(table.insert(first.clone(), below.clone())),
        None => drop(table.remove(first)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_laid_over_a_table_is_taken_off_again() {
        let off = |mut config: Value, written: Value, path: &[&str]| {
            restore(&mut config, Some(&written), &path.iter().map(ToString::to_string).collect::<Vec<_>>());
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
