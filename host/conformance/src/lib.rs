//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows the contract of plugins to a list of checks: [`examine`] puts each extension of a plugin through the
//! checks of its kind, and says which [`Level`] it reaches. An extension is only ever seen from outside, as a pipeline sees
//! it, so that its form and language make no difference.
//!
//! - `catalogue`, `examine`, `report`: the list of checks, what runs them, and what they found.
//! - `checks/`: the checks, a file for each family.
//! - `subject`, `setup`, `bench`: the extension under examination, its configurations, and calls that are bounded in time.
//! - `host`, `store`, `tensors`: a host that answers by a script.
//! - `generate`, `inputs`, `schema`, `studies`: the inputs that are made up.
//!
//! Invariant: it needs no engine.
//!
//! See docs/architecture.md in the repository.

mod bench;
mod catalogue;
mod checks;
mod examine;
mod generate;
mod host;
mod inputs;
mod report;
mod schema;
mod setup;
mod store;
mod studies;
mod subject;
mod tensors;

pub use catalogue::{CheckInfo, every_check};
pub use examine::{Settings, examine};
pub use report::{CheckReport, ExtensionReport, Finding, Level, Outcome, Report};
