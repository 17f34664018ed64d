//! TEXT -> PLAN: a compiler for pipeline files. Every pass adds to one list of faults, so that all are reported at once.
//!
//! Each module uses only those above it:
//!
//! - `step`: the steps of a way into a value.
//! - `diagnostics`: places in texts, what is wrong there, and how that is shown.
//! - `schema`: what is known of a value before anything runs.
//! - `plan`: the [`Plan`], which is the outcome.
//! - `keys`: which keys a pipeline file may have, and the JSON Schema made of that.
//! - `syntax`: TEXT -> a tree of values with their places, whose shape is checked.
//! - `draft`: the tree -> [`Draft`], in which everything has its type and nothing is looked up.
//! - `check`: [`Draft`] and the extensions that there are -> [`Plan`].

mod check;
mod diagnostics;
mod draft;
mod keys;
mod plan;
mod schema;
mod step;
mod syntax;
#[cfg(test)]
mod tests;

pub use check::{check, tests_of};
pub use diagnostics::{Fault, FaultRecord, Faults, SourceId, SourceText, Sources, Span, Spanned, Style, hint_for};
pub use draft::{Draft, PluginEntry, Request, parse};
pub use keys::json_schema;
pub use plan::MOST_CALLS;
pub use plan::{
    ArmPlan, Budget, CachePlan, Concurrency, Expectation, ExtensionRef, InputExpr, InputPlan, ModelPlan, ObjectivePlan,
    OnError, OutputPlan, PathIdentities, Plan, Policy, Price, Rate, RoutePlan, SPEND_MEMBERS, Scope, SearchPlan,
    SearchStop, SearchTarget, Source, StagePlan, StudyPlace, TableEntry, TestPlan, TierPlan, ViewKind, ViewMarks, Wire,
};
pub use schema::{Alternative, Ty, View, alternatives};
pub use step::Step;
