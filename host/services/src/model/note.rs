//! What is counted of completions.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use jackfield_plugin_api::{Failure, Usage};
use jackfield_store::{AnswerSource, ModelCount, sum};

#[derive(Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) cached: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) spent: Mutex<(Usage, f64)>,
}

impl Counters {
    /// The counts so far.
    pub(super) fn count(&self) -> ModelCount {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (usage, usd) = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        ModelCount {
            calls: count(&self.calls),
            cached: count(&self.cached),
            failed: count(&self.failed),
            retries: count(&self.retries),
            tokens_in: usage.input,
            tokens_out: usage.output,
            usd,
        }
    }

    /// Counts a completion that has ended.
    pub(super) fn ended(&self, failure: Option<&Failure>, source: &AnswerSource) {
        match (failure, source) {
            (Some(_), _) => &self.failed,
            (None, AnswerSource::Call) => &self.calls,
            (None, _) => &self.cached,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what a call cost.
    pub(super) fn paid(&self, usage: Usage, usd: f64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.0 = sum(spent.0, usage);
        spent.1 += usd;
    }
}
