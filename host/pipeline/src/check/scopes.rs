//! How often each stage runs: once a run, once an item, or once over all items.

use super::{checker::Checker, sources::Edge};
use crate::{
    diagnostics::Diagnostic,
    plan::{Scope, Source},
};

/// For each stage, whether it depends on an item, and whether on all of them.
pub(crate) struct Scopes {
    of_item: Vec<bool>,
    over_all: Vec<bool>,
}

impl Scopes {
    pub(crate) fn new(stages: usize, edges: &[Edge]) -> Self {
        let of_item = reached(stages, edges, |edge| !edge.over_all && matches!(edge.source, Source::Input));
        Self { of_item, over_all: reached(stages, edges, |edge| edge.over_all) }
    }

    /// The scope of a stage. One that depends on an item and on all of them is reported.
    pub(crate) fn of(&self, stage: usize) -> Scope {
        match (self.over_all.get(stage), self.of_item.get(stage)) {
            (Some(true), _) => Scope::All,
            (_, Some(true)) => Scope::Item,
            _ => Scope::Run,
        }
    }

    /// Whether the stage runs once an item.
    pub(crate) fn is_per_item(&self, stage: usize) -> bool {
        self.of(stage) == Scope::Item
    }

    /// How often the stage runs, in words.
    pub(crate) fn often(&self, stage: usize) -> &'static str {
        match self.of(stage) {
            Scope::Item => "once an item",
            Scope::Run => "once a run",
            Scope::All => "once over all items",
        }
    }

    fn is_mixed(&self, stage: usize) -> bool {
        self.over_all[stage] && self.of_item[stage]
    }
}

/// The stages with an edge like this, and all that read them. What reads all items does not depend on one.
fn reached(stages: usize, edges: &[Edge], begins: impl Fn(&Edge) -> bool) -> Vec<bool> {
    let mut readers = vec![Vec::new(); stages];
    let mut to_visit = Vec::new();
    for edge in edges {
        if begins(edge) {
            to_visit.push(edge.reader);
        }
        if let (Source::Stage(source), false) = (edge.source, edge.over_all) {
            readers[source].push(edge.reader);
        }
    }
    let mut reached = vec![false; stages];
    while let Some(stage) = to_visit.pop() {
        if !std::mem::replace(&mut reached[stage], true) {
            to_visit.extend(&readers[stage]);
        }
    }
    reached
}

impl Checker<'_> {
    /// Reports stages whose sources do not go together, and what a stage over all items cannot have.
    pub(crate) fn check_scopes(&mut self, edges: &[Edge], scopes: &Scopes) {
        let parsed = self.parsed;
        for edge in edges.iter().filter(|edge| edge.over_all) {
            let Source::Stage(source) = edge.source else { continue };
            let name = &parsed.stages[source].name.text;
            if scopes.is_per_item(source) {
                continue;
            }
            let often = scopes.often(source);
            let message = format!("stage `{name}` runs {often}: it does not have a value for each item");
            let hint = format!("read it as `{name}`, without `all`");
            self.diagnostics.push(Diagnostic::at("all-items", edge.span, message).hint(hint));
        }
        for (index, stage) in parsed.stages.iter().enumerate() {
            let name = &stage.name.text;
            if scopes.is_mixed(index) {
                self.report_mixed(index, edges, scopes);
            }
            if scopes.of(index) != Scope::All {
                continue;
            }
            if let Some(at) = stage.export {
                let message = format!("stage `{name}` runs when an item is exported, and cannot read all items");
                self.diagnostics.push(Diagnostic::at("all-items", at, message));
            }
            if stage.deferred {
                let message =
                    format!("stage `{name}` runs over all items, after the last of them, and is never deferred");
                let diagnostic = Diagnostic::at("all-items", stage.name.span, message);
                self.diagnostics.push(diagnostic.hint("remove `deferred`".to_owned()));
            }
        }
    }

    /// Reports a stage that depends on an item and on all of them, at the edge that says so last: not one that reads such a stage.
    fn report_mixed(&mut self, stage: usize, edges: &[Edge], scopes: &Scopes) {
        let name = |index: usize| self.parsed.stages[index].name.text.as_str();
        let of_stage = || edges.iter().filter(|edge| edge.reader == stage);
        let is_of_stage_like = |edge: &Edge, is: &[bool]| match edge.source {
            Source::Stage(source) => !edge.over_all && is[source],
            _ => false,
        };
        let over_all = of_stage().find(|edge| edge.over_all || is_of_stage_like(edge, &scopes.over_all));
        let of_item = of_stage().find(|edge| match edge.source {
            Source::Input => !edge.over_all,
            _ => is_of_stage_like(edge, &scopes.of_item),
        });
        let (Some(over_all), Some(of_item)) = (over_all, of_item) else { return };
        if over_all.span == of_item.span {
            return;
        }
        let source_of = |edge: &Edge| match edge.source {
            Source::Stage(source) => format!("`{}`", name(source)),
            _ => "`input`".to_owned(),
        };
        let message = format!(
            "stage `{}` reads an item and all items: what is made of all items is there after the last of them",
            name(stage)
        );
        let all = if over_all.over_all { "this reads all items" } else { "this runs over all items" };
        let diagnostic = Diagnostic::at("all-items", over_all.span, message)
            .label(all)
            .related(of_item.span, format!("{} is of one item", source_of(of_item)))
            .hint(
                "read every item's value: `all.STAGE.FIELD` or `all.input.FIELD` in place of `STAGE.FIELD`".to_owned(),
            );
        self.diagnostics.push(diagnostic);
    }
}
