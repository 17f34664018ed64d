//! The calls of each stage: how many there were, how they ended, and how long they took.

use jackfield_store::{CallEnd, CallRow};

use super::times::Times;

/// The calls of a stage.
pub(super) struct StageStats {
    /// Calls that ended with a document, whether made or taken from the memo.
    pub(super) ok: u64,
    /// Calls that failed for good.
    pub(super) failed: u64,
    /// Calls not made because what they would have read was not there.
    pub(super) skipped: u64,
    /// Calls not made because the stage was off.
    pub(super) off: u64,
    /// Calls that were made again after a failure.
    pub(super) retries: u64,
    /// Times of the calls that were made.
    pub(super) made: Times,
    /// Times of the calls whose results were in the memo.
    pub(super) hits: Times,
}

impl StageStats {
    pub(super) fn new() -> Self {
        Self { ok: 0, failed: 0, skipped: 0, off: 0, retries: 0, made: Times::new(), hits: Times::new() }
    }

    pub(super) fn add(&mut self, call: &CallRow) {
        match call.end {
            CallEnd::Ok => self.ok += 1,
            CallEnd::Failed => self.failed += 1,
            CallEnd::Off => {
                self.off += 1;
                return;
            }
            CallEnd::Skipped => {
                self.skipped += 1;
                return;
            }
        }
        self.retries = self.retries.saturating_add(call.attempts.saturating_sub(1));
        let times = if call.memo_hit == Some(true) { &mut self.hits } else { &mut self.made };
        times.record(call.took_us);
    }

    /// Calls that ended with a document or a failure.
    pub(super) fn calls(&self) -> u64 {
        self.ok + self.failed
    }

    /// Time spent in the stage, in microseconds.
    pub(super) fn total_us(&self) -> u64 {
        self.made.total_us.saturating_add(self.hits.total_us)
    }
}
