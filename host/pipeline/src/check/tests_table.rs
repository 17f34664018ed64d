//! Checks `[[tests]]` against the stages and their types, and makes a plan of each.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Kind, Values};
use serde_json::{Value, json};

use super::{checker::Checker, extensions::extension_ref, graph::reads, item_schemas::item_schema, sources::Edge};
use crate::{
    diagnostics::{Diagnostic, suggest},
    keys::is_reserved_stage,
    parsed::{ItemSource, ParsedPipeline, ParsedTest, WireRef},
    plan::{Expectation, Plan, Source, TestItem, TestPlan, TierPlan, Wire, prune},
    schema::{PathErrorReason, Type, schema_violation},
    step::Step,
    syntax::{Node, tree, wire},
};
use jackfield_loader::{Lookup, Registry, sandbox::Limits};

impl<'a> Checker<'a> {
    /// Checks the tests.
    pub(crate) fn check_tests(&mut self, edges: &[Edge]) {
        let parsed = self.parsed;
        // A test brings items of its own: what was seen of others says nothing about them.
        let item = if parsed.seen_items.is_some() { item_schema(parsed) } else { self.item.clone() };
        let mut seen = BTreeMap::new();
        for test in &parsed.tests {
            let name = &test.name.value;
            if let Some(first) = seen.insert(name, test.name.span) {
                let mut diagnostic =
                    Diagnostic::at("duplicate-name", test.name.span, format!("test `{name}` is defined twice"));
                diagnostic.label = "the second one".to_owned();
                diagnostic.related.push((first, "the first one".to_owned()));
                self.diagnostics.push(diagnostic);
            }
            let mut sources = Vec::new();
            for expect in &test.expect {
                if let Some(source) = self.look_up_source(None, &expect.wire) {
                    sources.push(source);
                    let ty = self.wire_type(None, &expect.wire, &item);
                    self.check_part(&ty, &expect.node);
                }
            }
            for (key, _) in &test.fails {
                match self.stage_index(&key.text) {
                    Some(stage) if parsed.stages[stage].export.is_some() => {
                        let message = format!("stage `{}` runs when an item is exported, and in no test", key.text);
                        self.diagnostics.push(Diagnostic::at("export-stage", key.span, message));
                    }
                    Some(stage) => sources.push(Source::Stage(stage)),
                    None if is_reserved_stage(&key.text) => {}
                    None => {
                        let hint = suggest::hint_for(&key.text, "known stages", self.stage_names());
                        let message = format!("there is no stage `{}`", key.text);
                        self.diagnostics.push(Diagnostic::at("unknown-stage", key.span, message).hint(hint));
                    }
                }
            }
            let of_input = |wire: &WireRef| wire.text.as_ref().is_some_and(|text| text.source == "input");
            if test.expect.iter().all(|expect| of_input(&expect.wire)) && test.fails.is_empty() {
                let diagnostic = Diagnostic::at(
                    "missing-key",
                    test.name.span,
                    format!("test `{name}` does not expect anything of a stage"),
                );
                self.diagnostics.push(diagnostic.hint("add `expect = { \"stage.field\" = ... }`".to_owned()));
            }
            self.check_item_of_test(test, self.needs_item(&sources, edges), &item);
        }
    }

    /// Whether what comes from these sources depends on an item.
    fn needs_item(&self, sources: &[Source], edges: &[Edge]) -> bool {
        let reads = reads(self.parsed.stages.len(), edges);
        let mut to_visit: Vec<usize> = Vec::new();
        for source in sources {
            match source {
                Source::Stage(stage) => to_visit.push(*stage),
                Source::Input => return true,
                Source::Each | Source::Spend | Source::Column(_) => {}
            }
        }
        let mut seen = vec![false; reads.len()];
        while let Some(stage) = to_visit.pop() {
            if !std::mem::replace(&mut seen[stage], true) {
                to_visit.extend(&reads[stage]);
            }
        }
        edges.iter().any(|edge| seen[edge.reader] && matches!(edge.source, Source::Input))
    }

