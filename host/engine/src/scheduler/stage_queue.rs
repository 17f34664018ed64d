//! What the scheduler knows of a stage: what it is called with, which of its calls are ready, and how its calls went.

use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

use jackfield_pipeline::{Plan, StagePlan};
use jackfield_plugin_api::Request;
use jackfield_services::Times;
use jackfield_store::{StageStats, TimeStats};

use super::{
    call::{Call, ReadyCall},
    search_in_progress::OpenedStages,
};
use crate::{
    batch::BatchAnswers,
    index::{ArmIdx, StageIdx},
    seed::name_of,
    stage_runtime::StageRuntime,
};

/// Batches of one stage in flight at a time, unless the pipeline says otherwise.
const USUAL_MAX_BATCHES: usize = 64;

/// A batch is made to take about this long: long enough that handing it over costs little, short enough to spread.
const BATCH_TIME: Duration = Duration::from_millis(1);

/// A stage of the plan with its calls. It lives as long as the session.
pub(super) struct StageQueue<'p> {
    pub(super) plan: &'p StagePlan,
    /// [`name_of`] the stage.
    pub(super) seed: u64,
    /// The stages that wait for it.
    pub(super) readers: Vec<StageIdx>,
    /// Its runtime with each of its arms, in their order; one for a stage without a route. Never empty.
    arms: Vec<Arc<StageRuntime>>,
    /// What it was opened with lately, where it is searched.
    pub(super) opened: OpenedStages,
    /// Calls to be sent, in this order. Nothing is sent while the run stops.
    pub(super) ready: VecDeque<ReadyCall>,
    /// Batches that were sent and are neither answered nor given up.
    pub(super) batches_in_flight: usize,
    /// The most of them at a time.
    max_batches: usize,
    /// Time of a call, as an exponential moving average over batches; none before the first answer.
    pace: Option<Duration>,
    /// Times of all calls.
    times: Times,
    pub(super) stats: StageStats,
    progress: Progress,
}

/// How far a stage has come with its calls.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// Calls known of so far.
    pub(super) known: u64,
    /// Calls answered so far, well or not.
    pub(super) answered: u64,
    /// Whether the numbers have changed since they were taken.
    changed: bool,
}

/// The calls of a stage that are sent next, together, and what they are made with.
pub(super) struct NextBatch {
    pub(super) calls: Vec<Call>,
    pub(super) requests: Vec<Request>,
}

/// How long a batch took.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchTimes {
    /// How many calls it has.
    pub(super) calls: usize,
    /// How many of them were made: the memo did not have their results.
    pub(super) made: usize,
    /// The share of each call that was made.
    pub(super) each: Duration,
    /// How long the memo took, all calls together.
    pub(super) memo_took: Duration,
}

impl BatchTimes {
    /// The times of a batch of so many calls.
    pub(super) fn of(answers: &BatchAnswers, calls: usize) -> Self {
        let made = calls - answers.memo.iter().filter(|note| note.hit).count();
        Self { calls, made, each: answers.took / made.max(1) as u32, memo_took: answers.memo_took }
    }

    /// How long a call took: its share of what was made, or of what the memo took.
    pub(super) fn of_call(&self, from_memo: bool) -> Duration {
        if from_memo { self.memo_took / self.calls.max(1) as u32 } else { self.each }
    }
}

impl<'p> StageQueue<'p> {
    /// A stage that was not called yet, with each of its arms.
    pub(super) fn new(plan: &'p StagePlan, arms: Vec<Arc<StageRuntime>>, run: &Plan) -> Self {
        assert!(!arms.is_empty(), "a stage has at least one arm");
        Self {
            plan,
            seed: name_of(&plan.name),
            readers: Vec::new(),
            arms,
            opened: OpenedStages::default(),
            ready: VecDeque::new(),
            batches_in_flight: 0,
            max_batches: max_batches(plan, run),
            pace: None,
            times: Times::new(),
            stats: StageStats::default(),
            progress: Progress::default(),
        }
    }

    /// The stage with one of its arms.
    pub(super) fn arm(&self, arm: ArmIdx) -> &Arc<StageRuntime> {
        &self.arms[arm.get()]
    }

