//! Files of the run that are made of what items gave.

use serde_json::Value;

use super::checker::Checker;
use crate::{diagnostics::Fault, plan::Source, schema::Stray, step::Step};

/// What stands in the folder of every run.
const RUN_FILES: [&str; 9] = [
    "run.json",
    "results.jsonl",
    "events.jsonl",
    "spend.jsonl",
    "store.sqlite",
    "report.html",
    "items",
    "run",
    "blobs",
];

impl Checker<'_> {
    /// Checks the names of merged files, and that their wires lead to objects as far as that is known.
    pub(crate) fn merged(&mut self, item: &Value) {
        for (name, wire) in &self.draft.output.merged {
            let lower = name.text.to_lowercase();
            if RUN_FILES.contains(&lower.as_str()) || lower.starts_with("store.sqlite") || lower.starts_with('.') {
                let message = format!("`{}` is a name for the run's own files", name.text);
                self.faults.push(Fault::at("file-clash", name.span, message).hint("choose another name".to_owned()));
            }
            if self.source(None, wire) == Some(Source::Input) {
                let message = "a merged file is made of what stages answer, and `input` is not a stage";
                self.faults.push(Fault::at("merged", self.head(wire), message));
                continue;
            }
            let ty = self.wire(None, wire, item);
            // Any member will do: what has none of this name may be an object, what has none at all is not.
            if let Err(astray) = ty.follow(&[Step::Field(name.text.clone())])
                && matches!(astray.why, Stray::NotAnObject)
            {
                let message = format!("`{}` takes the members of objects, and `{}` is not one", name.text, wire.raw);
                let fault = Fault::at("type-clash", wire.span, message).label(format!("it is `{}`", astray.found));
                self.faults.push(fault);
            }
        }
    }

    /// A stage that runs once a run has nothing to merge.
    pub(crate) fn merged_of_items(&mut self, is_of_item: impl Fn(usize) -> bool) {
        for (_, wire) in &self.draft.output.merged {
            if !matches!(self.source(None, wire), Some(Source::Stage(index)) if !is_of_item(index)) {
                continue;
            }
            let stage = wire.text.as_ref().map_or("", |text| text.source.as_str());
            let message = format!("stage `{stage}` runs once a run, and a merged file is made of what items gave");
            let hint = format!("what it answers is written to `run/{stage}.json`");
            self.faults.push(Fault::at("merged", self.head(wire), message).hint(hint));
        }
    }
}
