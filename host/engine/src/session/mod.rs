//! One session of a run: items in, results out.

mod admit;
mod all_items;
mod finish;
mod items;
mod selected;
mod trials;

use std::{collections::BTreeMap, sync::Arc};

use jackfield_loader::sandbox::Admission;
use jackfield_pipeline::{Plan, Source, Wire};
use jackfield_plugin_api::Document;
use jackfield_store::{Blobs, FileNames, Record};
use serde_json::json;

use super::{
    columns::KeptValues,
    error::EngineError,
    input::{NoInput, value_of},
    item::{Item, StageState},
    predecessors::Predecessors,
    run_record::RunRecord,
    scheduler::Scheduler,
    source::InputReader,
    trial_limits::TrialLimits,
};

/// What stands at the end of wires, or why nothing does.
pub(super) type WireValues = Vec<Result<Document, String>>;

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// Every item is done.
    Done,
    /// It stopped before that.
    Stopped,
}

/// One session of a run, from the scheduler's thread: admits items to the [scheduler](super::scheduler), and reports and records
/// those that are done.
pub(super) struct Session<'p, 'k> {
    /// What is run.
    pub(super) plan: &'p Plan,
    /// For which stages each stage waits.
    pub(super) predecessors: &'p Predecessors,
    /// What opens the input of the plan.
    pub(super) inputs: &'p dyn InputReader,
    /// Where the run is recorded, if it is.
    pub(super) record: Option<&'p RunRecord>,
    /// Has the items in flight.
    pub(super) scheduler: Scheduler<'p, 'k>,
    /// The names of the items' folders so far.
    pub(super) folders: FileNames,
    /// What the items in flight take of the memory.
    pub(super) memory: ItemMemory,
    /// Make failed calls again even where the failure is for good.
    pub(super) retry_failed: bool,
    /// Its limits on trials.
    pub(super) trials: TrialLimits,
    /// The ids of the items that alone are asked for; empty if all are.
    pub(super) only: &'p [String],
    /// The folders of those items, by their position.
    pub(super) selected_folders: BTreeMap<u64, String>,
    /// Whether they are made again, if they are on the record.
    pub(super) is_redone: bool,
    /// How many items there are, where that is known.
    pub(super) known_items: Option<u64>,
    /// What is asked for of the last item.
    pub(super) wires: &'p [Wire],
    /// What stands there of the last item that is done.
    pub(super) values: WireValues,
    /// What stages over all items read of those that are done, where there is no record.
    pub(super) kept_values: KeptValues,
    /// How the stages over all items ended, and over how many items; none before that.
    pub(super) over_all: Option<(Item, u64)>,
}

/// Bytes of items in flight beyond which no further one is admitted.
const MAX_ITEM_BYTES: usize = 256 << 20;

/// Bytes of tensors that calls hold beyond which no further item is admitted.
const MAX_TENSOR_BYTES: u64 = 1 << 30;

/// What the items in flight take of the memory.
pub(super) struct ItemMemory {
    /// Whether sandboxed plugins wait for memory.
    pub(super) admission: Arc<Admission>,
    /// What their calls hold of tensors.
    pub(super) blobs: Arc<Blobs>,
    /// Bytes of their documents.
    pub(super) bytes: usize,
}

impl ItemMemory {
    /// Whether there is memory for another item.
    fn has_room(&self) -> bool {
        self.bytes < MAX_ITEM_BYTES && self.blobs.hold_less_than(MAX_TENSOR_BYTES) && !self.admission.is_short()
    }
}

impl<'p> Session<'p, '_> {
    /// Runs the stages that run once a run, then the items, then the stages over all of these.
    ///
    /// # Errors
    /// What ends the session before its end. What was finished until then is on the record.
    pub(super) fn run(&mut self) -> Result<SessionEnd, EngineError> {
        let event = if self.earlier_record().is_some() { "run-resumed" } else { "run-started" };
        self.record_event(json!({ "event": event }));
        let end = self.run_all();
        match end {
            Ok(SessionEnd::Done) => self.record_event(json!({ "event": "run-completed" })),
            Ok(SessionEnd::Stopped) => self.record_event(json!({ "event": "run-stopped" })),
            Err(_) => {}
        }
        // What was finished before an error is on the record all the same; the error's cause may be the record itself.
        let flushed = self.scheduler.flush();
        let end = end?;
        flushed?;
        Ok(end)
    }

    fn run_all(&mut self) -> Result<SessionEnd, EngineError> {
        let mut selected = None;
        if !self.only.is_empty() {
            // Before anything is run: an id may be misspelled.
            let Some(items) = self.select_items()? else { return Ok(SessionEnd::Stopped) };
            if let Some(record) = self.earlier_record().filter(|_| self.is_redone) {
                let forgotten = self.items_to_forget(record, &items)?;
                record.forget(&forgotten)?;
            }
            selected = Some(items);
        }
        if self.run_stages()? == SessionEnd::Stopped {
            return Ok(SessionEnd::Stopped);
        }
        let end = self.run_items(selected)?;
        self.run_over_all_items(end)?;
        Ok(end)
    }

    /// The record, if an earlier session has left something there.
    fn earlier_record(&self) -> Option<&'p RunRecord> {
        self.record.filter(|record| record.resumed)
    }

    fn record_event(&mut self, event: serde_json::Value) {
        self.scheduler.record(Record::Event(event));
    }

    /// Whether some stage that runs once a run has no result, or one that is not whole.
    pub(super) fn run_stages_flawed(&self) -> bool {
        self.scheduler.run_stages().iter().any(StageState::is_flawed)
    }

    /// What stands at the end of the wires that are asked for.
    pub(super) fn values_of(&self, item: &Item) -> WireValues {
        let run = self.scheduler.run_stages();
        let value = |wire: &Wire| {
            let value = value_of(wire, &|source| item.source_value(run, None, source));
            value.map_err(|none| match (none, wire.source) {
                (NoInput::NotFound(what), _) => what,
                (NoInput::NoResult(_), Source::Stage(stage)) => {
                    format!("stage `{}` has no result", self.plan.stages[stage].name)
                }
                (NoInput::Off(stage), _) => format!("stage `{}` is off", self.plan.stages[stage.get()].name),
                (NoInput::NoResult(_), _) => "there is no item".to_owned(),
            })
        };
        self.wires.iter().map(value).collect()
    }

    /// Whether what stages over all items read is kept until the end, as there is no record.
    fn keeps_values(&self) -> bool {
        self.record.is_none() && !self.plan.columns.is_empty()
    }

    /// Whether items get a folder with files.
    fn writes_files(&self) -> bool {
        self.record.is_some() && (self.plan.output.item_files || !self.plan.output.files.is_empty())
    }

    /// Whether what an item's stages spent is shown, and so counted.
    fn shows_spend(&self) -> bool {
        self.plan.output.show.iter().any(|(_, wire)| wire.source == Source::Spend)
    }
}
