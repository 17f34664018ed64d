//! `[[tests]]`: held against the stages and their types, and made into plans of their own.

use std::collections::BTreeMap;

use jackfield_loader::{Lookup, Registry, sandbox::Limits};
use jackfield_plugin_api::{Kind, Values};
use serde_json::{Value, json};

use super::{checker::Checker, extensions::extension_ref, graph::reads, sources::Edge};
use crate::{
    diagnostics::{Fault, suggest},
    draft::{Draft, ItemSource, TestDraft, WireRef},
    plan::{Expectation, Plan, Source, TestItem, TestPlan, TierPlan, Wire, prune},
    schema::{Stray, Type},
    step::Step,
    syntax::{Node, tree, wire},
};

impl<'a> Checker<'a> {
    /// Checks the tests.
    pub(crate) fn tests(&mut self, edges: &[Edge]) {
        let draft = self.draft;
        let item = self.item.clone();
        let mut seen = BTreeMap::new();
        for test in &draft.tests {
            let name = &test.name.value;
            if let Some(first) = seen.insert(name, test.name.span) {
                let mut fault = Fault::at("duplicate-name", test.name.span, format!("test `{name}` is there twice"));
                fault.label = "the second one".to_owned();
                fault.related.push((first, "the first one".to_owned()));
                self.faults.push(fault);
            }
            let mut sources = Vec::new();
            for expect in &test.expect {
                if let Some(source) = self.looked_up(None, &expect.wire) {
                    sources.push(source);
                    let ty = self.wire(None, &expect.wire, &item);
                    self.part(&ty, &expect.node);
                }
            }
            for (key, _) in &test.fails {
                match self.stage(&key.text) {
                    Some(stage) if draft.stages[stage].export.is_some() => {
                        let message = format!("stage `{}` runs when an item is exported, and in no test", key.text);
                        self.faults.push(Fault::at("export-stage", key.span, message));
                    }
                    Some(stage) => sources.push(Source::Stage(stage)),
                    None if key.text == "input" || key.text == "each" => {}
                    None => {
                        let hint = suggest::hint_for(&key.text, "known stages", self.names());
                        let message = format!("there is no stage `{}`", key.text);
                        self.faults.push(Fault::at("unknown-stage", key.span, message).hint(hint));
                    }
                }
            }
            let of_input = |wire: &WireRef| wire.text.as_ref().is_some_and(|text| text.source == "input");
            if test.expect.iter().all(|expect| of_input(&expect.wire)) && test.fails.is_empty() {
                let fault =
                    Fault::at("missing-key", test.name.span, format!("test `{name}` expects nothing of any stage"));
                self.faults.push(fault.hint("add `expect = { \"stage.field\" = ... }`".to_owned()));
            }
            self.item_of_test(test, self.needs_item(&sources, edges), &item);
        }
    }

    /// Whether what comes from these sources depends on an item.
    fn needs_item(&self, sources: &[Source], edges: &[Edge]) -> bool {
        let reads = reads(self.draft.stages.len(), edges);
        let mut open: Vec<usize> = Vec::new();
        for source in sources {
            match source {
                Source::Stage(stage) => open.push(*stage),
                Source::Input => return true,
                Source::Each | Source::Spend => {}
            }
        }
        let mut seen = vec![false; reads.len()];
        while let Some(stage) = open.pop() {
            if !std::mem::replace(&mut seen[stage], true) {
                open.extend(&reads[stage]);
            }
        }
        edges.iter().any(|edge| seen[edge.reader] && matches!(edge.source, Source::Input))
    }

    fn item_of_test(&mut self, test: &TestDraft, needed: bool, schema: &Value) {
        let name = &test.name.value;
        let given = test.input.as_ref().map(|(span, _)| *span).or(test.file.as_ref().map(|file| file.span));
        let source = match (&self.draft.input, given) {
            (None, Some(given)) => {
                let message = format!("test `{name}` gives an item, but the pipeline has no `[input]`");
                return self.faults.push(Fault::at("no-input", given, message));
            }
            (None, None) => return,
            (Some(_), None) if needed => {
                let message = format!("test `{name}` has no `input`, and what it expects depends on an item");
                let hint = "add `input = ...`, the one item of the test".to_owned();
                return self.faults.push(Fault::at("missing-key", test.name.span, message).hint(hint));
            }
            (Some(_), None) => return,
            (Some(input), Some(_)) => input.source.as_ref(),
        };
        if let Some(file) = &test.file {
            let path = self.draft.folder.join(&file.value);
            if test.input.is_some() {
                let message = format!("test `{name}` has both `input` and `file`");
                let fault = Fault::at("two-items", file.span, message);
                self.faults.push(fault.hint("one item is enough".to_owned()));
            } else if !matches!(source, None | Some(ItemSource::Files { .. })) {
                let message = "`file` is for pipelines whose items are files";
                let hint = "write the item itself: `input = ...`".to_owned();
                self.faults.push(Fault::at("misplaced-key", file.span, message).hint(hint));
            } else if !path.is_file() {
                let message = format!("cannot read the file `{}`: there is no such file", file.value);
                let fault = Fault::at("bad-file", file.span, message);
                self.faults.push(fault.note(format!("it is looked for at `{}`", path.display())));
            }
        }
        // What a line of JSON or a table of the pipeline may hold, only its stages know.
        let strict =
            matches!(source, Some(ItemSource::Files { .. } | ItemSource::Csv { .. } | ItemSource::Trials { .. }));
        if let (Some((span, value)), true) = (&test.input, strict) {
            let value = filled(value, source);
            let mut schema = schema.clone();
            if matches!(source, Some(ItemSource::Files { .. })) {
                schema["additionalProperties"] = json!(false);
            }
            let wrong = jsonschema::validator_for(&schema).ok().and_then(|schema| {
                let error = schema.iter_errors(&value).next()?;
                Some(error.to_string().chars().take(200).collect::<String>())
            });
            let wrong = wrong.or_else(|| self.search.as_ref()?.space().refuses(value.get("params")?));
            if let Some(wrong) = wrong {
                let message = format!("the `input` of test `{name}` is no item of this pipeline");
                self.faults.push(Fault::at("type-clash", *span, message).label(wrong));
            }
        }
    }