    /// The stage as it is without a route; with one, the stage with its first arm.
    pub(super) fn runtime(&self) -> &Arc<StageRuntime> {
        self.arm(ArmIdx::FIRST)
    }

    /// Whether it has calls that may be sent now.
    pub(super) fn can_send(&self) -> bool {
        !self.ready.is_empty() && self.batches_in_flight < self.max_batches
    }

    /// Whether there is anything to be done for it.
    pub(super) fn has_work(&self) -> bool {
        self.batches_in_flight > 0 || !self.ready.is_empty()
    }

    /// How many calls its next batch is to have at most: as many as take the time of a batch, and not so many that a worker is
    /// left without.
    pub(super) fn batch_size(&self, workers: usize) -> usize {
        let by_time = self.pace.map_or(1, |pace| (BATCH_TIME.as_nanos() / pace.as_nanos().max(1)).max(1) as usize);
        by_time.min(self.plan.policy.batch as usize).min(self.ready.len().div_ceil(workers))
    }

    /// Takes the calls of the next batch off the queue, at most so many: those that are made with the same runtime. A call that
    /// goes alone goes alone.
    pub(super) fn take_batch(&mut self, size: usize) -> NextBatch {
        let (mut calls, mut requests) = (Vec::<Call>::with_capacity(size), Vec::with_capacity(size));
        while calls.len() < size
            && let Some(next) = self.ready.front()
            && calls.first().is_none_or(|first| goes_with(&next.call, first))
        {
            let ReadyCall { call, request } = self.ready.pop_front().expect("the queue has a front");
            calls.push(call);
            requests.push(request);
        }
        NextBatch { calls, requests }
    }

    /// A batch was answered, in so much time.
    pub(super) fn note_batch(&mut self, times: BatchTimes) {
        let BatchTimes { calls, made, each, memo_took } = times;
        self.batches_in_flight -= 1;
        let each_call = (each * made as u32 + memo_took) / calls.max(1) as u32;
        self.pace = Some(self.pace.map_or(each_call, |pace| (pace * 7 + each_call) / 8));
        // What the memo spares takes no time of the plugin.
        self.times.record(each, made as u64);
        self.stats.cache_ms += memo_took.as_secs_f64() * 1000.0;
    }

    /// There is one more call.
    pub(super) fn note_call(&mut self) {
        self.progress.known += 1;
        self.progress.changed = true;
    }

    /// A call was answered for good.
    pub(super) fn note_answer(&mut self) {
        self.progress.answered += 1;
        self.progress.changed = true;
    }

    /// How far it has come, if that has changed since the last call.
    pub(super) fn take_progress(&mut self) -> Option<Progress> {
        mem::take(&mut self.progress.changed).then_some(self.progress)
    }

    /// Its name, and its counts and times at the end.
    pub(super) fn into_stats(mut self) -> (String, StageStats) {
        let TimeStats { p50_ms, p95_ms, p99_ms, total_ms, .. } = self.times.stats();
        self.stats = StageStats { p50_ms, p95_ms, p99_ms, total_ms, ..self.stats };
        self.stats.traps = self.arms.iter().map(|arm| arm.instance.traps()).sum::<u64>() + self.opened.traps();
        (self.plan.name.clone(), self.stats)
    }
}

/// Whether a call goes into the batch that begins with another one.
fn goes_with(call: &Call, first: &Call) -> bool {
    !call.alone && !first.alone && Arc::ptr_eq(&first.runtime, &call.runtime)
}

/// The most batches of a stage in flight at a time. Calls that wait for a model wait at the model's own limit, and those that
/// its cache answers are not to wait behind them.
fn max_batches(stage: &StagePlan, plan: &Plan) -> usize {
    let arms = stage.route.iter().flat_map(|route| &route.arms).map(|arm| arm.model);
    let models = arms.chain([stage.model]).flatten().filter_map(|model| plan.models.get(model));
    let usual = models.map(|model| model.concurrency.max as usize * 2).fold(USUAL_MAX_BATCHES, usize::max);
    stage.policy.concurrency.map_or(usual, |max| max as usize)
}
