//! What the scheduler knows.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use jackfield_loader::waits::Wait;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::Random;
use jackfield_services::{Exhausted, Services, Times};
use jackfield_store::{ItemCounts, ItemState, Record, RouteCount, SearchCount, StageStats, StoreError, TimeStats};
use rustc_hash::FxHashMap;

use super::{
    call::{InFlightBatch, SentCalls},
    executor::BatchExecutor,
    items::ItemsInFlight,
    record_buffer::{RecordBuffer, RecordSink},
    search_in_progress::SearchInProgress,
    stage_queue::StageQueue,
    timers::Timers,
};
use crate::{
    batch::{BatchAnswers, BatchId},
    cancel::Cancel,
    index::{ItemSlot, PerStage, StageIdx},
    item::{Item, StageState},
    observe::{Event, Observer},
    predecessors::Predecessors,
    router::RouteInProgress,
    stage_runtime::StageRuntime,
};

/// Owns all that is known of the items in flight; see the [module](super). It lives as long as a session. All of it belongs to
/// one thread, so nothing in it is behind a lock: what others have to say comes over a channel.
pub(crate) struct Scheduler<'p, 'k> {
    /// What is run.
    pub(super) plan: &'p Plan,
    /// The models and caches; here for what they have left to spend.
    pub(super) services: &'p Services,
    /// Whether somebody has asked to stop.
    pub(super) cancel: &'p Cancel,
    /// Who watches the run.
    pub(super) observer: &'k mut dyn Observer,
    /// What computes batches.
    pub(super) executor: &'p dyn BatchExecutor,
    /// Each stage with its calls.
    pub(super) stages: PerStage<StageQueue<'p>>,
    /// The stages in the order in which their calls are sent.
    pub(super) send_order: Vec<StageIdx>,
    /// The items in flight.
    pub(super) items: ItemsInFlight,
    /// How the items ended that are done, those of earlier sessions included.
    pub(super) counts: ItemCounts,
    /// How long the items took that were done in this session.
    pub(super) item_times: Times,
    /// How many of them an earlier session has brought to their end.
    pub(super) passed: u64,
    /// How the stages that run once a run have ended, for all items to read; empty before that.
    pub(super) run_stages: PerStage<StageState>,
    /// The batches in flight.
    pub(super) batches: Batches,
    /// What is to happen at its time.
    pub(super) timers: Timers,
    /// What is to be recorded.
    pub(super) record: RecordBuffer<'k>,
    /// The routes, by their stage.
    pub(super) routes: BTreeMap<StageIdx, RouteInProgress<'p>>,
    /// The search, where there is one.
    pub(super) search: Option<SearchInProgress<'p>>,
    /// Whether and why no new work is begun.
    pub(super) draining: Draining,
    /// Whether it has stopped, and only the stages over all items are left.
    pub(super) is_closing: bool,
    /// Says, to whoever shows what is waited for, that the input is.
    pub(super) input_wait: Arc<Wait>,
    /// What delays between tries are drawn from. Results do not depend on it.
    pub(super) jitter: Random,
}

/// The batches in flight.
pub(super) struct Batches {
    in_flight: FxHashMap<BatchId, InFlightBatch>,
    /// The number of the next one.
    next: BatchId,
    /// Where a batch sends its answers; cloned for each.
    pub(super) send_answers: Sender<BatchAnswers>,
    /// Where they arrive. Never disconnected, since the sender beside it lives as long.
    pub(super) answers: Receiver<BatchAnswers>,
}

impl Batches {
    fn new() -> Self {
        let (send_answers, answers) = unbounded();
        Self { in_flight: FxHashMap::default(), next: BatchId::default(), send_answers, answers }
    }

    /// A number for a batch.
    pub(super) fn next_id(&mut self) -> BatchId {
        let id = self.next;
        self.next = BatchId(id.0 + 1);
        id
    }

    /// A batch was sent.
    pub(super) fn insert(&mut self, id: BatchId, batch: InFlightBatch) {
        let before = self.in_flight.insert(id, batch);
        assert!(before.is_none(), "every batch has a number of its own");
    }

