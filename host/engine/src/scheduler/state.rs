//! What the scheduler knows.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use jackfield_pipeline::{Plan, StagePlan};
use jackfield_plugin_api::{Random, Request};
use jackfield_services::{Exhausted, Services};
use jackfield_store::{
    ItemCounts, ItemState, MemoNote, Record, RouteCount, SearchCount, StageStats, StoreError, waits::Wait,
};
use rustc_hash::FxHashMap;

use super::{
    routing::Routing,
    searching::{Opened, Searching},
};
use crate::{
    batch::{Answers, Control},
    call_times::Times,
    cancel::Cancel,
    item::{Item, Slot},
    observe::{Event, Observer},
    pool::{Job, Pool},
    seed::name_of,
    station::Station,
};

/// Takes what goes on the record, in groups.
pub(crate) type Keep<'a> = &'a mut dyn FnMut(Vec<Record>) -> Result<(), StoreError>;

/// A call that is ready to be made.
pub(super) struct Call {
    pub(super) item: usize,
    pub(super) call: u32,
    /// Absent while the call is in a batch.
    pub(super) request: Option<Request>,
    /// The stage as it is made with: an arm of its route, or the values of its trial.
    pub(super) station: Arc<Station>,
    pub(super) attempt: u32,
    /// It was in a batch that failed as a whole: the next time it goes alone, so that the guilty one is found.
    pub(super) alone: bool,
}

/// A batch under way. Its requests are those of its calls, in order: a call that is made again gets its own back.
pub(super) struct Flight {
    pub(super) stage: usize,
    pub(super) calls: Vec<Call>,
    pub(super) requests: Arc<Vec<Request>>,
    pub(super) control: Arc<Control>,
    pub(super) job: Option<Job>,
}

impl Flight {
    /// The calls, with their requests.
    pub(super) fn take_calls(&mut self) -> Vec<Call> {
        let mut calls = mem::take(&mut self.calls);
        for (call, request) in calls.iter_mut().zip(self.requests.iter()) {
            call.request = Some(request.clone());
        }
        calls
    }
}

/// How an answer came about.
pub(super) struct How {
    pub(super) began: Instant,
    pub(super) began_us: u64,
    pub(super) took_us: u64,
    pub(super) timed_out: bool,
    pub(super) memo: Option<MemoNote>,
}

pub(super) enum Timer {
    /// A batch may have run out of time.
    Deadline(u64),
    /// A worker may be lost to a batch that ran out of time.
    Lost(Arc<Control>),
    /// A call is to be made again.
    Again(usize, Call),
}

/// A timer with its time; ordered by time alone.
pub(super) struct Due(pub(super) Instant, pub(super) u64, pub(super) Timer);

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
pub(super) struct Stage<'p> {
    pub(super) plan: &'p StagePlan,
    /// The first of its arms.
    pub(super) station: Arc<Station>,
    /// Each of its arms; for a stage that is searched, none but the first.
    pub(super) stations: Vec<Arc<Station>>,
    /// What it was opened with lately, where it is searched.
    pub(super) opened: Opened,
    pub(super) seed: u64,
    /// The stages that read it.
    pub(super) readers: Vec<usize>,
    pub(super) ready: VecDeque<Call>,
    pub(super) under_way: usize,
    /// The most batches under way at a time.
    pub(super) most: usize,
    /// Time of a call, as an exponential moving average.
    pub(super) pace: Option<Duration>,
    pub(super) times: Times,
    pub(super) stats: StageStats,
    pub(super) known: u64,
    pub(super) answered: u64,
    pub(super) changed: bool,
}

