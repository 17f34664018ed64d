//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows the contract of plugins to a list of checks: [`examine`] puts each extension of a plugin through the
//! checks of its kind, and says which [`Level`] it reaches. An extension is only ever seen from outside, as a pipeline sees
//! it, so that its form and language make no difference.
//!
//! - `catalogue`, `examine`, `report`: the list of checks, what runs them, and what they found.
//! - `checks/`: the checks, a file for each family.
//! - `extension_under_test`, `setup`, `call_runner`: the extension under examination, its configurations, and calls that are bounded in time.
//! - `host`, `key_value_server`, `tensors`: a host that answers by a script.
//! - `value_generator`, `inputs`, `schema`, `studies`: the inputs that are made up.
//!
//! Invariant: it needs no engine.
//!
//! See docs/architecture.md in the repository.

mod call_runner;
mod catalogue;
mod checks;
mod examine;
mod extension_under_test;
mod host;
mod inputs;
mod key_value_server;
mod report;
mod schema;
mod setup;
mod studies;
mod tensors;
mod value_generator;

pub use catalogue::{CheckInfo, every_check};
pub use examine::{Ask, Servers, Settings, examine};
pub use report::{CheckReport, ExtensionReport, Finding, Level, Outcome, Report};
