//! The one thread that knows how everything stands. It never waits for a plugin.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, VecDeque},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, never, select, unbounded};
use jackfield_plugin_api::{Context, Document, Failure, FailureKind, Random, Request, Result as CallResult};

use super::{
    batch::{self, Answers, Control, Station},
    error::EngineError,
    input::{NoInput, elements, input_of, value_of},
    item::{Item, Slot},
    observe::{Event, Observer},
    pool::{Job, Pool},
    run::Cancel,
    seed::{name_of, seed_of},
    stats::{ItemCounts, StageStats, Times},
};
use crate::{
    pipeline::{OnError, Plan, StagePlan},
    store::{Answer, Record, StageRecord, StoreError},
};

/// A batch is made to take about this long: long enough that handing it over costs little, short enough to spread.
const BATCH_TIME: Duration = Duration::from_millis(1);
/// Batches of one stage under way at a time, unless the pipeline says otherwise.
const BATCHES: usize = 64;
/// How long a worker may go on with a batch that ran out of time before it is written off.
const GRACE: Duration = Duration::from_secs(1);
/// The longest delay between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Takes what goes on the record, in groups.
pub(super) type Keep<'a> = &'a mut dyn FnMut(Vec<Record>) -> Result<(), StoreError>;

/// A call that is ready to be made.
struct Call {
    item: usize,
    call: u32,
    request: Request,
    attempt: u32,
    /// It was in a batch that failed as a whole: the next time it goes alone, so that the guilty one is found.
    alone: bool,
}

/// A batch under way.
struct Flight {
    stage: usize,
    calls: Vec<Call>,
    control: Arc<Control>,
    job: Option<Job>,
}

enum Timer {
    /// A batch may have run out of time.
    Deadline(u64),
    /// A worker may be lost to a batch that ran out of time.
    Lost(Arc<Control>),
    /// A call is to be made again.
    Again(usize, Call),
}

/// A timer with its time; ordered by time alone.
struct Due(Instant, u64, Timer);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// What the scheduler keeps of a stage.
struct Stage<'p> {
    plan: &'p StagePlan,
    station: Arc<Station>,
    seed: u64,
    /// The stages that read it.
    readers: Vec<usize>,
    ready: VecDeque<Call>,
    under_way: usize,
    /// Time of a call, as an exponential moving average.
    pace: Option<Duration>,
    times: Times,
    stats: StageStats,
    known: u64,
    answered: u64,
    changed: bool,
}

/// See the [module](self).
pub(super) struct Scheduler<'p, 'k> {
    plan: &'p Plan,
    pool: &'p Pool,
    workers: usize,
    cancel: &'p Cancel,
    observer: &'k mut dyn Observer,
    keep: Keep<'k>,
    stages: Vec<Stage<'p>>,
    /// Items in work; a place is used again.
    items: Vec<Option<Item>>,
    free: Vec<usize>,
    in_work: usize,
    /// The slots of the stages that run once a run.
    run_slots: Vec<Slot>,
    flights: HashMap<u64, Flight>,
    next_flight: u64,
    timers: BinaryHeap<Reverse<Due>>,
    next_timer: u64,
    answers: (Sender<Answers>, Receiver<Answers>),
    records: Vec<Record>,
    finished: Vec<Item>,
    counts: ItemCounts,
    draining: bool,
    jitter: Random,
}

