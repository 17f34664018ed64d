//! One session of a run: items in, results out.

use std::sync::Arc;

use jackfield_loader::{escape_untrusted, sandbox::Admission};
use jackfield_pipeline::{Plan, Scope, Source, Wire};
use jackfield_plugin_api::Document;
use jackfield_store::{
    Answer, Blobs, Db, FileNames, ItemDone, ItemFiles, ItemRow, ItemState, Ledger, NewItem, Record, RunFolder, RunJson,
    Spend, files_are_whole, named_tensors,
};

use super::{
    error::EngineError,
    input::{Given, NoInput, text_of, value_of},
    item::{Earlier, Item, Slot},
    item_digest::item_digest,
    item_files::pretty,
    observe::Event,
    scheduler::{Scheduler, Turn},
    source::{self, Chunk, SourceItem},
    trials::{Begun, NextTrial, TrialLimits, trial_document},
};

/// Bytes of items in work beyond which no further one is taken up.
const BYTES_IN_WORK: usize = 256 << 20;

/// Bytes of tensors that calls hold beyond which no further item is taken up.
const TENSORS_IN_USE: u64 = 1 << 30;

/// Where a run is recorded.
pub(super) struct Tape {
    pub(super) folder: RunFolder,
    pub(super) run: RunJson,
    pub(super) db: Db,
    pub(super) session: i64,
    /// There is something on the record from before.
    pub(super) resumed: bool,
    /// For those who wait until something is on the record.
    pub(super) ledger: Ledger,
    /// The tensors of the run.
    pub(super) blobs: Arc<Blobs>,
}

/// What stands at the end of wires, or why nothing does.
pub(super) type Values = Vec<Result<Document, String>>;

/// How a session ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Done,
    Stopped,
}

/// One session of a run, from the scheduler's thread.
pub(super) struct Session<'p, 'k> {
    pub(super) plan: &'p Plan,
    /// For which stages each stage waits.
    pub(super) waits: Vec<Vec<usize>>,
    pub(super) tape: Option<&'p Tape>,
    pub(super) scheduler: Scheduler<'p, 'k>,
    pub(super) folders: FileNames,
    pub(super) admission: Arc<Admission>,
    pub(super) blobs: Arc<Blobs>,
    /// Bytes of the items in work.
    pub(super) bytes: usize,
    pub(super) retry_failed: bool,
    /// Its limits on trials.
    pub(super) trials: TrialLimits,
    /// What is asked for of the last item.
    pub(super) wires: &'p [Wire],
    pub(super) values: Values,
}

impl Session<'_, '_> {
    pub(super) fn all(&mut self) -> Result<End, EngineError> {
        let resumed = self.tape.is_some_and(|tape| tape.resumed);
        self.event(serde_json::json!({ "event": if resumed { "run-resumed" } else { "run-started" } }));
        let end = self.run_stages().and_then(|end| match end {
            End::Done => self.items(),
            End::Stopped => Ok(End::Stopped),
        });
        match end {
            Ok(End::Done) => self.event(serde_json::json!({ "event": "run-completed" })),
            Ok(End::Stopped) => self.event(serde_json::json!({ "event": "run-stopped" })),
            Err(_) => {}
        }
        // What was finished before an error is on the record all the same; the error's cause may be the record itself.
        let flushed = self.scheduler.flush();
        end.and_then(|end| flushed.map(|()| end))
    }

    fn event(&mut self, event: serde_json::Value) {
        self.scheduler.note(Record::Event(event));
    }

    /// The stages that run once a run: done before the first item is taken up.
    fn run_stages(&mut self) -> Result<End, EngineError> {
        let mut item = Item::new((self.plan, &self.waits), Scope::Run, (-1, "".into(), 0), Document::new("{}"));
        if item.open == 0 {
            self.scheduler.keep_run_slots(item.slots);
            return Ok(End::Done);
        }
        item.earlier = self.earlier(-1)?;
        self.scheduler.take(item);
        loop {
            if let Some(item) = self.scheduler.finished().pop() {
                self.scheduler.keep_run_slots(item.slots);
                return Ok(End::Done);
            }
            if let Some(Turn::Aborted | Turn::Idle) = self.scheduler.turn::<Chunk>(None)? {
                return Ok(End::Stopped);
            }
        }
    }

    pub(super) fn run_stages_flawed(&self) -> bool {
        self.scheduler.run_slots().iter().any(|slot| match slot {
            Slot::Failed | Slot::Skipped => true,
            Slot::Done { flawed, .. } => *flawed,
            _ => false,
        })
    }

