//! A run from its first item to its last.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Instant, SystemTime},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use jackfield_plugin_api::{Document, Failure, Instance, guarded};
use sha2::{Digest as _, Sha256};

use super::{
    error::EngineError,
    input::{Given, NoInput, value_of},
    item::{Earlier, Item, Slot},
    observe::{Event, Observer},
    pool::Pool,
    router::Router,
    scheduler::{Keep, Routing, Scheduler, Turn},
    seed::name_of,
    source::{self, Chunk, SourceItem},
    station::Station,
    stats::{ItemState, RunState, Summary},
};
use crate::{
    pipeline::{ExtensionRef, Plan, Scope, Source, StagePlan, Wire},
    plugin::Registry,
    service::{Kept, KeptError, Services, StageRecorder},
    store::{
        Answer, Db, ItemDone, ItemFiles, NewItem, Record, RunFolder, RunJson, StoreError, Writer, export_events,
        export_results, export_run_stages,
    },
};

/// Bytes of items in work beyond which no further one is taken up.
const BYTES_IN_WORK: usize = 256 << 20;

/// A request to stop, from another thread.
#[derive(Clone, Debug)]
pub struct Cancel {
    times: Arc<AtomicU8>,
    wake: Sender<()>,
    woken: Receiver<()>,
}

impl Default for Cancel {
    fn default() -> Self {
        let (wake, woken) = bounded(1);
        Self { times: Arc::default(), wake, woken }
    }
}

impl Cancel {
    /// Asks to stop: the first time, what is under way ends; the second, nothing is waited for.
    pub fn request(&self) {
        self.times.fetch_add(1, Ordering::AcqRel);
        // A full channel wakes just as well.
        let _ = self.wake.try_send(());
    }

    pub(super) fn signal(&self) -> &Receiver<()> {
        &self.woken
    }

    pub(super) fn requested(&self) -> bool {
        self.times.load(Ordering::Acquire) >= 1
    }

    pub(super) fn aborted(&self) -> bool {
        self.times.load(Ordering::Acquire) >= 2
    }
}

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub jobs: usize,
    /// On a resume, make failed calls again even where the failure is for good.
    pub retry_failed: bool,
}

/// An extension that would not open with its configuration.
#[derive(Clone, Debug)]
pub struct OpenFault {
    /// The stage.
    pub stage: String,
    /// Why.
    pub failure: Failure,
}

/// The instances of a stage: one an arm, or the only one.
pub type StageInstances = Vec<Arc<dyn Instance>>;

/// Makes the instances of every stage; nothing has run then.
///
/// # Errors
/// Every stage whose extension refuses its configuration.
pub fn open_stages(plan: &Plan, registry: &Registry) -> Result<Vec<StageInstances>, Vec<OpenFault>> {
    let (mut opened, mut faults) = (Vec::new(), Vec::new());
    for stage in &plan.stages {
        let arms: Vec<_> = stage.with_arms().iter().map(|arm| open_stage(arm, registry)).collect();
        match arms.into_iter().collect() {
            Ok(instances) => opened.push(instances),
            Err(failure) => faults.push(OpenFault { stage: stage.name.clone(), failure }),
        }
    }
    if faults.is_empty() { Ok(opened) } else { Err(faults) }
}

fn open_stage(stage: &StagePlan, registry: &Registry) -> Result<Arc<dyn Instance>, Failure> {
    match stage.extension.offer(registry) {
        Some(offer) => {
            guarded("open", || offer.opener.open(&stage.config.to_string(), &stage.limits)).and_then(|opened| opened)
        }
        None => {
            let ExtensionRef { plugin, name, .. } = &stage.extension;
            Err(Failure::Internal(format!("`{plugin}/{name}` is no longer there")))
        }
    }
}

/// Looks whether a plan has input, before anything is made for its run.
///
/// # Errors
/// [`EngineError::NoInput`], or a pattern that cannot be read.
pub fn look_for_input(plan: &Plan) -> Result<(), EngineError> {
    if plan.stages.iter().any(|stage| stage.scope == Scope::Item) { source::look(&plan.input) } else { Ok(()) }
}

/// A plan with its plugins, ready to run.
pub struct Engine<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The plugins.
    pub registry: &'a Registry,
    /// The stages' instances, as [`open_stages`] gives them.
    pub instances: Vec<StageInstances>,
    /// The models and caches, as [`open_services`](crate::service::open_services) gives them.
    pub services: Services,
    /// How the run is made.
    pub options: Options,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Counts and times.
    pub summary: Summary,
}

/// Where a run is recorded.
struct Tape {
    folder: RunFolder,
    run: RunJson,
    db: Db,
    session: i64,
    /// There is something on the record from before.
    resumed: bool,
}