impl<'p, 'k> Scheduler<'p, 'k> {
    pub(super) fn new(
        plan: &'p Plan,
        stations: Vec<Arc<Station>>,
        pool: (&'p Pool, usize),
        cancel: &'p Cancel,
        observer: &'k mut dyn Observer,
        keep: Keep<'k>,
    ) -> Self {
        let mut stages: Vec<Stage<'p>> = plan
            .stages
            .iter()
            .zip(stations)
            .map(|(plan, station)| Stage {
                plan,
                station,
                seed: name_of(&plan.name),
                readers: Vec::new(),
                ready: VecDeque::new(),
                under_way: 0,
                pace: None,
                times: Times::new(),
                stats: StageStats::default(),
                known: 0,
                answered: 0,
                changed: false,
            })
            .collect();
        for (index, stage) in plan.stages.iter().enumerate() {
            for read in &stage.reads {
                stages[*read].readers.push(index);
            }
        }
        Self {
            plan,
            pool: pool.0,
            workers: pool.1.max(1),
            cancel,
            observer,
            keep,
            stages,
            items: Vec::new(),
            free: Vec::new(),
            in_work: 0,
            run_slots: Vec::new(),
            flights: HashMap::new(),
            next_flight: 0,
            timers: BinaryHeap::new(),
            next_timer: 0,
            answers: unbounded(),
            records: Vec::new(),
            finished: Vec::new(),
            counts: ItemCounts::default(),
            draining: false,
            jitter: Random::new(plan.seed),
        }
    }

    /// Takes an item up. Its calls are made as the loop turns.
    pub(super) fn take(&mut self, item: Item) {
        self.in_work += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() - 1
        });
        let first: Vec<usize> = item
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| matches!(slot, Slot::Waiting(0)))
            .map(|(stage, _)| stage)
            .collect();
        self.items[place] = Some(item);
        self.settle(place, first, Vec::new());
    }

    /// Keeps the slots of the stages that run once a run, for all items to read.
    pub(super) fn keep_run_slots(&mut self, slots: Vec<Slot>) {
        self.run_slots = slots;
    }

    /// The slots of the stages that run once a run.
    pub(super) fn run_slots(&self) -> &[Slot] {
        &self.run_slots
    }

    /// Puts something on the record.
    pub(super) fn note(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Tells the observer.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        self.observer.on(event);
    }

    /// Items in work.
    pub(super) fn in_work(&self) -> usize {
        self.in_work
    }

    /// Whether new work is no longer begun.
    pub(super) fn draining(&self) -> bool {
        self.draining
    }

    /// The items that were done since the last call.
    pub(super) fn finished(&mut self) -> Vec<Item> {
        mem::take(&mut self.finished)
    }

    /// Counts an item that is done and tells the observer.
    pub(super) fn count(&mut self, id: &Arc<str>, state: super::ItemState) {
        self.counts.add(state);
        self.observer.on(&Event::ItemDone { item: id, state, counts: self.counts });
    }

    /// Counts and times at the end.
    pub(super) fn totals(self) -> (ItemCounts, BTreeMap<String, StageStats>) {
        let stages = self.stages.into_iter().map(|mut stage| {
            stage.times.fill(&mut stage.stats);
            (stage.plan.name.clone(), stage.stats)
        });
        (self.counts, stages.collect())
    }

    /// One turn: sends what is ready, then waits for something to happen: an answer, a timer, Ctrl-C, or (where `source`
    /// is given) more items, which are handed back.
    pub(super) fn turn<T>(&mut self, source: Option<&Receiver<T>>) -> Result<Option<Turn<T>>, EngineError> {
        self.send_ready();
        self.flush()?;
        let mut happened = None;
        // With nothing under way, nothing can be answered: only the source or a timer can bring something.
        let again = || self.timers.iter().any(|Reverse(due)| matches!(due.2, Timer::Again(..)));
        if source.is_none() && self.flights.is_empty() && !again() {
            return Ok(Some(Turn::Idle));
        }
        let silent = never();
        let wait = match self.timers.peek() {
            Some(Reverse(due)) => crossbeam_channel::at(due.0),
            None => never(),
        };
        let answers = self.answers.1.clone();
        select! {
            recv(answers) -> answer => {
                if let Ok(answer) = answer {
                    self.answered(answer)?;
                }
            }
            recv(source.unwrap_or(&silent)) -> items => {
                happened = Some(items.map_or(Turn::SourceEnded, Turn::Items));
            }
            recv(wait) -> _ => {}
            recv(self.cancel.signal()) -> _ => {}
        }
        // Whatever else is there is taken along: a turn costs more than an answer.
        for _ in 0..256 {
            let Ok(answer) = answers.try_recv() else { break };
            self.answered(answer)?;
        }
        self.ring()?;
        if self.cancel.requested() && !self.draining {
            self.drain();
        }
        if self.cancel.aborted() {
            for (_, flight) in self.flights.drain() {
                flight.control.cancel();
            }
            self.flush()?;
            return Ok(Some(Turn::Aborted));
        }
        Ok(happened)
    }

    /// Writes what is waiting to be written, and tells the observer.
    pub(super) fn flush(&mut self) -> Result<(), EngineError> {
        for (index, stage) in self.stages.iter_mut().enumerate() {
            if mem::take(&mut stage.changed) {
                self.observer.on(&Event::Stage { stage: index, known: stage.known, done: stage.answered });
            }
        }
        if !self.records.is_empty() {
            (self.keep)(mem::take(&mut self.records))?;
        }
        Ok(())
    }

    /// From now on, calls under way end and none is begun.
    fn drain(&mut self) {
        self.draining = true;
        self.observer.on(&Event::Draining);
        for stage in &mut self.stages {
            stage.ready.clear();
        }
        self.timers.retain(|Reverse(due)| !matches!(due.2, Timer::Again(..)));
    }

    // ---- calls become ready ------------------------------------------------------------------------------------------

    /// Carries on from stages that may begin and stages that have ended, until nothing more follows.
    fn settle(&mut self, place: usize, mut begin: Vec<usize>, mut ended: Vec<usize>) {
        loop {
            if let Some(stage) = begin.pop() {
                if self.begin(place, stage) {
                    ended.push(stage);
                }
            } else if let Some(stage) = ended.pop() {
                let Some(item) = self.items[place].as_mut() else { return };
                item.open -= 1;
                for reader in &self.stages[stage].readers {
                    if let Slot::Waiting(waits) = &mut item.slots[*reader] {
                        *waits -= 1;
                        if *waits == 0 {
                            begin.push(*reader);
                        }
                    }
                }
            } else {
                break;
            }
        }
        let done = self.items[place].as_ref().is_some_and(|item| item.open == 0 && item.pending == 0);
        if done && let Some(item) = self.items[place].take() {
            self.free.push(place);
            self.in_work -= 1;
            self.finished.push(item);
        }
    }

    /// Makes the calls of a stage whose sources are all there. True if it is already at its end.
    fn begin(&mut self, place: usize, index: usize) -> bool {
        let plan = self.stages[index].plan;
        let Some(item) = self.items[place].as_mut() else { return false };
        if !item.wants(index) {
            item.slots[index] = Slot::Skipped;
            return true;
        }
        let made = {
            let item = &*item;
            let run = &self.run_slots;
            let elements = match &plan.for_each {
                None => Ok(vec![None]),
                Some(wire) => value_of(wire, &|source| item.given(run, None, source)).and_then(|list| {
                    let parts = elements(&list.json).map_err(|what| NoInput::Nothing(format!("`for_each`: {what}")))?;
                    Ok(parts.into_iter().map(|part| Some(Document::new(part))).collect())
                }),
            };
            elements.map(|elements| {
                let input =
                    |each: &Option<Document>| input_of(&plan.input, &|source| item.given(run, each.as_ref(), source));
                elements.iter().map(input).collect::<Vec<_>>()
            })
        };
        let inputs = match made {
            Ok(inputs) => inputs,
            Err(why) => {
                self.without_input(place, index, 0, why);
                return true;
            }
        };
        let repeat = plan.repeat.unwrap_or(1);
        let total = inputs.len() * repeat as usize;
        let list = plan.is_list();
        if let Some(item) = self.items[place].as_mut() {
            item.slots[index] = if list {
                Slot::Gathering { answers: vec![None; total], left: total, failed: false }
            } else {
                Slot::Running
            };
        }
        let mut at_end = list && total == 0;
        if at_end {
            self.fill(place, index, Slot::Done { document: Document::new("[]"), flawed: false });
        }
        for (element, input) in inputs.into_iter().enumerate() {
            for replicate in 0..repeat {
                let call = element as u32 * repeat + replicate;
                at_end |= self.prepare(place, index, call, (element as u32, replicate), &input);
            }
        }
        at_end
    }

    /// Makes one call ready, or takes its answer from an earlier session. True if the stage is at its end with it.
    fn prepare(
        &mut self,
        place: usize,
        index: usize,
        call: u32,
        (element, replicate): (u32, u32),
        input: &Result<Document, NoInput>,
    ) -> bool {
        let stage = &mut self.stages[index];
        let Some(item) = self.items[place].as_mut() else { return false };
        stage.known += 1;
        stage.changed = true;
        if let Some(answer) = item.earlier.remove(&(index as u32, call)) {
            stage.stats.resumed += 1;
            stage.answered += 1;
            let answer = match answer {
                Answer::Ok { json, tensors } => Some(Document { json, tensors }),
                Answer::Failed { .. } | Answer::Skipped { .. } => None,
            };
            return self.gather(place, index, call, answer);
        }
        match input {
            Ok(document) => {
                let context = Context {
                    stage: Arc::clone(&stage.station.name),
                    item: Arc::clone(&item.id),
                    element,
                    replicate,
                    seed: seed_of(self.plan.seed, stage.seed, item.seed, element, replicate),
                };
                item.pending += 1;
                let request = Request { document: document.clone(), context };
                stage.ready.push_back(Call { item: place, call, request, attempt: 1, alone: false });
                false
            }
            Err(NoInput::Failed(source)) => {
                self.without_input(place, index, call, NoInput::Failed(*source));
                self.gather(place, index, call, None)
            }
            Err(NoInput::Nothing(what)) => {
                self.without_input(place, index, call, NoInput::Nothing(what.clone()));
                self.gather(place, index, call, None)
            }
        }
    }

    /// Notes that a call is not made.
    fn without_input(&mut self, place: usize, index: usize, call: u32, why: NoInput) {
        let Some(item) = self.items[place].as_mut() else { return };
        let answer = match why {
            NoInput::Failed(source) => {
                self.stages[index].stats.skipped += 1;
                item.slots[index] = Slot::Skipped;
                Answer::Skipped { message: format!("`{}` has no result", self.plan.stages[source].name) }
            }
            NoInput::Nothing(what) => {
                self.stages[index].stats.failed += 1;
                if !matches!(item.slots[index], Slot::Gathering { .. }) {
                    item.slots[index] = Slot::Failed;
                }
                let failure =
                    Failure::InvalidInput(format!("a wire of stage `{}`: {what}", self.plan.stages[index].name));
                self.observer.on(&Event::CallFailed {
                    stage: index,
                    item: &item.id,
                    failure: &failure,
                    timed_out: false,
                });
                Answer::Failed { kind: failure.kind().name().to_owned(), message: failure.message().to_owned() }
            }
        };
        if matches!(answer, Answer::Failed { .. }) && self.stages[index].plan.policy.on_error == OnError::Fail {
            item.stopped_by = Some(item.stopped_by.map_or(index, |stop| stop.min(index)));
        }
        let record =
            StageRecord { item: item.index, stage: index as u32, call, answer, attempts: 0, began_us: 0, took_us: 0 };
        self.records.push(Record::Stage(record));
    }

    // ---- calls are sent ----------------------------------------------------------------------------------------------

    /// Sends batches of whatever is ready, the last stages first: what is begun is brought to its end.
    fn send_ready(&mut self) {
        if self.draining {
            return;
        }
        for index in (0..self.stages.len()).rev() {
            loop {
                let stage = &self.stages[index];
                let most = stage.plan.policy.concurrency.map_or(BATCHES, |most| most as usize);
                if stage.ready.is_empty() || stage.under_way >= most {
                    break;
                }
                let size = self.batch_size(index);
                self.send(index, size);
            }
        }
    }

    fn batch_size(&self, index: usize) -> usize {
        let stage = &self.stages[index];
        let ready = stage.ready.len();
        let by_time = stage.pace.map_or(1, |pace| (BATCH_TIME.as_nanos() / pace.as_nanos().max(1)).max(1) as usize);
        by_time.min(stage.plan.policy.batch as usize).min(ready.div_ceil(self.workers))
    }

    fn send(&mut self, index: usize, size: usize) {
        let stage = &mut self.stages[index];
        let mut calls: Vec<Call> = Vec::with_capacity(size);
        while calls.len() < size {
            match stage.ready.front() {
                Some(call) if call.alone && !calls.is_empty() => break,
                Some(_) => {}
                None => break,
            }
            let Some(call) = stage.ready.pop_front() else { break };
            let alone = call.alone;
            calls.push(call);
            if alone {
                break;
            }
        }
        let requests: Vec<Request> = calls.iter().map(|call| call.request.clone()).collect();
        let control = Arc::new(Control::default());
        let flight = self.next_flight;
        self.next_flight += 1;
        stage.under_way += 1;
        stage.stats.calls += calls.iter().filter(|call| call.attempt == 1 && !call.alone).count() as u64;
        let job = batch::send(self.pool, &stage.station, flight, requests, &control, &self.answers.0);
        let job = match stage.plan.policy.timeout {
            Some(timeout) => {
                self.set_timer(timeout, Timer::Deadline(flight));
                Some(job)
            }
            None => {
                job.detach();
                None
            }
        };
        self.flights.insert(flight, Flight { stage: index, calls, control, job });
    }

    // ---- calls are answered ------------------------------------------------------------------------------------------

    fn answered(&mut self, answers: Answers) -> Result<(), EngineError> {
        // A batch that ran out of time has been dealt with.
        let Some(flight) = self.flights.remove(&answers.batch) else { return Ok(()) };
        if let Some(job) = flight.job {
            job.detach();
        }
        let count = flight.calls.len();
        let each = answers.took / count.max(1) as u32;
        let stage = &mut self.stages[flight.stage];
        stage.under_way -= 1;
        stage.pace = Some(stage.pace.map_or(each, |pace| (pace * 7 + each) / 8));
        stage.times.record(each, count as u64);
        if count > 1 && failed_as_one(&answers.results) {
            self.one_by_one(flight.stage, flight.calls);
            return Ok(());
        }
        for (position, (call, result)) in flight.calls.into_iter().zip(answers.results).enumerate() {
            let began_us = answers.began_us + (each * position as u32).as_micros() as u64;
            self.one_answer(flight.stage, call, result, (began_us, each.as_micros() as u64), false);
        }
        Ok(())
    }

    /// Makes the calls of a batch again, each by itself.
    fn one_by_one(&mut self, index: usize, calls: Vec<Call>) {
        if self.draining {
            return self.forget(calls);
        }
        for mut call in calls.into_iter().rev() {
            call.alone = true;
            self.stages[index].ready.push_front(call);
        }
    }

    /// Calls that are not answered in this session.
    fn forget(&mut self, calls: Vec<Call>) {
        for call in calls {
            if let Some(item) = self.items[call.item].as_mut() {
                item.pending -= 1;
            }
        }
    }

    fn one_answer(
        &mut self,
        index: usize,
        mut call: Call,
        result: CallResult<Document>,
        times: (u64, u64),
        timed_out: bool,
    ) {
        let Some(item) = self.items[call.item].as_mut() else { return };
        let stage = &mut self.stages[index];
        let policy = &stage.plan.policy;
        if let Err(failure) = &result {
            let heals = failure.kind().can_heal() || timed_out;
            if self.draining && heals {
                item.pending -= 1;
                return;
            }
            if heals && call.attempt < policy.attempts && item.wants(index) {
                let after = delay(policy.backoff, call.attempt, failure, &mut self.jitter);
                stage.stats.retries += 1;
                self.observer.on(&Event::Retry { stage: index, item: &item.id, failure, after });
                call.attempt += 1;
                self.set_timer(after, Timer::Again(index, call));
                return;
            }
            stage.stats.failed += 1;
            self.observer.on(&Event::CallFailed { stage: index, item: &item.id, failure, timed_out });
        }
        item.pending -= 1;
        stage.answered += 1;
        stage.changed = true;
        let (answer, document) = match result {
            Ok(document) => {
                let tensors = document.tensors.clone();
                (Answer::Ok { json: Arc::clone(&document.json), tensors }, Some(document))
            }
            Err(failure) => {
                let kind = if timed_out { "timed-out" } else { failure.kind().name() };
                (Answer::Failed { kind: kind.to_owned(), message: failure.message().to_owned() }, None)
            }
        };
        let (began_us, took_us) = times;
        let (item, stage) = (item.index, index as u32);
        let record = StageRecord { item, stage, call: call.call, answer, attempts: call.attempt, began_us, took_us };
        self.records.push(Record::Stage(record));
        let ended = self.gather(call.item, index, call.call, document);
        self.settle(call.item, Vec::new(), if ended { vec![index] } else { Vec::new() });
    }

    /// Puts an answer, or the lack of one, where the stage gathers them. True if the stage is at its end with it.
    fn gather(&mut self, place: usize, index: usize, call: u32, answer: Option<Document>) -> bool {
        let Some(item) = self.items[place].as_mut() else { return false };
        let filled = match &mut item.slots[index] {
            Slot::Running => match answer {
                Some(document) => Slot::Done { document, flawed: false },
                None => Slot::Failed,
            },
            Slot::Gathering { answers, left, failed } => {
                *failed |= answer.is_none();
                if let Some(place) = answers.get_mut(call as usize) {
                    *place = answer;
                }
                *left -= 1;
                if *left > 0 {
                    return false;
                }
                let there: Vec<&Document> = answers.iter().flatten().collect();
                if there.is_empty() { Slot::Failed } else { Slot::Done { document: list_of(&there), flawed: *failed } }
            }
            // It was skipped, or failed for want of input, and that is noted.
            _ => return true,
        };
        self.fill(place, index, filled);
        true
    }

    fn fill(&mut self, place: usize, index: usize, slot: Slot) {
        let Some(item) = self.items[place].as_mut() else { return };
        let stops = match &slot {
            Slot::Failed => true,
            Slot::Done { flawed, .. } => *flawed,
            _ => false,
        };
        if stops && self.stages[index].plan.policy.on_error == OnError::Fail {
            item.stopped_by = Some(item.stopped_by.map_or(index, |stop| stop.min(index)));
        }
        item.slots[index] = slot;
    }

    // ---- timers ------------------------------------------------------------------------------------------------------

    fn set_timer(&mut self, after: Duration, timer: Timer) {
        self.next_timer += 1;
        self.timers.push(Reverse(Due(Instant::now() + after, self.next_timer, timer)));
    }

    fn ring(&mut self) -> Result<(), EngineError> {
        while self.timers.peek().is_some_and(|Reverse(due)| due.0 <= Instant::now()) {
            let Some(Reverse(Due(_, _, timer))) = self.timers.pop() else { break };
            match timer {
                Timer::Again(stage, call) => self.stages[stage].ready.push_back(call),
                Timer::Deadline(flight) => self.deadline(flight),
                Timer::Lost(control) => {
                    if let Some(worker) = control.worker() {
                        tracing::warn!("a plugin ignores its time limit: its thread is written off and replaced");
                        self.pool.replace(worker).map_err(EngineError::Workers)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn deadline(&mut self, number: u64) {
        let Some(flight) = self.flights.get(&number) else { return };
        let Some(timeout) = self.stages[flight.stage].plan.policy.timeout else { return };
        // Time spent waiting for a worker is not the plugin's.
        let spent = flight
            .control
            .started_us()
            .map(|started| self.stages[flight.stage].station.now_us().saturating_sub(started));
        let left = spent.map_or(timeout, |spent| timeout.saturating_sub(Duration::from_micros(spent)));
        if !left.is_zero() {
            self.set_timer(left, Timer::Deadline(number));
            return;
        }
        let Some(flight) = self.flights.remove(&number) else { return };
        flight.control.cancel();
        let computing = flight.control.worker().is_some();
        if computing {
            self.set_timer(GRACE, Timer::Lost(Arc::clone(&flight.control)));
        }
        // Dropping the job drops the future at its next wait.
        drop(flight.job);
        self.stages[flight.stage].under_way -= 1;
        if flight.calls.len() > 1 {
            return self.one_by_one(flight.stage, flight.calls);
        }
        let began = flight.control.started_us().unwrap_or_default();
        for mut call in flight.calls {
            let message = format!("no answer within {}", humantime::format_duration(timeout));
            if computing {
                // A computation that takes too long takes too long again, and may hold its thread for good.
                call.attempt = call.attempt.max(self.stages[flight.stage].plan.policy.attempts);
            }
            let times = (began, timeout.as_micros() as u64);
            self.one_answer(flight.stage, call, Err(Failure::Unavailable(message)), times, true);
        }
    }
}

/// What a turn brought, beyond answers.
pub(super) enum Turn<T> {
    /// More from the source.
    Items(T),
    /// The source has no more.
    SourceEnded,
    /// Nothing is under way.
    Idle,
    /// Everything is to be left as it is.
    Aborted,
}

/// Whether a batch failed as a whole: a panic, a trap, a limit.
fn failed_as_one(results: &[CallResult<Document>]) -> bool {
    let mut failures = results.iter().map(|result| result.as_ref().err());
    let Some(Some(first)) = failures.next() else { return false };
    matches!(first.kind(), FailureKind::Internal | FailureKind::OverBudget | FailureKind::InvalidOutput)
        && failures.all(|failure| failure == Some(first))
}

fn list_of(documents: &[&Document]) -> Document {
    let mut text = String::with_capacity(documents.iter().map(|document| document.json.len() + 1).sum::<usize>() + 2);
    let mut tensors = Vec::new();
    text.push('[');
    for (position, document) in documents.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(&document.json);
        tensors.extend(document.tensors.iter().map(|tensor| {
            let mut tensor = tensor.clone();
            tensor.name = format!("{position}.{}", tensor.name);
            tensor
        }));
    }
    text.push(']');
    Document { json: text.into(), tensors }
}

/// Exponential back-off with full jitter (Brooker 2015); a delay that the failure names is obeyed.
fn delay(base: Duration, attempt: u32, failure: &Failure, jitter: &mut Random) -> Duration {
    let longest = base.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_BACKOFF);
    let drawn = longest.mul_f64(jitter.next_f64());
    failure.after().map_or(drawn, |after| after + drawn)
}
