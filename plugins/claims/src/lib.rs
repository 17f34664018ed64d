//! This plugin measures how likely a language model holds a claim to be: it asks for the probability in many wordings, several
//! times each, and estimates one number with an interval of 95 % from the answers. It retrieves nothing and does not judge
//! whether the claim is true.
//!
//! | analyzer | what it does |
//! | --- | --- |
//! | `claim-plan` | says which wordings are asked, and how often |
//! | `claim-sample` | asks a model once and checks the answer |
//! | `claim-estimate` | estimates the probability from the answers, with a clustered bootstrap in logit space |
//!
//! The numbers are computed by the public modules, which need no host, no clock and no network.
#![forbid(unsafe_code)]

pub mod address;
pub mod arithmetic;
pub mod bank;
mod bank_file;
mod claim_estimate;
mod claim_plan;
mod claim_sample;
pub mod estimate;
mod execution;
mod names;
mod record;
pub mod score;
pub mod seed;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod validity;
pub mod worklist;

pub use claim_estimate::ClaimEstimate;
pub use claim_plan::ClaimPlan;
pub use claim_sample::ClaimSample;
pub use record::{Claim, Execution, Plan, Sample, Slot};

jackfield_plugin_api::export_plugin!(ClaimPlan, ClaimSample, ClaimEstimate);
