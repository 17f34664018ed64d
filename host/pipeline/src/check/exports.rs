//! Checks the stages that run when an item is exported.

use super::checker::Checker;
use crate::diagnostics::Diagnostic;

impl Checker<'_> {
    /// A stage that runs at export is not part of a run: a route cannot pick its arm, and a run needs another stage.
    pub(crate) fn check_exports(&mut self) {
        let parsed = self.parsed;
        let exports = parsed.stages.iter().filter_map(|stage| Some((stage, stage.export?)));
        for (stage, at) in exports.clone() {
            let name = &stage.name.text;
            if let Some(route) = &stage.route {
                let message =
                    format!("stage `{name}` runs when an item is exported, and a route picks an arm in a run");
                let diagnostic =
                    Diagnostic::at("export-stage", route.span, message).related(at, "`export` is set here");
                self.diagnostics.push(diagnostic.hint("remove one of them".to_owned()));
            }
            if stage.deferred {
                let message = format!("stage `{name}` runs when an item is exported, and is never deferred");
                self.diagnostics.push(Diagnostic::at("export-stage", at, message).hint("remove `deferred`".to_owned()));
            }
        }
        if let Some((_, at)) = exports.clone().next()
            && exports.count() == parsed.stages.len()
        {
            let message = "every stage runs when an item is exported, and a run needs another";
            let hint = "remove `export = true` from the stages whose results a run is for";
            self.diagnostics.push(Diagnostic::at("export-stage", at, message).hint(hint.to_owned()));
        }
    }
}