/// See the [module](self).
pub(crate) struct Scheduler<'p, 'k> {
    pub(super) plan: &'p Plan,
    pub(super) pool: &'p Pool,
    pub(super) workers: usize,
    pub(super) cancel: &'p Cancel,
    pub(super) observer: &'k mut dyn Observer,
    pub(super) keep: Option<Keep<'k>>,
    pub(super) stages: Vec<Stage<'p>>,
    /// Items in work; a place is used again.
    pub(super) items: Vec<Option<Item>>,
    pub(super) free: Vec<usize>,
    pub(super) in_work: usize,
    /// The slots of the stages that run once a run.
    pub(super) run_slots: Vec<Slot>,
    /// The search, where there is one.
    pub(super) search: Option<Searching<'p>>,
    /// The routes, by index of their stage.
    pub(super) routings: BTreeMap<usize, Routing<'p>>,
    pub(super) services: &'p Services,
    /// The stages in the order in which their calls are sent.
    pub(super) order: Vec<usize>,
    /// Whether there is a record: building one for nobody costs as much as a call.
    pub(super) recording: bool,
    pub(super) flights: FxHashMap<u64, Flight>,
    pub(super) next_flight: u64,
    pub(super) timers: BinaryHeap<Reverse<Due>>,
    pub(super) next_timer: u64,
    pub(super) answers: (Sender<Answers>, Receiver<Answers>),
    pub(super) records: Vec<Record>,
    /// When they are handed over at the latest.
    pub(super) flush_at: Option<Instant>,
    pub(super) finished: Vec<Item>,
    /// Places of items that are done but for their deferred stages.
    pub(super) reported: Vec<usize>,
    pub(super) counts: ItemCounts,
    pub(super) draining: bool,
    /// The wait for more items.
    pub(super) input: Arc<Wait>,
    /// The model that has no more of something, if that stopped the run.
    pub(super) exhausted: Option<Exhausted>,
    pub(super) jitter: Random,
}

/// What a scheduler is made of, beside its plan; lists are parallel to the plan's stages.
pub(crate) struct Parts<'a, 'p> {
    /// Each stage, with each of its arms.
    pub(crate) stations: Vec<Vec<Arc<Station>>>,
    /// The routes, by index of their stage.
    pub(crate) routings: BTreeMap<usize, Routing<'p>>,
    pub(crate) search: Option<Searching<'p>>,
    /// For which stages each stage waits.
    pub(crate) waits: &'a [Vec<usize>],
}

