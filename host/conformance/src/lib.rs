//! A conformance run: whether the extensions of a plugin keep the promises of the contract.
//!
//! [`examine`] puts each extension through the checks of one list and says which [`Level`] it reaches. An extension is
//! only ever seen from outside, as a pipeline sees it, so that its form and language make no difference.

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
