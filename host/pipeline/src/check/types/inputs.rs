//! Checks that the input of a stage is what its extension reads.

use super::reader::Reader;
use crate::{
    check::checker::Checker,
    diagnostics::{Diagnostic, Span, suggest},
    parsed::Expr,
    schema::{Fit, Reads, View, first_sentence},
    syntax::{Constant, Key},
};

impl<'a> Checker<'a> {
    pub(crate) fn check_expr<'t>(
        &mut self,
        reader: &Reader,
        expr: &Expr,
        wanted: Option<View<'t>>,
        item: &'t serde_json::Value,
    ) where
        'a: 't,
    {
        match expr {
            Expr::Bad => {}
            Expr::Constant(constant) => {
                if let Some(wanted) = &wanted {
                    self.check_constant(reader, constant, wanted);
                }
            }
            Expr::Wire(wire) if wire.is_over_all() => self.check_column(reader, wire, wanted, item),
            Expr::Wire(wire) => {
                // What the reader can do without may be absent from this input, as it may be from any item.
                if reader.is_optional && self.leads_nowhere_in_items(wire, item) {
                    return;
                }
                self.check_that_tensors_arrive(reader.stage, wire, reader.in_list);
                let given = self.wire_type(Some(reader.stage), wire, item);
                if let Some(wanted) = wanted
                    && let Fit::TypeMismatch(mismatch) = wanted.accepts(&given)
                {
                    self.report_mismatch(reader, wire, &given, &wanted, &mismatch);
                }
            }
            Expr::List(list, span) => {
                let element = match wanted.as_ref().map(View::as_list) {
                    Some(Reads::Known(element)) => Some(element),
                    Some(Reads::Never) => {
                        self.report_wrong_shape(reader, *span, "a list", wanted.as_ref());
                        None
                    }
                    Some(Reads::Unknown) | None => None,
                };
                let inner = Reader { field: format!("{}[*]", reader.field), in_list: true, ..reader.clone() };
                list.iter().for_each(|expr| self.check_expr(&inner, expr, element.clone(), item));
            }
            Expr::Table(table, span) => match wanted {
                Some(wanted) => self.check_table(reader, table, *span, &wanted, item),
                None => table.iter().for_each(|(_, expr)| self.check_expr(reader, expr, None, item)),
            },
        }
    }

    /// Checks a constant against the schema of what reads it.
    fn check_constant(&mut self, reader: &Reader, constant: &Constant, wanted: &View<'_>) {
        let name = if reader.field.is_empty() { "in".to_owned() } else { reader.name() };
        let extension = self.extension_name(reader.stage);
        let stage = &self.parsed.stages[reader.stage].name.text;
        let Some(wrong) = wanted.violations(&constant.value).into_iter().next() else { return };
        let message = format!("`{name}` of stage `{stage}` is a constant that `{extension}` does not accept: {wrong}");
        let diagnostic = Diagnostic::at("type-clash", constant.span, message);
        self.diagnostics.push(diagnostic.label(format!("expected `{wanted}`")));
    }

    pub(crate) fn check_table<'t>(
        &mut self,
        reader: &Reader,
        table: &[(Key, Expr)],
        span: Span,
        wanted: &View<'t>,
        item: &'t serde_json::Value,
    ) where
        'a: 't,
    {
        let given: Vec<&str> = table.iter().map(|(key, _)| key.text.as_str()).collect();
        let object = match wanted.as_object_with(&given) {
            Reads::Known(object) => Some(object),
            Reads::Unknown => None,
            Reads::Never => {
                self.report_wrong_shape(reader, span, "a table", Some(wanted));
                None
            }
        };
        let extension = self.extension_name(reader.stage);
        let required = object.as_ref().map(|object| object.required());
        for (key, expr) in table {
            let name = &key.text;
            let is_optional = required.as_ref().is_some_and(|required| !required.contains(&name.as_str()));
            let inner = Reader { field: format!("{}.{name}", reader.field), is_optional, ..reader.clone() };
            match &object {
                Some(object) if object.lacks(name) => {
                    let beside = if wanted.names().contains(&name.as_str()) { " beside the others" } else { "" };
                    let message = format!("`{extension}` does not read a field `{}`{beside}", inner.name());
                    let known = object.names();
                    let left = known.iter().copied().filter(|known| !table.iter().any(|(key, _)| key.text == *known));
                    let hint = suggest::hint_for(name, "its fields", left)
                        .or_else(|| suggest::hint_for(name, "its fields", known.iter().copied()));
                    self.diagnostics.push(Diagnostic::at("unknown-input", key.span, message).hint(hint));
                    self.check_expr(&inner, expr, None, item);
                }
                object => self.check_expr(&inner, expr, object.as_ref().and_then(|object| object.field(name)), item),
            }
        }
        let Some(object) = object else { return };
        for name in object.required() {
            // A misspelled field is reported as such.
            let misspelled = |key: &str| object.lacks(key) && suggest::nearest(key, [name]).is_some();
            if table.iter().any(|(key, _)| key.text == name || misspelled(&key.text)) {
                continue;
            }
            let field = Reader { field: format!("{}.{name}", reader.field), ..reader.clone() }.name();
            let stage = &self.parsed.stages[reader.stage].name.text;
            let message = format!("stage `{stage}` does not have the input `{field}`, which `{extension}` needs");
            let wanted = object.field(name);
            let at = if self.parsed.sources.text(span).starts_with('{') { reader.key } else { span };
            let mut diagnostic = Diagnostic::at("missing-input", at, message);
            if let Some(wanted) = &wanted {
                diagnostic = diagnostic.note(match wanted.doc() {
                    Some(doc) => format!("`{name}` is `{wanted}`: {}", first_sentence(doc)),
                    None => format!("`{name}` is `{wanted}`"),
                });
            }
            if self.parsed.stages[reader.stage].input.is_none() {
                diagnostic.hint = Some(format!("add `in = {{ {name} = \"...\" }}`"));
            }
            self.diagnostics.push(diagnostic);
        }
    }
}
