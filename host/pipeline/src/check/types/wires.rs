//! The type at the source of a wire, and the type at its end.

use crate::{
    check::checker::Checker,
    diagnostics::{Diagnostic, suggest},
    parsed::{ParsedStage, WireRef},
    plan::Source,
    schema::{PathError, PathErrorReason, Type},
    step::Step,
    syntax::wire,
};

impl<'a> Checker<'a> {
    /// The type that the readers of a stage see.
    fn output_type<'t>(&self, stage: &ParsedStage, index: usize) -> Type<'t>
    where
        'a: 't,
    {
        let Some((_, entry)) = self.extensions[index] else { return Type::Unknown };
        let output = Type::of_schema(self.wire_schemas[index].get().unwrap_or(&entry.descriptor.output));
        // With both `for_each` and `repeat` the list is flat: the results of the first element, then those of the second.
        let is_list = stage.for_each.is_some() || stage.repeat.is_some();
        if is_list { output.list() } else { output }
    }

    /// The type that a source gives to a stage.
    pub(crate) fn source_type<'t>(&self, stage: Option<usize>, source: Source, item: &'t serde_json::Value) -> Type<'t>
    where
        'a: 't,
    {
        match source {
            Source::Input => Type::of_schema(item),
            // Where `spend` is allowed, its type is checked separately.
            Source::Spend | Source::Column(_) => Type::Unknown,
            Source::Stage(index) => self.output_type(&self.parsed.stages[index], index),
            Source::Each => {
                let list = stage.and_then(|stage| self.parsed.stages[stage].for_each.as_ref());
                let ty = list.and_then(|wire| {
                    let source = self.wire_source(None, wire)?;
                    let path = &wire.text.as_ref()?.path;
                    self.source_type(None, source, item).follow(path).ok()?.elements().ok()
                });
                ty.unwrap_or(Type::Unknown)
            }
        }
    }

    /// The type at the end of a wire; reports steps that do not lead to anything.
    pub(crate) fn wire_type<'t>(
        &mut self,
        stage: Option<usize>,
        wire: &WireRef,
        item: &'t serde_json::Value,
    ) -> Type<'t>
    where
        'a: 't,
    {
        let Some(source) = self.wire_source(stage, wire) else { return Type::Unknown };
        let given = self.source_type(stage, source, item);
        self.follow_wire(given, wire)
    }

    /// The type at the end of a wire into a source of this type; reports steps that do not lead to anything.
    pub(crate) fn follow_wire<'t>(&mut self, given: Type<'t>, wire: &WireRef) -> Type<'t> {
        let Some(text) = &wire.text else { return Type::Unknown };
        match given.follow(text.path_of_value()) {
            Ok(ty) => ty,
            Err(mut path_error) => {
                path_error.step += text.path.len() - text.path_of_value().len();
                self.report_path_error(wire, &path_error);
                Type::Unknown
            }
        }
    }

    /// Whether a wire reads a field of the item that none of the items has which somebody looked at.
    pub(crate) fn is_absent_from_items(&self, wire: &WireRef) -> bool {
        let Some(seen) = &self.parsed.seen_items else { return false };
        let text = wire.text.as_ref().filter(|text| text.source == "input");
        let first = text.and_then(|text| text.path.first());
        first.is_some_and(|step| matches!(step, Step::Field(name) if !seen.fields.contains(name)))
    }

    /// Whether a wire leads nowhere in any of the items that somebody looked at.
    pub(crate) fn leads_nowhere_in_items(&self, wire: &WireRef, item: &serde_json::Value) -> bool {
        let text = wire.text.as_ref().filter(|text| text.source == "input" && self.parsed.seen_items.is_some());
        text.is_some_and(|text| Type::of_schema(item).follow(&text.path).is_err())
    }

    fn report_path_error(&mut self, wire: &WireRef, path_error: &PathError) {
        let Some(text) = &wire.text else { return };
        let range = text.step_ranges[path_error.step].clone();
        let at = wire::span_within(&self.parsed.sources, wire.span, &wire.raw, range.clone());
        let before = &wire.raw[..range.start];
        let step = &text.path[path_error.step];
        let diagnostic = match &path_error.reason {
            PathErrorReason::NoField(_) if path_error.step == 0 && self.is_absent_from_items(wire) => {
                let name = if let Step::Field(name) = step { name.as_str() } else { "" };
                let lacks = self.parsed.seen_items.as_ref().map(|seen| seen.lacks(name));
                let (message, hint) = lacks.expect("a field is absent from items that were seen");
                Diagnostic::at("unknown-field", at, message).hint(hint)
            }
            PathErrorReason::NoField(known) => {
                let name = match step {
                    Step::Field(name) => name.clone(),
                    other => other.to_string(),
                };
                Diagnostic::at("unknown-field", at, format!("`{before}` has no field `{name}`"))
                    .hint(suggest::hint_for(&name, "its fields", known.iter().map(String::as_str)))
            }
            PathErrorReason::NotAnObject => {
                let hint = path_error.found.starts_with('[').then(|| {
                    format!("for each of its elements, write `{before}[*]{step}`; for the first, `{before}[0]{step}`")
                });
                Diagnostic::at("type-clash", at, format!("`{before}` has no fields"))
                    .label(format!("`{before}` is `{}`", path_error.found))
                    .hint(hint)
            }
            PathErrorReason::NotAList => Diagnostic::at("type-clash", at, format!("`{before}` has no elements"))
                .label(format!("`{before}` is `{}`", path_error.found)),
        };
        self.diagnostics.push(diagnostic);
    }
}
