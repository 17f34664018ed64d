//! The plan: a checked pipeline as a value, which the engine runs.

mod config_identity;
mod export;
mod extension;
mod graph;
mod input;
mod output;
mod pipeline_plan;
mod prune;
mod route;
mod search;
mod service;
mod stage;
mod test;
mod variable;
mod views;
mod wire;

pub use config_identity::PathIdentities;
pub use extension::ExtensionRef;
pub(crate) use input::max_item_size;
pub use input::{InputPlan, STANDARD_INPUT};
pub use output::{OutputPlan, RecordedCalls};
pub use pipeline_plan::Plan;
pub(crate) use pipeline_plan::kept_back;
pub(crate) use prune::prune;
pub use route::{ArmPlan, ObjectivePlan, RoutePlan};
pub(crate) use search::pointer;
pub use search::{SearchPlan, SearchStop, SearchTarget, StudyFile};
pub use service::{Budget, CachePlan, Concurrency, ModelPlan, Price, Rate, TierPlan};
pub use stage::MOST_CALLS;
pub use stage::{OnError, Policy, Scope, StagePlan};
pub(crate) use test::TestItem;
pub use test::{Expectation, TestPlan};
pub use variable::EnvironmentVariable;
pub use views::{ViewKind, ViewMarks};
pub use wire::{InputExpr, SPEND_MEMBERS, Source, TableEntry, Wire};