impl Engine<'_> {
    /// Runs with a record in `folder`; takes up what an earlier session left there.
    ///
    /// # Errors
    /// What ended the run before its end; the record holds what was finished.
    pub fn run(
        self,
        folder: RunFolder,
        mut run: RunJson,
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, EngineError> {
        let began = Instant::now();
        let db = folder.db()?;
        let session = db.begin_session(&now())?;
        let writer = Writer::start(folder.db()?, session, folder.path().join("items"), began)?;
        run.state = RunState::Running;
        folder.write_run(&run)?;
        let (plan, services) = (self.plan, self.services.clone());
        let tape = Tape { folder, run, db, session, resumed: session > 1 };
        let mut put = |records| writer.put(records);
        let ended = self.go(began, (Some(&tape), &[]), cancel, observer, Some(&mut put)).map(|(summary, _)| summary);
        // What was handed over is written even when the run ended in an error, whose cause may be the writer's own.
        let written = writer.finish();
        let Tape { folder, mut run, db, session, .. } = tape;
        let state = ended.as_ref().map_or(RunState::Interrupted, |summary| summary.state);
        let closed = written.and_then(|()| db.end_session(session, &now(), state.name()));
        let summary = match (ended, closed) {
            (Err(EngineError::Store(StoreError::WriterGone)) | Ok(_), Err(error)) => return Err(error.into()),
            (Err(error), _) => {
                run.state = state;
                let _ = folder.write_run(&run);
                return Err(error);
            }
            (Ok(summary), Ok(())) => summary,
        };
        let told = serde_json::json!({ "event": "run-summary", "summary": summary });
        tracing::info!(target: "run_summary", run = summary.run, summary = %told["summary"]);
        keep_routes(plan, &services, &db, &folder.id())?;
        db.put_event(session, began.elapsed().as_micros() as u64, &told.to_string())?;
        export_results(&db, plan, &folder.path().join("results.jsonl"))?;
        export_run_stages(&db, plan, &folder.path().join("run"))?;
        export_events(&db, plan, plan.output.item_files, &folder.path().join("events.jsonl"))?;
        run.state = summary.state;
        run.ended = Some(now());
        run.summary = Some(summary.clone());
        folder.write_run(&run)?;
        Ok(Outcome { summary })
    }

    /// Runs without any record: for measurements, and for those who take results from an observer.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn run_unrecorded(self, cancel: &Cancel, observer: &mut dyn Observer) -> Result<Outcome, EngineError> {
        let (summary, _) = self.go(Instant::now(), (None, &[]), cancel, observer, None)?;
        Ok(Outcome { summary })
    }

    /// Runs without any record, for what stands at the end of these wires, in their order: of the last item, or of the
    /// run where there are no items. A wire whose source has nothing to give has a message in place of a document.
    ///
    /// # Errors
    /// What ended the run before its end.
    pub fn run_for(
        self,
        wires: &[Wire],
        cancel: &Cancel,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Vec<Result<Document, String>>), EngineError> {
        let (summary, values) = self.go(Instant::now(), (None, wires), cancel, observer, None)?;
        Ok((Outcome { summary }, values))
    }

    fn go<'k>(
        self,
        began: Instant,
        (tape, wires): (Option<&Tape>, &[Wire]),
        cancel: &Cancel,
        observer: &'k mut (dyn Observer + 'k),
        keep: Option<Keep<'k>>,
    ) -> Result<(Summary, Values), EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("io")
            .enable_all()
            .build()
            .map_err(EngineError::Workers)?;
        let pool = Pool::start(self.options.jobs, runtime.handle().clone()).map_err(EngineError::Workers)?;
        let (plan, registry, services) = (self.plan, self.registry, &self.services);
        if let Some(tape) = tape.filter(|tape| tape.resumed) {
            for (name, spent) in tape.db.spent()? {
                if let Some(model) = services.models.iter().find(|model| model.name() == name) {
                    model.carry_over(spent.tokens_in + spent.tokens_out, spent.usd);
                }
            }
        }
        let stations = plan.stages.iter().zip(self.instances).map(|(stage, instances)| {
            let offer = stage.extension.offer(registry);
            let station = |(stage, instance): (StagePlan, Arc<dyn Instance>)| {
                let mut station = Station::new(&stage, instance, offer, (plan, services), began);
                station.recorder = services.calls.as_ref().map(|calls| StageRecorder::new(calls, &stage, registry));
                Arc::new(station)
            };
            stage.with_arms().into_iter().zip(instances).map(station).collect()
        });
        let routings = routings(plan, services, tape)?;
        let pool = (&pool, self.options.jobs);
        let scheduler = Scheduler::new(plan, (stations.collect(), routings), services, pool, cancel, observer, keep);
        let mut session = Session {
            plan,
            tape,
            scheduler,
            folders: Folders::default(),
            bytes: 0,
            retry_failed: self.options.retry_failed,
            wires,
            values: Vec::new(),
        };
        let end = session.all();
        let flawed = session.run_stages_flawed();
        if session.values.is_empty() {
            session.values = session.values_of(&Item::new(plan, Scope::Item, -1, "".into(), 0, Document::new("null")));
        }
        let values = std::mem::take(&mut session.values);
        let exhausted = session.scheduler.exhausted().map(str::to_owned);
        let (counts, stages, routes) = session.scheduler.totals();
        // A plugin that never comes back must not keep the process from ending.
        runtime.shutdown_background();
        let end = end?;
        let state = match (end, counts.state()) {
            (End::Stopped, _) if exhausted.is_some() && !cancel.requested() => match counts.ok + counts.partial {
                0 => RunState::Failed,
                _ => RunState::Partial,
            },
            (End::Stopped, _) => RunState::Interrupted,
            (End::Done, RunState::Complete) if flawed => RunState::Partial,
            (End::Done, state) => state,
        };
        let stopped = (end == End::Stopped).then(|| match exhausted {
            Some(model) => format!("the budget of model `{model}` is used up"),
            None => "interrupted".to_owned(),
        });
        let summary = Summary {
            run: tape.map(|tape| tape.folder.id()).unwrap_or_default(),
            dir: tape.map(|tape| tape.folder.path().to_owned()).unwrap_or_default(),
            state,
            items: counts,
            stages,
            models: services.models.iter().map(|model| (model.name().to_owned(), model.count())).collect(),
            caches: services.caches.iter().map(|cache| (cache.name().to_owned(), cache.counts())).collect(),
            routes,
            stopped,
            wall_ms: began.elapsed().as_secs_f64() * 1000.0,
        };
        Ok((summary, values))
    }
}