impl<'p, 'k> Scheduler<'p, 'k> {
    pub(crate) fn new(
        plan: &'p Plan,
        Parts { stations, routings, search, waits }: Parts<'_, 'p>,
        services: &'p Services,
        pool: (&'p Pool, usize),
        cancel: &'p Cancel,
        observer: &'k mut dyn Observer,
        keep: Option<Keep<'k>>,
    ) -> Self {
        // The last stages first: what is begun is brought to its end. Deferred stages have time.
        let mut order: Vec<usize> = (0..plan.stages.len()).rev().collect();
        order.sort_by_key(|stage| plan.stages[*stage].deferred);
        let run = plan;
        let recording = keep.is_some();
        let mut stages: Vec<Stage<'p>> = plan
            .stages
            .iter()
            .zip(stations)
            .filter_map(|(plan, stations)| Some((plan, Arc::clone(stations.first()?), stations)))
            .map(|(plan, station, stations)| Stage {
                plan,
                station,
                stations,
                opened: Opened::default(),
                seed: name_of(&plan.name),
                readers: Vec::new(),
                ready: VecDeque::new(),
                under_way: 0,
                most: most_batches(plan, run),
                pace: None,
                times: Times::new(),
                stats: StageStats::default(),
                known: 0,
                answered: 0,
                changed: false,
            })
            .collect();
        for (index, waits) in waits.iter().enumerate() {
            for wait in waits {
                stages[*wait].readers.push(index);
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
            search,
            routings,
            services,
            order,
            recording,
            flights: FxHashMap::default(),
            next_flight: 0,
            timers: BinaryHeap::new(),
            next_timer: 0,
            answers: unbounded(),
            records: Vec::new(),
            flush_at: None,
            finished: Vec::new(),
            reported: Vec::new(),
            counts: ItemCounts::default(),
            draining: false,
            input: Wait::new("the input"),
            exhausted: None,
            jitter: Random::new(plan.seed),
        }
    }

    /// Takes an item up. Its calls are made as the loop turns.
    pub(crate) fn take(&mut self, item: Item) {
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
    pub(crate) fn keep_run_slots(&mut self, slots: Vec<Slot>) {
        self.run_slots = slots;
    }

    /// The slots of the stages that run once a run.
    pub(crate) fn run_slots(&self) -> &[Slot] {
        &self.run_slots
    }

    /// Puts something on the record.
    pub(crate) fn note(&mut self, record: Record) {
        if self.recording {
            if self.records.is_empty() {
                self.flush_at = Some(Instant::now() + GATHER);
            }
            self.records.push(record);
        }
    }

    /// Tells the observer.
    pub(crate) fn tell(&mut self, event: &Event<'_>) {
        self.observer.on(event);
    }

    /// What stages share.
    pub(crate) fn services(&self) -> &'p Services {
        self.services
    }

    /// Items in work.
    pub(crate) fn in_work(&self) -> usize {
        self.in_work
    }

    /// Whether new work is no longer begun.
    pub(crate) fn draining(&self) -> bool {
        self.draining
    }

    /// The items that were done since the last call.
    pub(crate) fn finished(&mut self) -> Vec<Item> {
        mem::take(&mut self.finished)
    }

    /// Places of the items that are done but for their deferred stages since the last call.
    pub(crate) fn reported(&mut self) -> Vec<usize> {
        mem::take(&mut self.reported)
    }

    /// An item in work, to look at.
    pub(crate) fn item_in_work(&self, place: usize) -> Option<&Item> {
        self.items.get(place)?.as_ref()
    }

    /// An item in work.
    pub(crate) fn item(&mut self, place: usize) -> Option<&mut Item> {
        self.items.get_mut(place)?.as_mut()
    }

    /// The model that has no more of something, if that stopped the run.
    pub(crate) fn exhausted(&self) -> Option<&Exhausted> {
        self.exhausted.as_ref()
    }

    /// Counts an item that is done and tells the observer.
    pub(crate) fn count(&mut self, id: &Arc<str>, state: ItemState, taken: Option<Instant>) {
        self.counts.add(state);
        self.observer.on(&Event::ItemDone { item: id, state, taken, counts: self.counts, in_work: self.in_work });
    }

    /// Counts and times at the end, and what was learned.
    pub(crate) fn totals(
        mut self,
    ) -> (ItemCounts, BTreeMap<String, StageStats>, BTreeMap<String, RouteCount>, Option<SearchCount>) {
        let name = |index: usize| self.stages.get(index).map(|stage| stage.plan.name.clone()).unwrap_or_default();
        let routes = mem::take(&mut self.routings);
        let end = |(index, routing): (usize, Routing<'_>)| {
            let stage = name(index);
            let count = routing.router.end(&stage);
            (stage, count)
        };
        let routes = routes.into_iter().map(end).collect();
        let stages = self.stages.into_iter().map(|mut stage| {
            stage.times.fill(&mut stage.stats);
            let traps: u64 = stage.stations.iter().map(|station| station.instance.traps()).sum();
            stage.stats.traps = traps + stage.opened.traps();
            (stage.plan.name.clone(), stage.stats)
        });
        let search = self.search.map(|searching| searching.search.count());
        (self.counts, stages.collect(), routes, search)
    }
}

/// How long a record may wait for others: a transaction costs as much as some dozen rows.
const GATHER: Duration = Duration::from_millis(5);

/// Batches of one stage under way at a time, unless the pipeline says otherwise.
const BATCHES: usize = 64;

/// The most batches of a stage under way at a time. Calls that wait for a model wait at the model's own limit, and those
/// that its cache answers are not to wait behind them.
pub(super) fn most_batches(stage: &StagePlan, plan: &Plan) -> usize {
    let arms = stage.route.iter().flat_map(|route| &route.arms).map(|arm| arm.model);
    let models = arms.chain([stage.model]).flatten().filter_map(|model| plan.models.get(model));
    let usual = models.map(|model| model.concurrency.max as usize * 2).fold(BATCHES, usize::max);
    stage.policy.concurrency.map_or(usual, |most| most as usize)
}
