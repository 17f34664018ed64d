//! Checks the files of the run that are merged from the results of items.

use serde_json::Value;

use super::{checker::Checker, scopes::Scopes};
use crate::{
    diagnostics::Diagnostic,
    plan::{Scope, Source},
    schema::PathErrorReason,
    step::Step,
};

/// The files and folders of every run.
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
    pub(crate) fn check_merged(&mut self, item: &Value) {
        for (name, wire) in &self.parsed.output.merged {
            let lower = name.text.to_lowercase();
            if RUN_FILES.contains(&lower.as_str()) || lower.starts_with("store.sqlite") || lower.starts_with('.') {
                let message = format!("`{}` is reserved for the run's own files", name.text);
                self.diagnostics
                    .push(Diagnostic::at("file-clash", name.span, message).hint("choose another name".to_owned()));
            }
            if self.wire_source(None, wire) == Some(Source::Input) {
                let message = "a merged file is made of the results of stages, and `input` is not a stage";
                self.diagnostics.push(Diagnostic::at("merged", self.source_span(wire), message));
                continue;
            }
            let ty = self.wire_type(None, wire, item);
            // The name of the member does not matter: a type without this member may be an object, one without members is not.
            if let Err(path_error) = ty.follow(&[Step::Field(name.text.clone())])
                && matches!(path_error.reason, PathErrorReason::NotAnObject)
            {
                let message = format!("`{}` takes the members of objects, and `{}` is not one", name.text, wire.raw);
                let diagnostic =
                    Diagnostic::at("type-clash", wire.span, message).label(format!("it is `{}`", path_error.found));
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Reports files and lines of an item that would show a stage over all items, which is not done when they are made.
    pub(crate) fn check_that_outputs_are_of_items(&mut self, scopes: &Scopes) {
        let output = &self.parsed.output;
        for (name, wire) in output.files.iter().chain(&output.show) {
            let Some(Source::Stage(index)) = self.wire_source(None, wire) else { continue };
            if scopes.of(index) != Scope::All {
                continue;
            }
            let stage = wire.text.as_ref().map_or("", |text| text.source.as_str());
            let message = format!("`{}` is of one item, and stage `{stage}` runs over all of them", name.text);
            let hint = format!("its result is shown at the end of a run, and written to `run/{stage}.json`");
            self.diagnostics.push(Diagnostic::at("all-items", self.source_span(wire), message).hint(hint));
        }
    }

    /// Reports merged files of stages that do not run once an item, as there is only one result.
    pub(crate) fn check_that_merged_stages_run_per_item(&mut self, scopes: &Scopes) {
        for (_, wire) in &self.parsed.output.merged {
            let Some(Source::Stage(index)) = self.wire_source(None, wire) else { continue };
            if scopes.is_per_item(index) {
                continue;
            }
            let often = scopes.often(index);
            let stage = wire.text.as_ref().map_or("", |text| text.source.as_str());
            let message = format!("stage `{stage}` runs {often}, but a merged file is made of the results of items");
            let hint = format!("its result is written to `run/{stage}.json`");
            self.diagnostics.push(Diagnostic::at("merged", self.source_span(wire), message).hint(hint));
        }
    }
}
