//! Checks `when` and `[require]`: that a condition can hold, and that those who read a stage which may be off can do without it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{checker::Checker, scopes::Scopes};
use crate::{
    diagnostics::{Diagnostic, Span},
    parsed::{Expr, ParsedCondition, ParsedWhen, WireRef},
    plan::{Condition, RequirementPlan, Scope, Source, WhenPlan},
    schema::{Fit, Reads, Type, View, X_NEVER_OFF, alternatives},
};

/// Under which conditions a stage is on, each in words.
type Conditions = BTreeSet<String>;

impl<'a> Checker<'a> {
    /// Checks the conditions of stages and the requirements. `order` has each stage after those that it reads.
    pub(crate) fn check_when_and_require(&mut self, order: Option<&[usize]>, scopes: &Scopes) {
        let parsed = self.parsed;
        let item = self.item.clone();
        for (index, stage) in parsed.stages.iter().enumerate() {
            let Some(ParsedWhen { key, wire, condition }) = &stage.when else { continue };
            if let Some(at) = stage.export {
                let message = format!("stage `{}` runs when an item is exported, and has no `when`", stage.name.text);
                self.diagnostics.push(Diagnostic::at("bad-when", *key, message).related(at, "`export` is set here"));
                continue;
            }
            if self.wire_source(Some(index), wire).is_none() {
                // It is reported, or reads all items.
                if wire.is_over_all() {
                    let message = "`when` decides by one value, and this is a list of those of all items";
                    let diagnostic = Diagnostic::at("bad-when", self.source_span(wire), message);
                    self.diagnostics.push(diagnostic.hint("read a stage that makes one value of them".to_owned()));
                }
                continue;
            }
            let ty = self.wire_type(Some(index), wire, &item);
            self.check_condition("bad-when", "`when`", condition, wire, &ty);
        }
        self.check_requirements(scopes, &item);
        if let Some(order) = order {
            self.check_readers_of_conditional_stages(order, scopes);
        }
    }

    /// Checks that a value of this type can meet a condition, and that its parts go together.
    fn check_condition(
        &mut self,
        code: &'static str,
        what: &str,
        condition: &ParsedCondition,
        wire: &WireRef,
        ty: &Type<'_>,
    ) {
        let parts = condition.parts();
        if let [(first, _), .., (last, at)] = parts.as_slice()
            && (["equals", "not"].contains(first) || ["equals", "not"].contains(last))
        {
            let message = format!("{what} has `{first}` and `{last}`, and decides by one of them");
            self.diagnostics.push(Diagnostic::at(code, *at, message));
            return;
        }
        for (key, part) in [("equals", &condition.equals), ("not", &condition.not)] {
            if let Some((span, value)) = part
                && let Some(wrong) = never_is(ty, value)
            {
                let message = format!("`{key}` of {what} is a value that `{}` never has: {wrong}", wire.raw);
                let diagnostic =
                    Diagnostic::at("type-clash", *span, message).label(format!("`{}` is `{ty}`", wire.raw));
                self.diagnostics.push(diagnostic);
            }
        }
        if let (Some((_, least)), Some((at, most))) = (&condition.at_least, &condition.at_most)
            && least.as_f64() > most.as_f64()
        {
            let message = format!("no number is at least {least} and at most {most}");
            self.diagnostics.push(Diagnostic::at(code, *at, message));
        }
        if condition.at_least.is_some() || condition.at_most.is_some() {
            self.check_is_number(&format!("what {what} compares"), wire, ty);
        } else if parts.is_empty()
            && let Fit::TypeMismatch(_) = View::new(&json!({ "type": ["boolean", "null"] })).accepts(ty)
        {
            let message = format!("{what} decides by `true` or `false`, and `{}` is neither", wire.raw);
            let hint = format!(
                "compare it: `when = {{ wire = \"{}\", equals = ... }}`, or with `not`, `at_least`, `at_most`",
                wire.raw
            );
            let diagnostic = Diagnostic::at("type-clash", wire.span, message).label(format!("it is `{ty}`"));
            self.diagnostics.push(diagnostic.hint(hint));
        }
    }

