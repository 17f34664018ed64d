//! What is counted of a model's completions.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use jackfield_plugin_api::{Failure, Usage, sync::lock};
use jackfield_store::{AnswerSource, ModelCount, sum};

/// The counts of a model, over all runs of the process.
#[derive(Default)]
pub(super) struct Counters {
    /// Completions that a call answered.
    calls: AtomicU64,
    /// Completions that were answered without a call.
    cached: AtomicU64,
    /// Completions that failed.
    failed: AtomicU64,
    /// Tries beyond the first one of a completion.
    pub(super) retries: AtomicU64,
    /// Tokens and US dollars.
    spent: Mutex<(Usage, f64)>,
}

impl Counters {
    /// The counts so far.
    pub(super) fn count(&self) -> ModelCount {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (usage, usd) = *lock(&self.spent);
        ModelCount {
            calls: read(&self.calls),
            cached: read(&self.cached),
            failed: read(&self.failed),
            retries: read(&self.retries),
            tokens_in: usage.input,
            tokens_out: usage.output,
            tokens_cached: usage.cached_input,
            tokens_cache_write: usage.cache_write,
            tokens_reasoning: usage.reasoning,
            usd,
        }
    }

    /// Counts a completion that has ended.
    pub(super) fn count_ended(&self, failure: Option<&Failure>, source: &AnswerSource) {
        match (failure, source) {
            (Some(_), _) => &self.failed,
            (None, AnswerSource::Call) => &self.calls,
            (None, _) => &self.cached,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what a call cost.
    pub(super) fn count_spending(&self, usage: Usage, usd: f64) {
        let mut spent = lock(&self.spent);
        let (total_usage, total_usd) = &mut *spent;
        *total_usage = sum(*total_usage, usage);
        *total_usd += usd;
    }
}
