//! TEXT -> PLAN: a compiler for pipeline files. Every pass adds to one list of faults, so that all are reported at once.
//!
//! - `source`, `faults`, `masking`, `render`, `suggest`: places in texts, and what is wrong there.
//! - `tree`, `overrides`, `params`, `keys`, `service_keys`, `route_keys`, `search_keys`, `test_keys`, `shape`, `values`, `wire`, `syntax`, `service_draft`, `route_draft`, `search_draft`, `test_draft`, `trust`: TEXT -> [`Draft`].
//! - `schema`, `check`: [`Draft`] and the extensions there are -> [`Plan`].
//! - `graph`: which stage comes after which.
//! - `json_schema`: the schema of the file itself.

mod check;
mod draft;
mod export_plan;
mod faults;
mod graph;
mod json_schema;
mod keys;
mod masking;
mod overrides;
mod params;
mod plan;
mod render;
mod route_draft;
mod route_keys;
mod schema;
mod search_draft;
mod search_keys;
mod search_plan;
mod service_draft;
mod service_keys;
mod shape;
mod source;
mod suggest;
mod syntax;
mod test_draft;
mod test_keys;
mod test_plan;
#[cfg(test)]
mod tests;
mod tree;
mod trust;
mod values;
mod wire;

pub use check::{check, tests_of};
pub use draft::{Draft, PluginEntry};
pub use faults::{Fault, FaultRecord, Faults};
pub use json_schema::json_schema;
pub(crate) use plan::MOST_CALLS;
pub use plan::{
    ArmPlan, Budget, CachePlan, Concurrency, ExtensionRef, InputExpr, InputPlan, ModelPlan, ObjectivePlan, OnError,
    OutputPlan, PathIdentities, Plan, Policy, Price, Rate, RoutePlan, SPEND_MEMBERS, Scope, Source, StagePlan, Step,
    TableEntry, TierPlan, Wire,
};
pub use render::Style;
pub(crate) use schema::{Alternative, Ty, View, alternatives};
pub use schema::{ViewKind, ViewMarks};
pub use search_plan::{SearchPlan, SearchStop, SearchTarget, StudyPlace};
pub use source::{Source as SourceText, SourceId, Sources, Span, Spanned};
pub use suggest::hint_for;
pub use syntax::{Request, parse};
pub use test_plan::{Expectation, TestPlan};
