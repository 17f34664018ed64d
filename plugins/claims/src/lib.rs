//! Analyzers that measure how likely a model holds a claim to be, with no retrieval: paraphrases x replicates, aggregated in
//! logit space with a clustered bootstrap.
//!
//! `claim-plan` says what to ask, `claim-sample` asks once, `claim-estimate` adds the answers up. The numbers are those of
//! the public modules, which need no host, no clock and no network.
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod bank;
pub mod estimate;
mod estimating;
pub mod numpy;
mod planning;
mod record;
mod sampling;
pub mod score;
pub mod seed;
#[cfg(test)]
mod testing;
pub mod validity;
pub mod worklist;

pub use estimating::ClaimEstimate;
pub use planning::ClaimPlan;
pub use record::{Claim, Execution, Plan, Sample, Slot};
pub use sampling::ClaimSample;

jackfield_plugin_api::export_plugin!(ClaimPlan, ClaimSample, ClaimEstimate);
