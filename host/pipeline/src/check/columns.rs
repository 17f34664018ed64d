//! Checks what stages over all items read of each item: wires that begin with `all`.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{checker::Checker, types::Reader};
use crate::{
    diagnostics::{Diagnostic, SHOWN, Span},
    parsed::WireRef,
    plan::{ColumnPlan, InputExpr, Source, Wire},
    schema::{Fit, JsonType, Reads, Type, View, X_WITH_ITEM, alternatives},
    step::Step,
    syntax::wire,
};

/// The type of what stands for an item without the value.
static NULL: LazyLock<Value> = LazyLock::new(|| json!({ "type": "null" }));

impl<'a> Checker<'a> {
    /// What a wire reads of every item: its input, or a stage by its index in the parsed pipeline. What is wrong with it is
    /// reported.
    pub(crate) fn look_up_column(&mut self, wire: &WireRef) -> Option<Source> {
        let text = wire.text.as_ref()?;
        let first = match text.path.first() {
            Some(Step::Field(name)) => name.as_str(),
            _ => {
                let message = "`all` is the values of all items, and this does not say which";
                let hint = "write `all.STAGE.FIELD` or `all.input.FIELD`";
                let diagnostic = Diagnostic::at("all-items", self.source_span(wire), message);
                self.diagnostics.push(diagnostic.hint(hint.to_owned()));
                return None;
            }
        };
        let at = wire::span_within(&self.parsed.sources, wire.span, &wire.raw, text.step_ranges[0].clone());
        if self.parsed.input.is_none() {
            let diagnostic =
                Diagnostic::at("no-input", at, "the pipeline has no `[input]`, so that there are no items");
            self.diagnostics
                .push(diagnostic.hint("add `[input]` with `use = \"files\"` and `path = \"...\"`".to_owned()));
            return None;
        }
        if first == "input" {
            return Some(Source::Input);
        }
        let Some(stage) = self.stage_index(first) else {
            let message = format!("there is no stage `{first}`");
            let hinted = self.diagnostics.len() < SHOWN;
            let hint = hinted.then(|| wire::column_hint(first, self.stage_names())).flatten();
            self.diagnostics.push(Diagnostic::at("unknown-stage", at, message).hint(hint));
            return None;
        };
        if self.parsed.stages[stage].export.is_some() {
            self.report_read_export(at, first);
            return None;
        }
        Some(Source::Stage(stage))
    }

    /// Reports `all` where a value of one item is wanted.
    pub(crate) fn report_all_outside_stage(&mut self, at: Span) {
        let message = "the values of all items are there after the last of them, for what a stage gets as `in`";
        let hint = "let a stage read them: it runs once, over all items";
        self.diagnostics.push(Diagnostic::at("all-items", at, message).hint(hint.to_owned()));
    }

    /// Checks that a stage can read the values of all items where this wire stands.
    pub(crate) fn check_column<'t>(
        &mut self,
        reader: &Reader,
        wire: &WireRef,
        wanted: Option<View<'t>>,
        item: &'t Value,
    ) where
        'a: 't,
    {
        let Some(source) = self.column_source(wire) else { return };
        let given = self.source_type(None, source, item);
        let value = self.follow_wire(given, wire);
        let Some(wanted) = wanted else { return };
        let or_null = |ty: Type<'t>| Type::Either(vec![ty, Type::of_schema(&NULL)]);
        let element = match wanted.as_list() {
            Reads::Known(element) => element,
            Reads::Unknown => {
                // Where nothing is known of its elements, they may be anything.
                if let Fit::TypeMismatch(mismatch) = wanted.accepts(&value.clone().list()) {
                    self.report_mismatch(reader, wire, &or_null(value).list(), &wanted, &mismatch);
                }
                return;
            }
            Reads::Never => {
                return self.report_wrong_shape(
                    reader,
                    wire.span,
                    "the list of the values of all items",
                    Some(&wanted),
                );
            }
        };
        let element = if is_with_item(&wanted) {
            let Reads::Known(object) = element.as_object() else { return };
            match object.field("value") {
                Some(value) => value,
                None => return,
            }
        } else {
            element
        };
        if let Fit::TypeMismatch(mismatch) = element.accepts(&value) {
            return self.report_mismatch(reader, wire, &or_null(value), &element, &mismatch);
        }
        if let Fit::TypeMismatch(_) = element.accepts(&Type::of_schema(&NULL)) {
            let extension = self.extension_name(reader.stage);
            let target = match reader.field.as_str() {
                "" => format!("what `{extension}` reads"),
                _ => format!("`{}` of `{extension}`", reader.name()),
            };
            let message =
                format!("`{}` has `null` for an item without the value, which {target} does not take", wire.raw);
            let diagnostic = Diagnostic::at("type-clash", wire.span, message)
                .label(format!("wanted `{element}`"))
                .hint("use an extension that is made for all items, whose list takes `null`".to_owned());
            self.diagnostics.push(diagnostic);
        }
    }

    /// The column of a wire, in the list of those of the plan.
    pub(crate) fn lower_column(
        &self,
        wire: &WireRef,
        wanted: Option<&View<'_>>,
        plan_indices: &[usize],
        columns: &mut Vec<ColumnPlan>,
    ) -> Option<InputExpr> {
        let source = match self.column_source(wire)? {
            Source::Stage(stage) => Source::Stage(plan_indices[stage]),
            other => other,
        };
        let path = wire.text.as_ref()?.path_of_value().to_vec();
        let column = ColumnPlan { wire: Wire { source, path }, with_item: wanted.is_some_and(is_with_item) };
        let index = columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            columns.push(column);
            columns.len() - 1
        });
        Some(InputExpr::Wire(Wire { source: Source::Column(index), path: Vec::new() }))
    }
}

/// Whether the elements of the list that is wanted here come with the ids of their items.
fn is_with_item(wanted: &View<'_>) -> bool {
    let lists = alternatives(wanted).into_iter().filter(|one| one.ty.is_none_or(|ty| ty == JsonType::Array));
    lists.into_iter().any(|list| list.is_marked(X_WITH_ITEM))
}
