//! The plan of an export: one stage alone, whose input is known.

use super::{
    pipeline_plan::Plan,
    prune::prune,
    stage::{Scope, StagePlan},
    wire::{InputExpr, Source, Wire},
};

impl Plan {
    /// The plan in which one of the [exports](Plan::exports) runs alone, with an item as its input, and with the services that
    /// it needs. Nothing of it comes from a cache: an export is made for what it writes.
    #[must_use]
    pub fn of_export(&self, export: &StagePlan) -> Self {
        let alone = StagePlan {
            input: InputExpr::Wire(Wire { source: Source::Input, path: Vec::new() }),
            scope: Scope::Item,
            for_each: None,
            repeat: None,
            when: None,
            reads: Vec::new(),
            ..export.clone()
        };
        let whole =
            Self { stages: vec![alone], search: None, exports: Vec::new(), columns: Vec::new(), ..self.clone() };
        prune(&whole, &[0]).0
    }
}