    fn items(&mut self) -> Result<End, EngineError> {
        if !self.plan.stages.iter().any(|stage| stage.scope == Scope::Item) {
            return Ok(End::Done);
        }
        let shows_spend = self.plan.output.show.iter().any(|(_, wire)| wire.source == Source::Spend);
        if let Some(tape) = self.tape.filter(|tape| tape.resumed && shows_spend) {
            tape.db.index_spend()?;
        }
        let (source, total) = source::read(&self.plan.input)?;
        self.scheduler.tell(&Event::Items { total });
        let mut source = Some(source);
        let mut waiting: std::vec::IntoIter<SourceItem> = Vec::new().into_iter();
        loop {
            while self.has_room()
                && let Some(next) = waiting.as_slice().first()
            {
                match self.next_trial(next.index)? {
                    NextTrial::Waits => break,
                    NextTrial::Stops => {
                        source = None;
                        waiting = Vec::new().into_iter();
                    }
                    NextTrial::Begins => {
                        if let Some(item) = waiting.next() {
                            self.take_up(item)?;
                        }
                    }
                }
            }
            for place in self.scheduler.reported() {
                self.report(place);
            }
            let finished = self.scheduler.finished();
            let any = !finished.is_empty();
            finished.into_iter().for_each(|item| self.finish(item));
            if self.scheduler.draining() {
                source = None;
            } else if any && waiting.len() > 0 {
                // The next trial may have waited for one of them.
                continue;
            }
            let listen = source.as_ref().filter(|_| waiting.len() == 0 && self.has_room());
            match self.scheduler.turn(listen)? {
                Some(Turn::Items(items)) => waiting = items?.into_iter(),
                Some(Turn::SourceEnded) => source = None,
                Some(Turn::Aborted) => return Ok(End::Stopped),
                Some(Turn::Idle) => {
                    for item in self.scheduler.finished() {
                        self.finish(item);
                    }
                    if self.scheduler.draining() {
                        return Ok(End::Stopped);
                    }
                    if source.is_none() && waiting.len() == 0 && self.scheduler.in_work() == 0 {
                        return Ok(End::Done);
                    }
                }
                None => {}
            }
        }
    }

    fn has_room(&self) -> bool {
        let in_work = self.scheduler.in_work();
        let fits = in_work < self.plan.max_in_flight && self.has_memory() && !self.admission.is_short();
        !self.scheduler.draining() && (in_work == 0 || fits)
    }

    /// Whether the items in work leave memory for another: with what their calls hold of tensors.
    fn has_memory(&self) -> bool {
        self.bytes < BYTES_IN_WORK && self.blobs.hold_less_than(TENSORS_IN_USE)
    }

    fn take_up(&mut self, read: SourceItem) -> Result<(), EngineError> {
        // Also for an item that cannot be read: a name depends on the ids before it, and on nothing else.
        let folder = if self.writes_files() { self.folders.name(&read.id) } else { String::new() };
        let before = match self.tape.filter(|tape| tape.resumed) {
            Some(tape) => tape.db.item(read.index)?,
            None => None,
        };
        // An item that could not be read then is as good as new, and may have its own id now.
        let before = before.filter(ItemRow::was_read);
        if let (Some(tape), Some(row)) = (self.tape, &before)
            && row.id != *read.id
        {
            let (was, now) = (row.id.clone(), read.id.to_string());
            return Err(EngineError::ItemsDiffer { place: read.index + 1, was, now, run: tape.folder.id() });
        }
        let is_done =
            before.as_ref().and_then(|row| ItemState::from_name(row.state.as_deref()?)).is_some_and(ItemState::is_done);
        // What came of a trial is learned from: without it, the trial is made again, from the results that are there.
        let is_done = is_done && self.trial_is_known(read.index)?;
        let document = match read.document {
            Ok(document) => document,
            // What is done needs its document no more.
            Err(_) if is_done => return self.pass(read.index, &read.id),
            Err(fault) => {
                let digest = before.and_then(|row| row.digest.try_into().ok()).unwrap_or_default();
                self.unreadable(NewItem { index: read.index, id: read.id, digest }, fault.message);
                return Ok(());
            }
        };
        let (document, trial) = match self.trial(read.index)? {
            Begun::Nothing => (document, None),
            Begun::Trial(trial) => (trial_document(&trial), Some(trial)),
            Begun::Failed(fault) => {
                self.unreadable(NewItem { index: read.index, id: read.id, digest: [0; 32] }, fault);
                return Ok(());
            }
        };
        if let Some(fault) = names_tensors(&document) {
            self.unreadable(NewItem { index: read.index, id: read.id, digest: [0; 32] }, fault);
            return Ok(());
        }
        let digest = self.tape.map_or([0; 32], |_| item_digest(&self.plan.input, &document));
        if let (Some(tape), Some(row)) = (self.tape, before) {
            if row.digest != digest {
                return Err(EngineError::ItemChanged { item: row.id, run: tape.folder.id() });
            }
            if is_done && self.has_its_files(&folder, row.files_sum) {
                return self.pass(read.index, &read.id);
            }
        }
        // Also of an item that is not on the record any more, since its row was damaged.
        let known = match self.tape.filter(|tape| tape.resumed) {
            Some(tape) => tape.db.routes_of(read.index)?,
            None => Vec::new(),
        };
        let earlier = self.earlier(read.index as i64)?;
        self.bytes += document.len();
        self.scheduler.note(Record::Item(NewItem { index: read.index, id: Arc::clone(&read.id), digest }));
        let (index, document) = (read.index as i64, Document::new(document));
        let mut item = Item::new((self.plan, &self.waits), Scope::Item, (index, read.id, read.seed), document);
        item.earlier = earlier;
        item.trial = trial;
        item.routed = self.scheduler.routed_before(&known);
        if self.plan.output.show.iter().any(|(_, wire)| wire.source == Source::Spend) {
            item.spend = vec![Spend::default(); self.plan.stages.len()];
            let tape = self.tape.filter(|tape| tape.resumed);
            let before = tape.map(|tape| tape.db.spend_of_item(&item.id)).transpose()?;
            for (stage, spend) in before.into_iter().flatten() {
                if let Some(place) = item.spend.get_mut(stage as usize) {
                    *place = spend;
                }
            }
        }
        item.folder = folder;
        self.scheduler.take(item);
        Ok(())
    }

