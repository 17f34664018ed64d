//! Stages that run when an item is exported.

use super::checker::Checker;
use crate::diagnostics::Fault;

impl Checker<'_> {
    /// A stage that runs at export is no part of a run: nothing picks its arm, and there is no run without another stage.
    pub(crate) fn exports(&mut self) {
        let draft = self.draft;
        let exports = draft.stages.iter().filter_map(|stage| Some((stage, stage.export?)));
        for (stage, at) in exports.clone() {
            let name = &stage.name.text;
            if let Some(route) = &stage.route {
                let message =
                    format!("stage `{name}` runs when an item is exported, and a route picks an arm in a run");
                let fault = Fault::at("export-stage", route.span, message).related(at, "`export` stands here");
                self.faults.push(fault.hint("take one of them off".to_owned()));
            }
            if stage.deferred {
                let message = format!("stage `{name}` runs when an item is exported, and is never deferred");
                self.faults.push(Fault::at("export-stage", at, message).hint("take `deferred` off".to_owned()));
            }
        }
        if let Some((_, at)) = exports.clone().next()
            && exports.count() == draft.stages.len()
        {
            let message = "every stage runs when an item is exported, and a run needs another";
            let hint = "take `export = true` off the stages whose results a run is for";
            self.faults.push(Fault::at("export-stage", at, message).hint(hint.to_owned()));
        }
    }
}
