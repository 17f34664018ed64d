//! What the run that is at work gives its models: a record to write to, and a place for tensors.

use std::sync::{Arc, Mutex};

use jackfield_plugin_api::sync::lock;
use jackfield_store::{Blobs, Ledger};

use super::run_budget::RunBudget;

/// The record and the tensors of the run that is at work. A model is opened before its run begins, so both are set later.
pub(super) struct CurrentRun {
    /// Where what is spent is written, as long as a run with a record is at work.
    ledger: Mutex<Option<Ledger>>,
    /// Where tensors go to and come from. In memory as long as no run says otherwise.
    blobs: Mutex<Arc<Blobs>>,
    /// What the run may cost in all, if that is bounded.
    budget: Mutex<Option<Arc<RunBudget>>>,
}

impl CurrentRun {
    /// No run as yet: nothing is written, and tensors are in memory.
    pub(super) fn none() -> Self {
        Self { ledger: Mutex::default(), blobs: Mutex::new(Blobs::in_memory(u64::MAX)), budget: Mutex::default() }
    }

    pub(super) fn set_ledger(&self, ledger: Option<Ledger>) {
        *lock(&self.ledger) = ledger;
    }

    pub(super) fn set_blobs(&self, blobs: Arc<Blobs>) {
        *lock(&self.blobs) = blobs;
    }

    pub(super) fn set_budget(&self, budget: Option<Arc<RunBudget>>) {
        *lock(&self.budget) = budget;
    }

    pub(super) fn budget(&self) -> Option<Arc<RunBudget>> {
        lock(&self.budget).clone()
    }

    pub(super) fn ledger(&self) -> Option<Ledger> {
        lock(&self.ledger).clone()
    }

    pub(super) fn blobs(&self) -> Arc<Blobs> {
        Arc::clone(&lock(&self.blobs))
    }
}
