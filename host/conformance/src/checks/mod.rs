//! The checks, a file for each family.

pub(super) mod batch;
pub(super) mod cache;
mod cache_runs;
pub(super) mod cancel;
pub(super) mod config;
pub(super) mod descriptor;
pub(super) mod determinism;
pub(super) mod direction;
pub(super) mod examples;
pub(super) mod generated;
pub(super) mod host_calls;
pub(super) mod input;
pub(super) mod memory_growth;
pub(super) mod model;
pub(super) mod policy;
pub(super) mod sandbox;
pub(super) mod schemas;
pub(super) mod search;
pub(super) mod tensors;
pub(super) mod unicode;