    /// The calls of the batch of this number; none if it was answered or given up.
    pub(super) fn get(&self, id: BatchId) -> Option<&SentCalls> {
        self.in_flight.get(&id).map(|batch| &batch.sent)
    }

    /// Takes out the batch of this number; none if it was answered or given up.
    pub(super) fn remove(&mut self, id: BatchId) -> Option<InFlightBatch> {
        self.in_flight.remove(&id)
    }

    /// The calls of the batches in flight, with the numbers of these.
    pub(super) fn iter(&self) -> impl Iterator<Item = (BatchId, &SentCalls)> {
        self.in_flight.iter().map(|(id, batch)| (*id, &batch.sent))
    }

    /// Whether nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Gives all of them up.
    pub(super) fn cancel_all(&mut self) {
        for (_, batch) in self.in_flight.drain() {
            batch.sent.control.cancel();
        }
    }
}

/// Whether and why no new work is begun.
#[derive(Default)]
pub(super) struct Draining {
    /// Set once, when somebody asks to stop or there is nothing left to spend.
    pub(super) has_begun: bool,
    /// The model that has no more of something, if that is why.
    pub(super) exhausted: Option<Exhausted>,
}

/// What a scheduler is made of.
pub(crate) struct SchedulerParts<'a, 'p, 'k> {
    /// What is run.
    pub(crate) plan: &'p Plan,
    /// The models and caches.
    pub(crate) services: &'p Services,
    /// What computes batches.
    pub(crate) executor: &'p dyn BatchExecutor,
    /// Each stage, with each of its arms.
    pub(crate) runtimes: PerStage<Vec<Arc<StageRuntime>>>,
    /// For which stages each stage waits.
    pub(crate) predecessors: &'a Predecessors,
    /// The routes, by their stage.
    pub(crate) routes: BTreeMap<StageIdx, RouteInProgress<'p>>,
    /// The search, where there is one.
    pub(crate) search: Option<SearchInProgress<'p>>,
    /// Whether somebody has asked to stop.
    pub(crate) cancel: &'p Cancel,
    /// Who watches the run.
    pub(crate) observer: &'k mut dyn Observer,
    /// Where what is recorded goes; none for a run without a record.
    pub(crate) record: Option<RecordSink<'k>>,
}

/// Counts and times at the end of a session, and what was learned.
pub(crate) struct Totals {
    pub(crate) items: ItemCounts,
    /// How long the items took that were done in this session.
    pub(crate) item_times: TimeStats,
    /// How many of them this session has brought to their end.
    pub(crate) session_items: u64,
    /// By the name of the stage.
    pub(crate) stages: BTreeMap<String, StageStats>,
    /// By the name of the stage.
    pub(crate) routes: BTreeMap<String, RouteCount>,
    pub(crate) search: Option<SearchCount>,
}

impl<'p, 'k> Scheduler<'p, 'k> {
    pub(crate) fn new(parts: SchedulerParts<'_, 'p, 'k>) -> Self {
        let SchedulerParts {
            plan,
            services,
            executor,
            runtimes,
            predecessors,
            routes,
            search,
            cancel,
            observer,
            record,
        } = parts;
        // The last stages first: what is begun is brought to its end. Deferred stages have time.
        let mut send_order: Vec<StageIdx> = (0..plan.stages.len()).rev().map(StageIdx::new).collect();
        send_order.sort_by_key(|stage| plan.stages[stage.get()].deferred);
        let queue = |(stage, arms)| StageQueue::new(stage, arms, plan);
        let mut stages: PerStage<StageQueue<'p>> = plan.stages.iter().zip(runtimes).map(queue).collect();
        for (reader, predecessors) in predecessors.enumerate() {
            for stage in predecessors {
                stages[*stage].readers.push(reader);
            }
        }
        Self {
            plan,
            services,
            cancel,
            observer,
            executor,
            stages,
            send_order,
            items: ItemsInFlight::default(),
            counts: ItemCounts::default(),
            item_times: Times::new(),
            passed: 0,
            run_stages: PerStage::default(),
            batches: Batches::new(),
            timers: Timers::default(),
            record: RecordBuffer::new(record),
            routes,
            search,
            draining: Draining::default(),
            is_closing: false,
            input_wait: Wait::new("the input"),
            jitter: Random::new(plan.seed),
        }
    }