    /// Passes over an item that is done on the record.
    fn pass(&mut self, index: u64, id: &Arc<str>) -> Result<(), EngineError> {
        let known = self.tape.map(|tape| tape.db.routes_of(index)).transpose()?.unwrap_or_default();
        self.scheduler.pass_routes(index, known);
        let trial = match self.tape.filter(|_| self.plan.search.is_some()) {
            Some(tape) => tape.db.trial(index)?,
            None => None,
        };
        let outcome = trial.filter(|trial| trial.settled).map(|trial| trial.outcome);
        let state =
            if outcome.as_ref().is_some_and(|outcome| outcome.pruned) { ItemState::Pruned } else { ItemState::Ok };
        self.scheduler.pass_trial(index, outcome);
        self.scheduler.count(id, state, None);
        Ok(())
    }

    /// Whether the files of an item that is done are those that were written. If they are not, they are written again, from
    /// the results that are on the record.
    fn has_its_files(&self, folder: &str, sum: Option<i64>) -> bool {
        let (Some(tape), Some(sum), true) = (self.tape, sum, self.writes_files()) else { return true };
        let stages = self.plan.stages.iter().map(|stage| format!("{}.json", stage.name));
        let stages = stages.filter(|_| self.plan.output.item_files);
        let names = stages.chain(self.plan.output.files.iter().map(|(name, _)| name.clone())).collect();
        let folder = tape.folder.path().join("items").join(folder);
        let whole = files_are_whole(&folder, &names, sum);
        if !whole {
            tracing::warn!("the files in `{}` are not as they were written: they are written again", folder.display());
        }
        whole
    }

    /// What earlier sessions found out about an item, less what is to be tried again.
    fn earlier(&self, item: i64) -> Result<Earlier, EngineError> {
        let Some(tape) = self.tape.filter(|tape| tape.resumed) else { return Ok(Earlier::new()) };
        let again = |answer: &Answer| match answer {
            Answer::Ok { .. } => false,
            Answer::Failed { kind, .. } => {
                self.retry_failed
                    || ["unavailable", "rate-limited", "cancelled", "over-budget", "timed-out"].contains(&kind.as_str())
            }
            Answer::Skipped { .. } => true,
        };
        let rows = tape.db.results(item)?;
        Ok(rows.into_iter().filter(|row| !again(&row.answer)).map(|row| ((row.stage, row.call), row.answer)).collect())
    }

    fn unreadable(&mut self, item: NewItem, fault: String) {
        let (index, id) = (item.index, Arc::clone(&item.id));
        self.scheduler.tell(&Event::Unreadable { item: &id, fault: &fault });
        self.scheduler.note(Record::Item(item));
        let done = ItemDone { index, state: ItemState::Failed, stopped_by: None, fault: Some(fault), files: None };
        self.scheduler.note(Record::Done(done));
        self.scheduler.pass_routes(index, Vec::new());
        self.scheduler.pass_trial(index, None);
        self.scheduler.count(&id, ItemState::Failed, None);
    }

