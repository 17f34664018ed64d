//! What is to happen at its time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::call::ReadyCall;
use crate::{batch::BatchId, batch_control::BatchControl, index::StageIdx};

/// What happens when a timer fires.
pub(super) enum TimerEvent {
    /// A batch may have run out of time.
    BatchDeadline(BatchId),
    /// A worker may be lost to a batch that ran out of time.
    WorkerLost(Arc<BatchControl>),
    /// A call of a stage is made again.
    CallAgain(StageIdx, ReadyCall),
}

/// A timer, ordered by its time; of two at the same time the one that was set first.
struct TimerEntry {
    at: Instant,
    number: u64,
    event: TimerEvent,
}

impl PartialEq for TimerEntry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for TimerEntry {}

impl PartialOrd for TimerEntry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerEntry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// The timers that have not fired.
#[derive(Default)]
pub(super) struct Timers {
    entries: BinaryHeap<Reverse<TimerEntry>>,
    set: u64,
}

impl Timers {
    /// Sets a timer.
    pub(super) fn set(&mut self, after: Duration, event: TimerEvent) {
        self.set += 1;
        self.entries.push(Reverse(TimerEntry { at: Instant::now() + after, number: self.set, event }));
    }

    /// When the next one fires.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes out the next one whose time has come.
    pub(super) fn pop_due(&mut self) -> Option<TimerEvent> {
        if self.next_at()? > Instant::now() {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry.event)
    }

    /// Whether a call waits to be made again.
    pub(super) fn has_retries(&self) -> bool {
        self.entries.iter().any(|Reverse(entry)| matches!(entry.event, TimerEvent::CallAgain(..)))
    }

    /// Drops the calls that wait to be made again.
    pub(super) fn drop_retries(&mut self) {
        self.entries.retain(|Reverse(entry)| !matches!(entry.event, TimerEvent::CallAgain(..)));
    }
}