    fn check_requirements(&mut self, scopes: &Scopes, item: &Value) {
        for requirement in &self.parsed.requirements {
            let wire = &requirement.wire;
            if requirement.condition.parts().is_empty() {
                let message = format!("nothing is required of `{}`", wire.raw);
                let hint = "add `at_least`, `at_most` or `equals`";
                self.diagnostics.push(Diagnostic::at("missing-key", requirement.span, message).hint(hint.to_owned()));
            }
            let Some(source) = self.look_up_source(None, wire) else { continue };
            let of_item = match source {
                Source::Stage(stage) => scopes.is_per_item(stage),
                _ => true,
            };
            if of_item {
                let message =
                    format!("a run is required to meet a bound as a whole, and `{}` is of one item", wire.raw);
                let hint = "name a value of a stage that runs over all items, such as that of `summary`";
                let diagnostic = Diagnostic::at("bad-requirement", self.source_span(wire), message);
                self.diagnostics.push(diagnostic.hint(hint.to_owned()));
                continue;
            }
            let ty = self.wire_type(None, wire, item);
            if !requirement.condition.parts().is_empty() {
                self.check_condition("bad-requirement", "a requirement", &requirement.condition, wire, &ty);
            }
        }
    }

    /// Reports stages that need the result of a stage which may be off while they are on.
    fn check_readers_of_conditional_stages(&mut self, order: &[usize], scopes: &Scopes) {
        let parsed = self.parsed;
        let mut conditions: Vec<Conditions> = vec![Conditions::new(); parsed.stages.len()];
        for index in order {
            let Some(when) = &parsed.stages[*index].when else { continue };
            // A stage whose condition is the result of another one is off where that is.
            if let Some(Source::Stage(source)) = self.wire_source(Some(*index), &when.wire) {
                conditions[*index] = conditions[source].clone();
            }
            if let Some(words) = self.condition_words(*index, when) {
                conditions[*index].insert(words);
            }
        }
        for (index, stage) in parsed.stages.iter().enumerate() {
            let mut needed = Vec::new();
            if let Some((_, expr)) = &stage.input {
                let wanted = self.extensions[index].map(|(_, entry)| View::new(&entry.descriptor.input));
                collect_needed(expr, wanted, &mut needed);
            }
            let context = stage.route.as_ref().and_then(|route| route.context.as_ref());
            needed.extend(stage.for_each.iter().chain(context));
            for wire in needed {
                let Some(Source::Stage(source)) = self.wire_source(Some(index), wire) else { continue };
                let Some(missing) = conditions[source].difference(&conditions[index]).next() else { continue };
                let (reader, source) = (&stage.name.text, &parsed.stages[source].name.text);
                let message = format!("stage `{reader}` needs `{source}`, which may be off: it is on when {missing}");
                let hint = format!(
                    "give `{reader}` the same `when`, or read `{source}` in a list (what is off is left out of it) or as a field that `{}` can do without",
                    self.extension_name(index)
                );
                self.diagnostics.push(Diagnostic::at("may-be-off", self.source_span(wire), message).hint(hint));
            }
        }
        let objectives =
            self.search.iter().flat_map(|search| &search.objectives).map(|objective| objective.wire.clone());
        for wire in objectives.collect::<Vec<_>>() {
            let Some(Source::Stage(source)) = self.wire_source(None, &wire) else { continue };
            if let Some(missing) = conditions[source].first().filter(|_| scopes.is_per_item(source)) {
                let name = &parsed.stages[source].name.text;
                let message =
                    format!("an objective is a number of every trial, and stage `{name}` is on when {missing}");
                self.diagnostics.push(Diagnostic::at("may-be-off", wire.span, message));
            }
        }
    }

    /// A condition in words; the same for conditions that are the same.
    fn condition_words(&self, stage: usize, when: &ParsedWhen) -> Option<String> {
        let condition = condition_of(&when.condition);
        let text = when.wire.text.as_ref()?;
        self.wire_source(Some(stage), &when.wire)?;
        Some(match condition {
            Condition::True => format!("`{text}`"),
            condition => format!("`{text}` {}", words_of_type(&condition)),
        })
    }

    pub(crate) fn lower_when(&self, stage: usize, plan_indices: &[usize]) -> Option<Option<WhenPlan>> {
        let Some(when) = &self.parsed.stages[stage].when else { return Some(None) };
        let wire = self.lower_wire(Some(stage), &when.wire, plan_indices)?;
        Some(Some(WhenPlan { wire, condition: condition_of(&when.condition) }))
    }

