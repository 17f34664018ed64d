//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate compiles pipeline files: it narrows the text of a pipeline to a [`Plan`], a value that the engine runs, or to a list
//! of all that is wrong. Every pass adds to one list of diagnostics, so that all of them are reported at once.
//!
//! Invariant: it reads files and runs nothing.
//!
//! The modules, each of which uses only those above it:
//!
//! - `step`: the steps of a path into a value.
//! - `diagnostics`: spans in texts, what is wrong there, and how that is shown.
//! - `schema`: what is known of a value before anything runs.
//! - `plan`: the [`Plan`], which is the outcome.
//! - `keys`: which keys a pipeline file may have, and the JSON Schema made of that.
//! - `syntax`: turns the text into a tree of values with their spans, and checks the shape of every value.
//! - `parsed`: turns the tree into a [`ParsedPipeline`], in which every value has its type and no name is resolved.
//! - `check`: turns a [`ParsedPipeline`] and the extensions of the loaded plugins into a [`Plan`].
//!
//! See docs/architecture.md in the repository.

mod check;
mod diagnostics;
mod keys;
mod parsed;
mod plan;
mod schema;
mod step;
mod syntax;
#[cfg(test)]
mod tests;

pub use check::{check, tests_of};
pub use diagnostics::{
    Diagnostic, DiagnosticRecord, Diagnostics, SourceId, SourceText, Sources, Span, Spanned, Style, hint_for,
};
pub use keys::{editor_schema, json_schema};
pub use parsed::{ParsedPipeline, PluginEntry, Request, SeenItems, parse};
pub use plan::MOST_CALLS;
pub use plan::{
    ArmPlan, Budget, CachePlan, ColumnPlan, Concurrency, Condition, EnvironmentVariable, Expectation, ExtensionRef,
    InputExpr, InputPlan, ModelPlan, ObjectivePlan, OnError, OutputPlan, PathIdentities, Plan, Policy, Price, Rate,
    RecordedCalls, RequirementPlan, RoutePlan, SPEND_MEMBERS, STANDARD_INPUT, Scope, SearchPlan, SearchStop,
    SearchTarget, Source, StagePlan, StudyFile, TableEntry, TestPlan, TierPlan, ViewKind, ViewMarks, WhenPlan, Wire,
};
pub use schema::{Alternative, JsonType, View, alternatives, output_schema, output_schema_of_any, schema_violation};
pub use step::Step;
pub use syntax::wire::source_and_path;