/// The routes of a run, with what they had learned when it began.
fn routings<'p>(
    plan: &'p Plan,
    services: &'p Services,
    tape: Option<&Tape>,
) -> Result<BTreeMap<usize, Routing<'p>>, EngineError> {
    let mut routings = BTreeMap::new();
    for route in &services.routes {
        let Some(routed) = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref()) else { continue };
        let start = match tape {
            Some(tape) => {
                let kept = routed.state.as_deref().filter(|_| !tape.resumed).map(Kept::at);
                let kept = kept.map(|kept| kept.read_for(&routed.extension.name)).transpose()?;
                tape.db.route_start(route.stage as u32, kept.and_then(|kept| kept.state).as_ref())?
            }
            None => None,
        };
        let policy = route.restore(start.as_ref()).map_err(|failure| {
            let path = routed.state.clone().unwrap_or_default();
            KeptError::Refused { path, failure }
        })?;
        routings.insert(route.stage, Routing { plan: routed, route, router: Router::new(policy, routed.in_flight) });
    }
    Ok(routings)
}

/// Adds what came of a run's items to what its routes keep.
fn keep_routes(plan: &Plan, services: &Services, db: &Db, run: &str) -> Result<(), EngineError> {
    for route in &services.routes {
        let routed = plan.stages.get(route.stage).and_then(|stage| stage.route.as_ref());
        let Some((routed, path)) = routed.and_then(|routed| Some((routed, routed.state.as_deref()?))) else { continue };
        Kept::at(path).add(route, &routed.extension.name, run, |visit| {
            db.each_outcome(route.stage as u32, |record| {
                visit(&record.outcome);
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// What stands at the end of wires, or why nothing does.
type Values = Vec<Result<Document, String>>;

#[derive(Clone, Copy, PartialEq)]
enum End {
    Done,
    Stopped,
}

/// One session of a run, from the scheduler's thread.
struct Session<'p, 'k> {
    plan: &'p Plan,
    tape: Option<&'p Tape>,
    scheduler: Scheduler<'p, 'k>,
    folders: Folders,
    /// Bytes of the items in work.
    bytes: usize,
    retry_failed: bool,
    /// What is asked for of the last item.
    wires: &'p [Wire],
    values: Values,
}

impl Session<'_, '_> {
    fn all(&mut self) -> Result<End, EngineError> {
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
        let mut item = Item::new(self.plan, Scope::Run, -1, "".into(), 0, Document::new("{}"));
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

    fn run_stages_flawed(&self) -> bool {
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
        let (source, total) = source::read(&self.plan.input)?;
        self.scheduler.tell(&Event::Items { total });
        let mut source = Some(source);
        let mut waiting: std::vec::IntoIter<SourceItem> = Vec::new().into_iter();
        loop {
            while self.has_room() {
                let Some(item) = waiting.next() else { break };
                self.take_up(item)?;
            }
            for place in self.scheduler.reported() {
                self.report(place);
            }
            for item in self.scheduler.finished() {
                self.finish(item);
            }
            if self.scheduler.draining() {
                source = None;
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
        !self.scheduler.draining() && (in_work == 0 || in_work < self.plan.max_in_flight && self.bytes < BYTES_IN_WORK)
    }

    fn take_up(&mut self, read: SourceItem) -> Result<(), EngineError> {
        let document = read.document.unwrap_or_else(|fault| {
            self.unreadable(read.index, &read.id, fault.message);
            "".into()
        });
        if document.is_empty() {
            return Ok(());
        }
        let index = read.index as i64;
        let folder = if self.writes_files() { self.folders.name(&read.id) } else { String::new() };
        let digest: [u8; 32] = if self.tape.is_some() { Sha256::digest(document.as_bytes()).into() } else { [0; 32] };
        let (mut earlier, mut known) = (Earlier::new(), Vec::new());
        if let Some(tape) = self.tape.filter(|tape| tape.resumed)
            && let Some(row) = tape.db.item(read.index)?
        {
            if row.id != *read.id {
                let (was, now) = (row.id, read.id.to_string());
                return Err(EngineError::ItemsDiffer { place: read.index + 1, was, now, run: tape.folder.id() });
            }
            if row.digest != digest && row.fault.is_none() {
                return Err(EngineError::ItemChanged { item: row.id, run: tape.folder.id() });
            }
            known = tape.db.routes_of(read.index)?;
            if row.state.as_deref() == Some(ItemState::Ok.name()) {
                self.scheduler.pass_routes(read.index, known);
                self.scheduler.count(&read.id, ItemState::Ok, None);
                return Ok(());
            }
            earlier = self.earlier(index)?;
        }
        self.bytes += document.len();
        self.scheduler.note(Record::Item(NewItem { index: read.index, id: Arc::clone(&read.id), digest }));
        let seed = name_of(&read.id);
        let mut item = Item::new(self.plan, Scope::Item, index, read.id, seed, Document::new(document));
        item.earlier = earlier;
        item.routed = self.scheduler.routed_before(&known);
        item.folder = folder;
        self.scheduler.take(item);
        Ok(())
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

    fn unreadable(&mut self, index: u64, id: &Arc<str>, fault: String) {
        self.scheduler.tell(&Event::Unreadable { item: id, fault: &fault });
        self.scheduler.note(Record::Item(NewItem { index, id: Arc::clone(id), digest: [0; 32] }));
        let done = ItemDone { index, state: ItemState::Failed, stopped_by: None, fault: Some(fault), files: None };
        self.scheduler.note(Record::Done(done));
        self.scheduler.pass_routes(index, Vec::new());
        self.scheduler.count(id, ItemState::Failed, None);
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
            let document = value_of(wire, &|source| item.given(run, None, source)).ok()?;
            let text = serde_json::from_str::<String>(&document.json).unwrap_or_else(|_| document.json.to_string());
            Some((at, text))
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
    fn values_of(&self, item: &Item) -> Values {
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
        let state = item.state();
        let files = self.writes_files().then(|| ItemFiles { folder: item.folder.clone(), files: self.files(&item) });
        let stopped_by = item.stopped_by.map(|stage| stage as u32);
        self.scheduler.settle_routes(&item);
        self.scheduler.note(Record::Done(ItemDone { index: item.index as u64, state, stopped_by, fault: None, files }));
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

/// JSON for a person to read, with its numbers as they are.
fn pretty(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut serializer = serde_json::Serializer::pretty(&mut out);
    let mut reader = serde_json::Deserializer::from_str(json);
    match serde_transcode::transcode(&mut reader, &mut serializer) {
        Ok(()) => String::from_utf8(out).unwrap_or_else(|_| json.to_owned()) + "\n",
        Err(_) => json.to_owned(),
    }
}

/// Names of items' folders: the id made fit for a file system, told apart where two become the same.
#[derive(Default)]
struct Folders {
    taken: std::collections::BTreeMap<String, u64>,
}

impl Folders {
    fn name(&mut self, id: &str) -> String {
        let fit: String =
            id.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(100).collect();
        let fit = match fit.trim_start_matches('.') {
            "" => "item".to_owned(),
            fit => fit.to_owned(),
        };
        let count = self.taken.entry(fit.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { fit } else { format!("{fit}~{count}") }
    }
}

fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// The time now as the record writes it.
#[must_use]
pub fn timestamp() -> String {
    now()
}