    /// Admits an item. Its calls are made as the scheduler is polled.
    pub(crate) fn admit(&mut self, item: Item) {
        let ready = item.stages.enumerate().filter(|(_, state)| matches!(state, StageState::Waiting(0)));
        let ready: Vec<StageIdx> = ready.map(|(stage, _)| stage).collect();
        let slot = self.items.insert(item);
        self.propagate(slot, ready, Vec::new());
    }

    /// Keeps how the stages that run once a run have ended, for all items to read.
    pub(crate) fn keep_run_stages(&mut self, stages: PerStage<StageState>) {
        self.run_stages = stages;
    }

    /// How the stages that run once a run have ended.
    pub(crate) const fn run_stages(&self) -> &PerStage<StageState> {
        &self.run_stages
    }

    /// Puts something on the record.
    pub(crate) fn record(&mut self, record: Record) {
        self.record.push(record);
    }

    /// Whether anybody takes what goes on the record.
    pub(crate) const fn is_recorded(&self) -> bool {
        self.record.is_enabled()
    }

    /// Hands over what is waiting to be written.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.record.flush()
    }

    /// Shows an event to who watches the run.
    pub(crate) fn emit(&mut self, event: &Event<'_>) {
        self.observer.on(event);
    }

    /// What stages share.
    pub(crate) const fn services(&self) -> &'p Services {
        self.services
    }

    /// How many items are in flight.
    pub(crate) const fn in_flight(&self) -> usize {
        self.items.len()
    }

    /// Whether new work is no longer begun.
    pub(crate) const fn is_draining(&self) -> bool {
        self.draining.has_begun
    }

    /// The items that were done since the last call.
    pub(crate) fn take_finished(&mut self) -> Vec<Item> {
        self.items.take_finished()
    }

    /// The items that are done but for their deferred stages since the last call.
    pub(crate) fn take_reportable(&mut self) -> Vec<ItemSlot> {
        self.items.take_reportable()
    }

    /// An item in flight, to look at.
    pub(crate) fn item(&self, slot: ItemSlot) -> &Item {
        &self.items[slot]
    }

    /// An item in flight.
    pub(crate) fn item_mut(&mut self, slot: ItemSlot) -> &mut Item {
        &mut self.items[slot]
    }

    /// The model that has no more of something, if that stopped the run.
    pub(crate) const fn exhausted(&self) -> Option<&Exhausted> {
        self.draining.exhausted.as_ref()
    }

    /// Counts an item that an earlier session has brought to its end, and emits that it is done.
    pub(crate) fn count_passed_item(&mut self, id: &Arc<str>, state: ItemState) {
        self.passed += 1;
        self.count_item(id, state, None);
    }

    /// What asks the run to stop.
    pub(crate) const fn cancel(&self) -> &'p Cancel {
        self.cancel
    }

    /// Counts an item that is done and emits that it is. `admitted` is when it was, unless it was done before the session.
    pub(crate) fn count_item(&mut self, id: &Arc<str>, state: ItemState, admitted: Option<Instant>) {
        self.counts.add(state);
        if let Some(admitted) = admitted {
            self.item_times.record(admitted.elapsed(), 1);
        }
        let (counts, in_flight) = (self.counts, self.items.len());
        self.observer.on(&Event::ItemDone { item: id, state, admitted, counts, in_flight });
    }

    /// Counts and times at the end, and what was learned.
    pub(crate) fn into_totals(self) -> Totals {
        let stages = &self.stages;
        let route = |(stage, route): (StageIdx, RouteInProgress<'_>)| {
            let name = &stages[stage].plan.name;
            (name.clone(), route.router.into_count(name))
        };
        let routes = self.routes.into_iter().map(route).collect();
        Totals {
            items: ItemCounts { unfinished: self.items.len() as u64, ..self.counts },
            session_items: self.counts.total - self.passed,
            item_times: self.item_times.stats(),
            stages: self.stages.into_iter().map(StageQueue::into_stats).collect(),
            routes,
            search: self.search.map(|searching| searching.search.into_count()),
        }
    }
}