    fn check_item_of_test(&mut self, test: &ParsedTest, needed: bool, schema: &Value) {
        let name = &test.name.value;
        let given = test.input.as_ref().map(|(span, _)| *span).or(test.file.as_ref().map(|file| file.span));
        let source = match (&self.parsed.input, given) {
            (None, Some(given)) => {
                let message = format!("test `{name}` gives an item, but the pipeline has no `[input]`");
                return self.diagnostics.push(Diagnostic::at("no-input", given, message));
            }
            (None, None) => return,
            (Some(_), None) if needed => {
                let message = format!("test `{name}` has no `input`, and what it expects depends on an item");
                let hint = "add `input = ...`, the one item of the test".to_owned();
                return self.diagnostics.push(Diagnostic::at("missing-key", test.name.span, message).hint(hint));
            }
            (Some(_), None) => return,
            (Some(input), Some(_)) => input.source.as_ref(),
        };
        if let Some(file) = &test.file {
            let path = self.parsed.folder.join(&file.value);
            if test.input.is_some() {
                let message = format!("test `{name}` has both `input` and `file`");
                let diagnostic = Diagnostic::at("two-items", file.span, message);
                self.diagnostics.push(diagnostic.hint("one item is enough".to_owned()));
            } else if !matches!(source, None | Some(ItemSource::Files { .. })) {
                let message = "`file` is for pipelines whose items are files";
                let hint = "write the item itself: `input = ...`".to_owned();
                self.diagnostics.push(Diagnostic::at("misplaced-key", file.span, message).hint(hint));
            } else if !path.is_file() {
                let message = format!("cannot read the file `{}`: there is no such file", file.value);
                let diagnostic = Diagnostic::at("bad-file", file.span, message);
                self.diagnostics.push(diagnostic.note(format!("it was looked for at `{}`", path.display())));
            }
        }
        // Only the stages know what an item may be that is a line of JSON or a value of the pipeline.
        let strict =
            matches!(source, Some(ItemSource::Files { .. } | ItemSource::Csv { .. } | ItemSource::Trials { .. }));
        if let (Some((span, value)), true) = (&test.input, strict) {
            let value = with_defaults(value, source);
            let mut schema = schema.clone();
            if matches!(source, Some(ItemSource::Files { .. })) {
                schema["additionalProperties"] = json!(false);
            }
            let wrong = jsonschema::validator_for(&schema).ok().and_then(|schema| {
                let error = schema.iter_errors(&value).next()?;
                Some(schema_violation(&error, None, 200))
            });
            let wrong = wrong.or_else(|| self.search.as_ref()?.space().refuses(value.get("params")?));
            if let Some(wrong) = wrong {
                let message = format!("the `input` of test `{name}` is not an item of this pipeline");
                self.diagnostics.push(Diagnostic::at("type-clash", *span, message).label(wrong));
            }
        }
    }

    /// Checks that an expected part can be part of a type.
    fn check_part(&mut self, ty: &Type<'_>, node: &Node) {
        match &node.value {
            tree::Value::Table(table) => {
                for (key, inner) in &table.0 {
                    match ty.follow(&[Step::Field(key.text.clone())]) {
                        Ok(ty) => self.check_part(&ty, inner),
                        Err(path_error) => {
                            let diagnostic = match &path_error.reason {
                                PathErrorReason::NoField(known) => {
                                    let known = known.iter().map(String::as_str);
                                    Diagnostic::at(
                                        "unknown-field",
                                        key.span,
                                        format!("there is no field `{}` here", key.text),
                                    )
                                    .hint(suggest::hint_for(
                                        &key.text,
                                        "its fields",
                                        known,
                                    ))
                                }
                                _ => Diagnostic::at(
                                    "type-clash",
                                    key.span,
                                    "a table is expected, but the value is not a table",
                                )
                                .label(format!("it is `{}`", path_error.found)),
                            };
                            self.diagnostics.push(diagnostic);
                            // The same would be reported for the other keys.
                            if !matches!(path_error.reason, PathErrorReason::NoField(_)) {
                                return;
                            }
                        }
                    }
                }
            }
            tree::Value::List(list) => match ty.elements() {
                Ok(ty) => list.iter().for_each(|inner| self.check_part(&ty, inner)),
                Err(path_error) => {
                    let diagnostic =
                        Diagnostic::at("type-clash", node.span, "a list is expected, but the value is not a list");
                    self.diagnostics.push(diagnostic.label(format!("it is `{}`", path_error.found)));
                }
            },
            _ => {}
        }
    }
}

