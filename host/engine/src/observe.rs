//! What those who watch a run learn of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_plugin_api::Failure;
use jackfield_services::Exhausted;
use jackfield_store::{CompletionRecord, ItemCounts, ItemState};

/// Something that happened. Borrowed: an observer keeps what it needs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stage's calls grew or were answered.
    Stage {
        /// Index in the plan.
        stage: usize,
        /// Calls known of so far.
        known: u64,
        /// Calls answered so far, well or not.
        done: u64,
    },
    /// A call failed for good.
    CallFailed {
        /// Index in the plan.
        stage: usize,
        /// Id of the item.
        item: &'a str,
        /// Why.
        failure: &'a Failure,
        /// Whether it ran out of time.
        timed_out: bool,
    },
    /// A call failed and is made again.
    Retry {
        /// Index in the plan.
        stage: usize,
        /// Id of the item.
        item: &'a str,
        /// Why.
        failure: &'a Failure,
        /// How long it waits.
        after: Duration,
    },
    /// The items are about to be read.
    Items {
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// An item could not be read.
    Unreadable {
        /// Id of the item.
        item: &'a str,
        /// Why.
        fault: &'a str,
    },
    /// An item is done.
    ItemDone {
        /// Id of the item.
        item: &'a Arc<str>,
        /// How it ended.
        state: ItemState,
        /// When it was admitted, unless it was done before the session.
        admitted: Option<Instant>,
        /// Items so far.
        counts: ItemCounts,
        /// Items still in flight.
        in_flight: usize,
    },
    /// A call was answered for good, well or not.
    Called {
        /// Index of the stage in the plan.
        stage: usize,
        /// Id of the item.
        item: &'a str,
        /// When its batch was begun.
        began: Instant,
        /// How long it took: its share of the batch.
        took: Duration,
        /// Tries, the last included.
        attempts: u32,
        /// Whether the result was in the memo.
        from_memo: bool,
        /// Why it failed, if it did.
        failure: Option<&'a Failure>,
    },
    /// A completion was asked for and answered, well or not.
    Completion {
        /// Index of the stage in the plan.
        stage: usize,
        /// What is recorded of it.
        completion: &'a CompletionRecord,
    },
    /// Something of an item is there that the pipeline wants shown.
    Shown {
        /// Id of the item.
        item: &'a str,
        /// Name of the line.
        name: &'a str,
        /// A string as it is, anything else as JSON.
        text: &'a str,
    },
    /// No new work is begun; what is in flight ends.
    Draining {
        /// The model that has no more of something, if that is why.
        exhausted: Option<&'a Exhausted>,
    },
}

/// Watches a run, from the scheduler's thread: it must be quick.
pub trait Observer {
    /// Takes note of an event.
    fn on(&mut self, event: &Event<'_>);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&mut self, _event: &Event<'_>) {}
}
