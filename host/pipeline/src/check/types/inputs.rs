//! Whether the input of a stage is what its extension reads.

use super::reader::Reader;
use crate::{
    check::checker::Checker,
    diagnostics::{Fault, Span, suggest},
    draft::Expr,
    schema::{Fit, Reads, View, first_sentence},
    syntax::Key,
};

impl<'a> Checker<'a> {
    pub(crate) fn expr<'t>(
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
            Expr::Wire(wire) => {
                self.keeps_tensors(reader.stage, wire, reader.in_list);
                let given = self.wire(Some(reader.stage), wire, item);
                if let Some(wanted) = wanted
                    && let Fit::Clash(clash) = wanted.accepts(&given)
                {
                    self.clash(reader, wire, &given, &wanted, &clash);
                }
            }
            Expr::List(list, span) => {
                let element = match wanted.as_ref().map(View::as_list) {
                    Some(Reads::This(element)) => Some(element),
                    Some(Reads::Never) => {
                        self.shape(reader, *span, "a list", wanted.as_ref());
                        None
                    }
                    Some(Reads::Unknown) | None => None,
                };
                let inner = Reader { field: format!("{}[*]", reader.field), in_list: true, ..reader.clone() };
                list.iter().for_each(|expr| self.expr(&inner, expr, element.clone(), item));
            }
            Expr::Table(table, span) => match wanted {
                Some(wanted) => self.table(reader, table, *span, &wanted, item),
                None => table.iter().for_each(|(_, expr)| self.expr(reader, expr, None, item)),
            },
        }
    }

    pub(crate) fn table<'t>(
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
            Reads::This(object) => Some(object),
            Reads::Unknown => None,
            Reads::Never => {
                self.shape(reader, span, "a table", Some(wanted));
                None
            }
        };
        let extension = self.extension(reader.stage);
        for (key, expr) in table {
            let name = &key.text;
            let inner = Reader { field: format!("{}.{name}", reader.field), ..reader.clone() };
            match &object {
                Some(object) if object.lacks(name) => {
                    let beside = if wanted.names().contains(&name.as_str()) { " beside the others" } else { "" };
                    let message = format!("`{extension}` reads no field `{}`{beside}", inner.name());
                    let known = object.names();
                    let left = known.iter().copied().filter(|known| !table.iter().any(|(key, _)| key.text == *known));
                    let hint = suggest::hint_for(name, "its fields", left)
                        .or_else(|| suggest::hint_for(name, "its fields", known.iter().copied()));
                    self.faults.push(Fault::at("unknown-input", key.span, message).hint(hint));
                    self.expr(&inner, expr, None, item);
                }
                object => self.expr(&inner, expr, object.as_ref().and_then(|object| object.field(name)), item),
            }
        }
        let Some(object) = object else { return };
        for name in object.required() {
            // A misspelt field is reported as such.
            let misspelt = |key: &str| object.lacks(key) && suggest::nearest(key, [name]).is_some();
            if table.iter().any(|(key, _)| key.text == name || misspelt(&key.text)) {
                continue;
            }
            let field = Reader { field: format!("{}.{name}", reader.field), ..reader.clone() }.name();
            let stage = &self.draft.stages[reader.stage].name.text;
            let message = format!("stage `{stage}` lacks the input `{field}`, which `{extension}` needs");
            let wanted = object.field(name);
            let at = if self.draft.sources.text(span).starts_with('{') { reader.key } else { span };
            let mut fault = Fault::at("missing-input", at, message);
            if let Some(wanted) = &wanted {
                fault = fault.note(match wanted.doc() {
                    Some(doc) => format!("`{name}` is `{wanted}`: {}", first_sentence(doc)),
                    None => format!("`{name}` is `{wanted}`"),
                });
            }
            if self.draft.stages[reader.stage].input.is_none() {
                fault.hint = Some(format!("add `in = {{ {name} = \"...\" }}`"));
            }
            self.faults.push(fault);
        }
    }
}