    pub(crate) fn lower_requirements(&self, plan_indices: &[usize]) -> Option<Vec<RequirementPlan>> {
        let requirements = self.parsed.requirements.iter().map(|requirement| {
            let wire = self.lower_wire(None, &requirement.wire, plan_indices)?;
            Some(RequirementPlan { wire, condition: condition_of(&requirement.condition) })
        });
        requirements.collect()
    }

    /// Reports routes that learn from a stage over all items, which is not done when they do.
    pub(crate) fn check_that_rewards_are_of_items(&mut self, scopes: &Scopes) {
        let rewards = self.parsed.stages.iter().filter_map(|stage| stage.route.as_ref()?.reward.clone());
        let objectives = self.routes.iter().flatten().flat_map(|route| &route.objectives);
        let wires: Vec<WireRef> = rewards.chain(objectives.map(|objective| objective.wire.clone())).collect();
        for wire in wires {
            if let Some(Source::Stage(source)) = self.wire_source(None, &wire)
                && scopes.of(source) == Scope::All
            {
                let name = &self.parsed.stages[source].name.text;
                let message = format!("a route learns from each item, and stage `{name}` runs over all of them");
                self.diagnostics.push(Diagnostic::at("all-items", self.source_span(&wire), message));
            }
        }
    }
}

fn words_of_type(condition: &Condition) -> String {
    match condition {
        Condition::Equals(_) | Condition::Not(_) => condition.words(),
        _ => format!("is {}", condition.words()),
    }
}

/// The condition of its parts.
fn condition_of(parsed: &ParsedCondition) -> Condition {
    let ParsedCondition { equals, not, at_least, at_most } = parsed;
    match (equals, not, at_least, at_most) {
        (Some((_, value)), ..) => Condition::Equals(value.clone()),
        (None, Some((_, value)), ..) => Condition::Not(value.clone()),
        (None, None, None, None) => Condition::True,
        (None, None, at_least, at_most) => {
            let number = |bound: &Option<(Span, Value)>| match bound {
                Some((_, Value::Number(number))) => Some(number.clone()),
                _ => None,
            };
            Condition::Within { at_least: number(at_least), at_most: number(at_most) }
        }
    }
}

/// Why a value of this type is never this one; none if it may be.
fn never_is(ty: &Type<'_>, value: &Value) -> Option<String> {
    match ty {
        Type::Unknown => None,
        Type::Schema(view) => view.violations(value).into_iter().next(),
        Type::List(element) => match value.as_array() {
            None => Some("it is a list".to_owned()),
            Some(values) => values.iter().find_map(|value| never_is(element, value)),
        },
        Type::Either(types) => {
            let mut wrong = types.iter().map(|ty| never_is(ty, value));
            let first = wrong.next().flatten();
            if wrong.all(|wrong| wrong.is_some()) { first } else { None }
        }
    }
}

/// Whether a field is needed of a stage that may be off, though an input without it is one: without it, the reader would answer
/// something else than that there was nothing to do.
fn is_never_off(field: &View<'_>) -> bool {
    alternatives(field).iter().any(|one| one.is_marked(X_NEVER_OFF))
}

/// The wires of an input without whose values the call is not made: not those in a list, which leaves out what is off, nor those
/// in a field that the reader can do without.
fn collect_needed<'e>(expr: &'e Expr, wanted: Option<View<'_>>, needed: &mut Vec<&'e WireRef>) {
    match expr {
        Expr::Wire(wire) => needed.push(wire),
        Expr::Table(table, _) => {
            let object = match wanted.as_ref().map(View::as_object) {
                Some(Reads::Known(object)) => Some(object),
                _ => None,
            };
            let required = object.as_ref().map(|object| object.required()).unwrap_or_default();
            for (key, expr) in table {
                let wanted = object.as_ref().and_then(|object| object.field(&key.text));
                // A field that is not listed has its name from the pipeline: whoever reads it has a use for it.
                let is_listed = object.as_ref().is_none_or(|object| object.names().contains(&key.text.as_str()));
                if !is_listed || required.contains(&key.text.as_str()) || wanted.as_ref().is_some_and(is_never_off) {
                    collect_needed(expr, wanted, needed);
                }
            }
        }
        Expr::List(..) | Expr::Constant(_) | Expr::Bad => {}
    }
}