/// An item of a test, with what the pipeline's source would add to it.
fn with_defaults(value: &Value, source: Option<&ItemSource>) -> Value {
    let mut value = value.clone();
    if let (Some(ItemSource::Files { .. }), Value::Object(map)) = (source, &mut value) {
        for (key, default_value) in [("path", "test.txt"), ("name", "test.txt"), ("text", "")] {
            map.entry(key).or_insert_with(|| json!(default_value));
        }
    }
    if let (Some(ItemSource::Json { .. }), Value::Object(map)) = (source, &mut value) {
        map.entry("id").or_insert_with(|| json!("test"));
    }
    value
}

/// A tier in memory, which is empty when a test begins.
fn empty_tier_of_memory(registry: &Registry) -> Option<TierPlan> {
    let Lookup::Found(plugin, entry) = registry.find(Kind::CacheBackend, "bundled/memory") else { return None };
    Some(TierPlan { extension: extension_ref(plugin, entry), config: json!({}), ttl: None, limits: Limits::of_cache() })
}

/// The plan without its search, and the stages as they are with the values that this item has.
fn one_trial(plan: &Plan, item: Option<&Value>) -> Plan {
    let mut plan_of_trial = plan.clone();
    plan_of_trial.exports.clear();
    let Some(search) = plan_of_trial.search.take() else { return plan_of_trial };
    let values = item.and_then(|item| item.get("params")?.as_object());
    let values: Values = values.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (index, stage) in plan_of_trial.stages.iter_mut().enumerate() {
        *stage = stage.with_values(&search, index, &values);
    }
    plan_of_trial
}

/// The tests of a parsed pipeline that became this plan.
#[must_use]
pub fn tests_of(parsed: &ParsedPipeline, plan: &Plan, registry: &Registry) -> Vec<TestPlan> {
    let empty_tier = empty_tier_of_memory(registry);
    let stage_index = |name: &str| plan.stages.iter().position(|stage| stage.name == name);
    let source = |name: &str| match name {
        "input" => Some(Source::Input),
        name => stage_index(name).map(Source::Stage),
    };
    let tests = parsed.tests.iter().map(|test| {
        let wires = test.expect.iter().filter_map(|expect| {
            let wire::WireText { source: name, path, .. } = expect.wire.text.as_ref()?;
            let wire = Wire { source: source(name)?, path: path.clone() };
            Some(Expectation { text: expect.wire.raw.clone(), wire, part: expect.part.clone() })
        });
        let mut expect: Vec<Expectation> = wires.collect();
        let mut fails: Vec<(usize, String)> =
            test.fails.iter().filter_map(|(key, part)| Some((stage_index(&key.text)?, part.clone()))).collect();
        let wanted = expect.iter().filter_map(|expect| match expect.wire.source {
            Source::Stage(stage) => Some(stage),
            Source::Input | Source::Each | Source::Spend | Source::Column(_) => None,
        });
        let wanted: Vec<usize> = wanted.chain(fails.iter().map(|(stage, _)| *stage)).collect();
        let given = test.input.as_ref().map(|(_, item)| item);
        let (mut pruned, new_indices) = prune(&one_trial(plan, given), &wanted);
        for expect in &mut expect {
            if let Source::Stage(stage) = &mut expect.wire.source {
                *stage = new_indices[*stage].expect("the stages that a test expects something of are kept");
            }
        }
        for (stage, _) in &mut fails {
            *stage = new_indices[*stage].expect("the stages that have to fail are kept");
        }
        let item_source = parsed.input.as_ref().and_then(|input| input.source.as_ref());
        let item = match (&test.input, &test.file) {
            (Some((_, value)), _) => TestItem::Value(with_defaults(value, item_source)),
            (None, Some(file)) => TestItem::File(parsed.folder.join(&file.value)),
            (None, None) => TestItem::None,
        };
        // A test sees neither what other tests have cached nor what runs have.
        if let Some(empty_tier) = &empty_tier {
            pruned.caches.iter_mut().for_each(|cache| cache.tiers = vec![empty_tier.clone()]);
        }
        pruned.input = item.into_input(&plan.input);
        TestPlan { name: test.name.value.clone(), plan: pruned, expect, fails }
    });
    tests.collect()
}