    /// Checks that an expected part can be part of a type.
    fn part(&mut self, ty: &Type<'_>, node: &Node) {
        match &node.value {
            tree::Value::Table(table) => {
                for (key, inner) in &table.0 {
                    match ty.follow(&[Step::Field(key.text.clone())]) {
                        Ok(ty) => self.part(&ty, inner),
                        Err(astray) => {
                            let fault = match &astray.why {
                                Stray::NoField(known) => {
                                    let known = known.iter().map(String::as_str);
                                    Fault::at(
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
                                _ => Fault::at("type-clash", key.span, "a table is expected where there is none")
                                    .label(format!("it is `{}`", astray.found)),
                            };
                            self.faults.push(fault);
                            // The other keys would be told the same.
                            if !matches!(astray.why, Stray::NoField(_)) {
                                return;
                            }
                        }
                    }
                }
            }
            tree::Value::List(list) => match ty.elements() {
                Ok(ty) => list.iter().for_each(|inner| self.part(&ty, inner)),
                Err(astray) => {
                    let fault = Fault::at("type-clash", node.span, "a list is expected where there is none");
                    self.faults.push(fault.label(format!("it is `{}`", astray.found)));
                }
            },
            _ => {}
        }
    }
}

/// An item of a test, with what the pipeline's source would add to it.
fn filled(value: &Value, source: Option<&ItemSource>) -> Value {
    let mut value = value.clone();
    if let (Some(ItemSource::Files { .. }), Value::Object(map)) = (source, &mut value) {
        for (key, usual) in [("path", "test.txt"), ("name", "test.txt"), ("text", "")] {
            map.entry(key).or_insert_with(|| json!(usual));
        }
    }
    if let (Some(ItemSource::Json { .. }), Value::Object(map)) = (source, &mut value) {
        map.entry("id").or_insert_with(|| json!("test"));
    }
    value
}

/// A tier that is empty in the beginning and gone in the end.
fn fresh_tier(registry: &Registry) -> Option<TierPlan> {
    let Lookup::Found(plugin, offer) = registry.find(Kind::CacheBackend, "bundled/memory") else { return None };
    let (extension, limits) = (extension_ref((plugin, offer)), Limits::of_cache());
    Some(TierPlan { extension, config: json!({}), ttl: None, limits })
}

/// The plan without its search, and the stages as they are with the values that this item has.
fn one_trial(plan: &Plan, item: Option<&Value>) -> Plan {
    let mut one = plan.clone();
    one.exports.clear();
    let Some(search) = one.search.take() else { return one };
    let values = item.and_then(|item| item.get("params")?.as_object());
    let values: Values = values.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (index, stage) in one.stages.iter_mut().enumerate() {
        *stage = stage.with_values(&search, index, &values);
    }
    one
}

/// The tests of a draft that became this plan.
#[must_use]
pub fn tests_of(draft: &Draft, plan: &Plan, registry: &Registry) -> Vec<TestPlan> {
    let fresh = fresh_tier(registry);
    let place = |name: &str| plan.stages.iter().position(|stage| stage.name == name);
    let source = |name: &str| match name {
        "input" => Some(Source::Input),
        name => place(name).map(Source::Stage),
    };
    let tests = draft.tests.iter().map(|test| {
        let wires = test.expect.iter().filter_map(|expect| {
            let wire::WireText { source: name, path, .. } = expect.wire.text.as_ref()?;
            let wire = Wire { source: source(name)?, path: path.clone() };
            Some(Expectation { text: expect.wire.raw.clone(), wire, part: expect.part.clone() })
        });
        let mut expect: Vec<Expectation> = wires.collect();
        let mut fails: Vec<(usize, String)> =
            test.fails.iter().filter_map(|(key, part)| Some((place(&key.text)?, part.clone()))).collect();
        let wanted = expect.iter().filter_map(|expect| match expect.wire.source {
            Source::Stage(stage) => Some(stage),
            Source::Input | Source::Each | Source::Spend => None,
        });
        let wanted: Vec<usize> = wanted.chain(fails.iter().map(|(stage, _)| *stage)).collect();
        let given = test.input.as_ref().map(|(_, item)| item);
        let (mut small, places) = prune(&one_trial(plan, given), &wanted);
        for expect in &mut expect {
            if let Source::Stage(stage) = &mut expect.wire.source {
                *stage = places[*stage].unwrap_or_default();
            }
        }
        fails.iter_mut().for_each(|(stage, _)| *stage = places[*stage].unwrap_or_default());
        let drafted = draft.input.as_ref().and_then(|input| input.source.as_ref());
        let item = match (&test.input, &test.file) {
            (Some((_, value)), _) => TestItem::Value(filled(value, drafted)),
            (None, Some(file)) => TestItem::File(draft.folder.join(&file.value)),
            (None, None) => TestItem::None,
        };
        // Tests know nothing of each other, nor of what was kept for runs.
        if let Some(fresh) = &fresh {
            small.caches.iter_mut().for_each(|cache| cache.tiers = vec![fresh.clone()]);
        }
        small.input = item.into_input(&plan.input);
        TestPlan { name: test.name.value.clone(), plan: small, expect, fails }
    });
    tests.collect()
}
