//! Checks that the type of each wire fits what its reader wants.

mod inputs;
mod mismatch;
mod reader;
mod tensors;
mod wires;

use crate::{
    check::{checker::Checker, item_schemas::spend_schema},
    diagnostics::{Diagnostic, suggest},
    parsed::WireRef,
    plan::Source,
    schema::{Type, View},
};
pub(crate) use reader::Reader;

impl Checker<'_> {
    /// Checks the wires of every stage.
    pub(crate) fn check_inputs(&mut self) {
        let parsed = self.parsed;
        // The schema of items is the checker's own, and diagnostics are added to the checker.
        let item = self.item.clone();
        for (index, stage) in parsed.stages.iter().enumerate() {
            if let Some(wire) = &stage.for_each {
                self.check_for_each(index, wire, &item);
            }
            let entry = self.extensions[index].map(|(_, entry)| &entry.descriptor);
            let wanted = entry.map(|entry| View::new(&entry.input));
            match &stage.input {
                Some((key, expr)) => {
                    let reader =
                        Reader { stage: index, key: *key, field: String::new(), is_optional: false, in_list: false };
                    self.check_expr(&reader, expr, wanted, &item);
                }
                // A stage without `in` is called with an empty object.
                None => {
                    if let Some(wanted) = wanted {
                        let reader = Reader {
                            stage: index,
                            key: stage.name.span,
                            field: String::new(),
                            is_optional: false,
                            in_list: false,
                        };
                        self.check_table(&reader, &[], stage.name.span, &wanted, &item);
                    }
                }
            }
        }
    }

    /// Checks what is written for an item.
    pub(crate) fn check_outputs(&mut self) {
        let parsed = self.parsed;
        let item = self.item.clone();
        for (name, wire) in &parsed.output.files {
            let stage = parsed.stages.iter().find(|stage| format!("{}.json", stage.name.text) == name.text);
            if let Some(stage) = stage {
                let message = format!("`{}` is the file of stage `{}`", name.text, stage.name.text);
                self.diagnostics
                    .push(Diagnostic::at("file-clash", name.span, message).hint("choose another name".to_owned()));
            }
            self.wire_type(None, wire, &item);
        }
        self.check_merged(&item);
        let shown = parsed.output.show.iter().any(|(_, wire)| self.wire_source(None, wire) == Some(Source::Spend));
        let spend = if shown { spend_schema(parsed) } else { serde_json::Value::Null };
        for (_, wire) in &parsed.output.show {
            match self.wire_source(None, wire) {
                Some(Source::Spend) => drop(self.follow_wire(Type::of_schema(&spend), wire)),
                _ => drop(self.wire_type(None, wire, &item)),
            }
        }
    }

    pub(crate) fn check_for_each(&mut self, stage: usize, wire: &WireRef, item: &serde_json::Value) {
        self.check_that_tensors_arrive(stage, wire, true);
        let ty = self.wire_type(Some(stage), wire, item);
        if let Err(path_error) = ty.elements() {
            let message = format!("`for_each` runs over a list, but `{}` is not one", wire.raw);
            let lists = ty.fields().into_iter().filter(|(_, ty)| ty.elements().is_ok() && !matches!(ty, Type::Unknown));
            let lists: Vec<String> = lists.map(|(name, _)| format!("{}.{name}", wire.raw)).collect();
            let hint = (!lists.is_empty())
                .then(|| format!("lists in it: {}", suggest::list(lists.iter().map(String::as_str))));
            self.diagnostics.push(
                Diagnostic::at("type-clash", wire.span, message)
                    .label(format!("it is `{}`", path_error.found))
                    .hint(hint),
            );
        }
    }
}
