//! Whether what each wire gives can be what its reader wants.

mod inputs;
mod mismatch;
mod reader;
mod tensors;
mod wires;

use reader::Reader;

use crate::{
    check::{checker::Checker, item_schemas::spend_schema},
    diagnostics::{Fault, suggest},
    draft::WireRef,
    plan::Source,
    schema::{Type, View},
};

impl Checker<'_> {
    /// Checks the wires of every stage.
    pub(crate) fn types(&mut self) {
        let draft = self.draft;
        // The schema of items is the checker's own, and faults are added to the checker.
        let item = self.item.clone();
        for (index, stage) in draft.stages.iter().enumerate() {
            if let Some(wire) = &stage.for_each {
                self.list_of(index, wire, &item);
            }
            let offer = self.offers[index].map(|(_, offer)| &offer.descriptor);
            let wanted = offer.map(|offer| View::new(&offer.input));
            match &stage.input {
                Some((key, expr)) => {
                    let reader = Reader { stage: index, key: *key, field: String::new(), in_list: false };
                    self.expr(&reader, expr, wanted, &item);
                }
                // A stage without `in` is called with an empty object.
                None => {
                    if let Some(wanted) = wanted {
                        let reader =
                            Reader { stage: index, key: stage.name.span, field: String::new(), in_list: false };
                        self.table(&reader, &[], stage.name.span, &wanted, &item);
                    }
                }
            }
        }
    }

    /// Checks what is written for an item.
    pub(crate) fn outputs(&mut self) {
        let draft = self.draft;
        let item = self.item.clone();
        for (name, wire) in &draft.output.files {
            let stage = draft.stages.iter().find(|stage| format!("{}.json", stage.name.text) == name.text);
            if let Some(stage) = stage {
                let message = format!("`{}` is the file of stage `{}`", name.text, stage.name.text);
                self.faults.push(Fault::at("file-clash", name.span, message).hint("choose another name".to_owned()));
            }
            self.wire(None, wire, &item);
        }
        self.merged(&item);
        let shown = draft.output.show.iter().any(|(_, wire)| self.source(None, wire) == Some(Source::Spend));
        let spend = if shown { spend_schema(draft) } else { serde_json::Value::Null };
        for (_, wire) in &draft.output.show {
            match self.source(None, wire) {
                Some(Source::Spend) => drop(self.follow(Type::of(&spend), wire)),
                _ => drop(self.wire(None, wire, &item)),
            }
        }
    }

    pub(crate) fn list_of(&mut self, stage: usize, wire: &WireRef, item: &serde_json::Value) {
        self.keeps_tensors(stage, wire, true);
        let ty = self.wire(Some(stage), wire, item);
        if let Err(astray) = ty.elements() {
            let message = format!("`for_each` runs over a list, but `{}` is not one", wire.raw);
            let lists = ty.fields().into_iter().filter(|(_, ty)| ty.elements().is_ok() && !matches!(ty, Type::Unknown));
            let lists: Vec<String> = lists.map(|(name, _)| format!("{}.{name}", wire.raw)).collect();
            let hint = (!lists.is_empty())
                .then(|| format!("lists in it: {}", suggest::list(lists.iter().map(String::as_str))));
            self.faults.push(
                Fault::at("type-clash", wire.span, message).label(format!("it is `{}`", astray.found)).hint(hint),
            );
        }
    }
}
