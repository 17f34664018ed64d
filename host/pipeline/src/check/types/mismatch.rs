//! The diagnostics of values that do not fit their readers.

use super::reader::Reader;
use crate::{
    check::checker::Checker,
    diagnostics::{Diagnostic, Span, suggest},
    parsed::WireRef,
    schema::{Fit, MismatchReason, Reads, Type, TypeMismatch, View},
};

impl Checker<'_> {
    /// Reports a list or table where the reader wants something else.
    pub(crate) fn report_wrong_shape(&mut self, reader: &Reader, span: Span, found: &str, wanted: Option<&View<'_>>) {
        let extension = self.extension_name(reader.stage);
        let wanted = wanted.map(ToString::to_string).unwrap_or_default();
        let message = match reader.field.as_str() {
            "" => format!("`{extension}` reads `{wanted}`, not {found}"),
            _ => format!("`{extension}` reads `{wanted}` as `{}`, not {found}", reader.name()),
        };
        let at_stage_name = span == self.parsed.stages[reader.stage].name.span;
        let message = if at_stage_name {
            format!(
                "stage `{}` has no `in`, but `{extension}` reads `{wanted}`",
                self.parsed.stages[reader.stage].name.text
            )
        } else {
            message
        };
        self.diagnostics.push(Diagnostic::at("type-clash", span, message));
    }

    pub(crate) fn report_mismatch(
        &mut self,
        reader: &Reader,
        wire: &WireRef,
        given: &Type<'_>,
        wanted: &View<'_>,
        mismatch: &TypeMismatch,
    ) {
        let extension = self.extension_name(reader.stage);
        let raw = &wire.raw;
        let target = match reader.field.as_str() {
            "" => format!("what `{extension}` reads"),
            _ => format!("`{}` of `{extension}`", reader.name()),
        };
        let at_path = if mismatch.path.is_empty() {
            String::new()
        } else {
            format!(" at `{}`", mismatch.path.trim_start_matches('.'))
        };
        let (label, mut hint) = match &mismatch.reason {
            MismatchReason::Type { found, wanted } => (format!("gives `{found}`, wanted `{wanted}`{at_path}"), None),
            MismatchReason::Missing { field, known } => (
                format!("has no field `{field}`{at_path}"),
                suggest::hint_for(field, "its fields", known.iter().map(String::as_str)),
            ),
            MismatchReason::Extra { field } => (format!("has a field `{field}`{at_path}, which is refused"), None),
        };
        if let MismatchReason::Type { found, wanted } = &mismatch.reason {
            hint = about_tensors(found, wanted);
        }
        if mismatch.path.is_empty() {
            hint = self.probable_wire(reader, raw, given, wanted).or(hint);
        }
        let message = format!("`{raw}` does not fit {target}");
        self.diagnostics.push(Diagnostic::at("type-clash", wire.span, message).label(label).hint(hint));
    }

    /// The wire that was probably meant: one field further in or out, or one element at a time.
    fn probable_wire(&self, reader: &Reader, raw: &str, given: &Type<'_>, wanted: &View<'_>) -> Option<String> {
        let fits = |wanted: &View<'_>, given: &Type<'_>| {
            !matches!(given, Type::Unknown) && matches!(wanted.accepts(given), Fit::Fits)
        };
        let inner: Vec<&str> =
            given.fields().into_iter().filter(|(_, ty)| fits(wanted, ty)).map(|(name, _)| name).collect();
        let same = reader.field.rsplit('.').next().and_then(|field| inner.iter().find(|name| **name == field));
        if let Some(name) = same.or(if inner.len() == 1 { inner.first() } else { None }) {
            return Some(format!("did you mean `{raw}.{name}`?"));
        }
        if let Reads::Known(object) = wanted.as_object() {
            let takes = |name: &&str| object.field(name).is_some_and(|wanted| fits(&wanted, given));
            let outer: Vec<&str> = object.required().into_iter().filter(takes).collect();
            if let [name] = outer.as_slice() {
                return Some(match reader.field.as_str() {
                    "" => format!("did you mean `in = {{ {name} = \"{raw}\" }}`?"),
                    _ => format!("did you mean `{{ {name} = \"{raw}\" }}`?"),
                });
            }
        }
        let stage = &self.parsed.stages[reader.stage];
        match given.elements() {
            Ok(element) if stage.for_each.is_none() && fits(wanted, &element) => {
                Some(format!("to run once an element, add `for_each = \"{raw}\"` and read `each` in place of `{raw}`"))
            }
            _ => None,
        }
    }
}

/// What may help where one type is a tensor by reference and the other is not.
fn about_tensors(found: &str, wanted: &str) -> Option<String> {
    // As a tensor's type is printed; every other type begins in another way.
    let is_tensor = |ty: &str| ty == "tensor" || ty.starts_with("tensor[") || ty.starts_with("tensor |");
    match (is_tensor(found), is_tensor(wanted)) {
        (true, false) => Some(
            "it is a tensor by reference; its elements are read by extensions that take a tensor, not by way of a list"
                .to_owned(),
        ),
        (false, true) => {
            Some("a tensor by reference is wanted, which an extension makes; a list of numbers is not one".to_owned())
        }
        _ => None,
    }
}
