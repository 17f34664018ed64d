//! What the calls of each stage came to.

use hdrhistogram::Histogram;

use crate::store::{CallEnd, CallRow};

/// Times of calls, in microseconds, in flat memory.
pub(super) struct Times {
    micros: Histogram<u64>,
    /// Their sum.
    pub(super) total_us: u64,
}

impl Times {
    pub(super) fn new() -> Self {
        // One microsecond to eleven days at three significant digits.
        let micros =
            Histogram::new_with_bounds(1, 1_000_000_000_000, 3).unwrap_or_else(|_| unreachable!("constant bounds"));
        Self { micros, total_us: 0 }
    }

    pub(super) fn record(&mut self, took_us: u64) {
        self.total_us = self.total_us.saturating_add(took_us);
        self.micros.saturating_record(took_us.max(1));
    }

    pub(super) fn count(&self) -> u64 {
        self.micros.len()
    }

    /// The time that this share of the calls took at the most; 0 of none.
    pub(super) fn quantile(&self, share: f64) -> u64 {
        if self.micros.is_empty() { 0 } else { self.micros.value_at_quantile(share).min(self.micros.max()) }
    }

    pub(super) fn mean(&self) -> f64 {
        if self.micros.is_empty() { 0.0 } else { self.total_us as f64 / self.micros.len() as f64 }
    }

    /// Calls by time: exact up to three digits.
    pub(super) fn each(&self) -> impl Iterator<Item = (u64, u64)> {
        self.micros.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

/// What is told of a stage.
pub(super) struct StageFacts {
    /// Calls that ended with a document, whether made or taken from the memo.
    pub(super) ok: u64,
    /// Calls that failed for good.
    pub(super) failed: u64,
    /// Calls not made for want of a source.
    pub(super) skipped: u64,
    /// Calls made again.
    pub(super) retries: u64,
    /// Times of the calls that were made.
    pub(super) made: Times,
    /// Times of the calls whose results were in the memo.
    pub(super) hits: Times,
}

impl StageFacts {
    pub(super) fn new() -> Self {
        Self { ok: 0, failed: 0, skipped: 0, retries: 0, made: Times::new(), hits: Times::new() }
    }

    pub(super) fn add(&mut self, call: &CallRow) {
        match call.end {
            CallEnd::Ok => self.ok += 1,
            CallEnd::Failed => self.failed += 1,
            CallEnd::Skipped => {
                self.skipped += 1;
                return;
            }
        }
        self.retries = self.retries.saturating_add(call.attempts.saturating_sub(1));
        let times = if call.memo_hit == Some(true) { &mut self.hits } else { &mut self.made };
        times.record(call.took_us);
    }

    /// Calls that were answered, well or not.
    pub(super) fn calls(&self) -> u64 {
        self.ok + self.failed
    }

    /// Time spent in the stage, in microseconds.
    pub(super) fn total_us(&self) -> u64 {
        self.made.total_us.saturating_add(self.hits.total_us)
    }
}