    /// Reports an item whose deferred stages are still to come.
    fn report(&mut self, place: usize) {
        let Some(item) = self.scheduler.item_in_work(place) else { return };
        let (index, id, lines) = (item.index, Arc::clone(&item.id), self.lines(item));
        let files = (index >= 0 && self.writes_files())
            .then(|| ItemFiles { folder: item.folder.clone(), files: self.files(item) });
        self.event(serde_json::json!({ "event": "item-reported", "item": &*id, "final": false }));
        self.show(&id, &lines);
        if let Some(item) = self.scheduler.item(place) {
            lines.iter().for_each(|(at, _)| item.shown[*at] = true);
        }
        if let Some(files) = files {
            self.scheduler.note(Record::Files(files));
        }
    }

    /// What is there of an item that the pipeline wants shown and that was not shown before: places in its list, and texts.
    fn lines(&self, item: &Item) -> Vec<(usize, String)> {
        let run = self.scheduler.run_slots();
        let line = |(at, (_, wire)): (usize, &(String, Wire))| {
            let spent = if wire.source == Source::Spend { Some(item.spent(self.plan, &wire.path)?) } else { None };
            let given = |source| spent.as_ref().map_or_else(|| item.given(run, None, source), Given::Value);
            let document = value_of(wire, &given).ok()?;
            Some((at, text_of(&document)))
        };
        let show = self.plan.output.show.iter().enumerate();
        show.filter(|(at, _)| !item.shown[*at]).filter_map(line).collect()
    }

    fn show(&mut self, item: &str, lines: &[(usize, String)]) {
        for (at, text) in lines {
            self.scheduler.tell(&Event::Shown { item, name: &self.plan.output.show[*at].0, text });
        }
    }

    /// What stands at the end of the wires that are asked for.
    pub(super) fn values_of(&self, item: &Item) -> Values {
        let run = self.scheduler.run_slots();
        let value = |wire: &Wire| {
            value_of(wire, &|source| item.given(run, None, source)).map_err(|none| match (none, wire.source) {
                (NoInput::Nothing(what), _) => what,
                (NoInput::Failed(_), Source::Stage(stage)) => {
                    format!("stage `{}` has no result", self.plan.stages[stage].name)
                }
                (NoInput::Failed(_), _) => "there is no item".to_owned(),
            })
        };
        self.wires.iter().map(value).collect()
    }

    fn finish(&mut self, item: Item) {
        if !self.wires.is_empty() {
            self.values = self.values_of(&item);
        }
        self.show(&item.id, &self.lines(&item));
        self.bytes -= item.document.json.len();
        let fault = self.scheduler.settle_trial(&item);
        let state = if fault.is_some() { ItemState::Failed } else { item.state() };
        if let Some(fault) = &fault {
            self.scheduler.tell(&Event::Unreadable { item: &item.id, fault });
        }
        let files = self.writes_files().then(|| ItemFiles { folder: item.folder.clone(), files: self.files(&item) });
        let stopped_by = item.stopped_by.map(|stage| stage as u32);
        self.scheduler.settle_routes(&item);
        self.scheduler.note(Record::Done(ItemDone { index: item.index as u64, state, stopped_by, fault, files }));
        self.scheduler.count(&item.id, state, Some(item.taken));
    }

    fn writes_files(&self) -> bool {
        self.tape.is_some() && (self.plan.output.item_files || !self.plan.output.files.is_empty())
    }

    /// The files of an item: a file a stage, and those that the pipeline names.
    fn files(&self, item: &Item) -> Vec<(String, Arc<str>)> {
        let mut files = Vec::new();
        if self.plan.output.item_files {
            for (index, (stage, slot)) in self.plan.stages.iter().zip(&item.slots).enumerate() {
                if let Slot::Done { document, .. } = slot
                    && item.wants(index)
                {
                    files.push((format!("{}.json", stage.name), pretty(&document.json).into()));
                }
            }
        }
        let run = self.scheduler.run_slots();
        for (name, wire) in &self.plan.output.files {
            let wanted = !matches!(wire.source, Source::Stage(stage) if !item.wants(stage));
            let given = |source| if wanted { item.given(run, None, source) } else { Given::Absent };
            if let Ok(document) = value_of(wire, &given) {
                let text: Arc<str> = match serde_json::from_str::<String>(&document.json) {
                    Ok(text) => text.into(),
                    Err(_) => pretty(&document.json).into(),
                };
                files.push((name.clone(), text));
            }
        }
        files
    }
}

/// Why an item is not taken up that names tensors: those of a run are made in it.
fn names_tensors(document: &str) -> Option<String> {
    match named_tensors(document) {
        Ok(named) if named.is_empty() => None,
        Ok(_) => Some(
            "it names a tensor (`$tensor`), but what an item names is not in this run: let a stage read the numbers and \
             keep them"
                .to_owned(),
        ),
        // What is no JSON is told by whoever reads it.
        Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(document).is_err() => None,
        Err(wrong) => Some(escape_untrusted(&wrong).into_owned()),
    }
}
