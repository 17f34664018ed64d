//! What is reported of a run while it is under way.

use std::path::PathBuf;

use jackfield_engine::{Event, Observer};
use jackfield_pipeline::Plan;
use tokio::sync::mpsc::Sender;

use crate::results::ItemResult;

/// Something that happened in a run. Messages are as plugins and servers worded them, and not escaped for a terminal.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// The run has begun.
    Started {
        /// Its folder; none for a run in memory.
        folder: Option<PathBuf>,
    },
    /// The items are about to be read.
    Items {
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// A stage got calls to make, or answers to some.
    Progress {
        /// Name of the stage.
        stage: String,
        /// Calls known of so far.
        known: u64,
        /// Calls answered so far, well or not.
        done: u64,
    },
    /// A call failed and is made again.
    Retry {
        /// Name of the stage.
        stage: String,
        /// Id of the item; empty for a stage that runs once a run.
        item: String,
        /// Why.
        message: String,
    },
    /// A call failed for good.
    CallFailed {
        /// Name of the stage.
        stage: String,
        /// Id of the item; empty for a stage that runs once a run.
        item: String,
        /// Kind of the failure.
        kind: String,
        /// Why.
        message: String,
    },
    /// An item is done: what came of it, output documents included, before its files are written. Of a run that goes on, only items that are finished now
    /// are reported; [`Run::results`](crate::Run::results) has all of them.
    Item(Box<ItemResult>),
    /// No new work is begun; what is under way ends.
    Draining,
}

/// Where events go. Whoever takes them sets the pace; nobody need take them.
pub(crate) type EventSender = Sender<RunEvent>;

/// Reports a run's events to the program that embeds it.
pub(crate) struct Reporter<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) events: EventSender,
}

impl Reporter<'_> {
    fn stage(&self, index: usize) -> String {
        self.plan.stages[index].name.clone()
    }
}

impl Observer for Reporter<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if self.events.is_closed() {
            return;
        }
        let event = match event {
            Event::Items { total } => RunEvent::Items { total: *total },
            Event::Stage { stage, known, done } => {
                RunEvent::Progress { stage: self.stage(*stage), known: *known, done: *done }
            }
            Event::Retry { stage, item, failure, .. } => RunEvent::Retry {
                stage: self.stage(*stage),
                item: (*item).to_owned(),
                message: failure.message().to_owned(),
            },
            Event::CallFailed { stage, item, failure, timed_out } => RunEvent::CallFailed {
                stage: self.stage(*stage),
                item: (*item).to_owned(),
                kind: if *timed_out { "timed-out" } else { failure.kind().name() }.to_owned(),
                message: failure.message().to_owned(),
            },
            Event::Draining { .. } => RunEvent::Draining,
            // What came of an item is reported as it goes on the record, and the rest is for meters.
            Event::ItemDone { .. }
            | Event::Unreadable { .. }
            | Event::Called { .. }
            | Event::Completion { .. }
            | Event::Shown { .. } => return,
        };
        // Nobody takes events any more: the run goes on.
        let _ = self.events.blocking_send(event);
    }
}
