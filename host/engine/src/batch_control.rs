//! What a batch in flight and the scheduler let each other know.

use std::{
    mem,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jackfield_loader::sandbox::QueueClock;
use jackfield_plugin_api::{Context, sync::lock};
use jackfield_services::PendingCompletions;
use jackfield_store::{CompletionRecord, ExchangeRecord};

use super::exchanges::Exchanges;

/// Shared by the scheduler, which looks at it and cancels, and by the worker that computes the batch, which fills it. It lives
/// as long as either needs it: what a batch has spent is read even after the batch was dropped.
#[derive(Default)]
pub(super) struct BatchControl {
    /// Set once, by the scheduler: the plugin is asked to stop.
    cancelled: AtomicBool,
    /// Microseconds since the session began, plus one; 0 before the batch is begun. Set once, by the worker.
    started: AtomicU64,
    /// The worker that polls the batch at this moment, plus one; 0 while the batch waits. Set around each poll.
    worker: AtomicUsize,
    /// How far the batch has come with its completions.
    pub(super) pending_completions: PendingCompletions,
    /// The clock of the time that it queues, where a sandboxed plugin may have to. Set once, before the first poll.
    queue: OnceLock<Arc<QueueClock>>,
    /// Completions so far. They are held here so that a batch that is given up leaves them behind. Behind a lock, since several
    /// completions of one call may end at the same time on different threads; held for one push or one take.
    completions: Mutex<Vec<CompletionRecord>>,
    /// What caches were asked so far. Behind a lock of its own for the same reason.
    lookups: Mutex<Vec<CacheLookup>>,
    /// What was asked of models so far, where that is recorded.
    exchanges: Mutex<Exchanges>,
}

/// A cache was asked for something.
pub(super) struct CacheLookup {
    /// Id of the item on whose behalf it was asked.
    pub(super) item: Arc<str>,
    /// Whether the cache had it.
    pub(super) found: bool,
}

impl BatchControl {
    /// Notes a completion that ended, well or not.
    pub(super) fn record_completion(&self, completion: CompletionRecord) {
        lock(&self.completions).push(completion);
    }

    /// The completions that ended since the last call.
    pub(super) fn take_completions(&self) -> Vec<CompletionRecord> {
        mem::take(&mut *lock(&self.completions))
    }

    /// Notes that a cache was asked for something.
    pub(super) fn note_lookup(&self, item: &Arc<str>, found: bool) {
        lock(&self.lookups).push(CacheLookup { item: Arc::clone(item), found });
    }

    /// What caches were asked since the last call.
    pub(super) fn take_lookups(&self) -> Vec<CacheLookup> {
        mem::take(&mut *lock(&self.lookups))
    }

    /// Notes that a model is asked something; the number that orders the exchanges of the batch.
    pub(super) fn begin_exchange(&self) -> u32 {
        let mut exchanges = lock(&self.exchanges);
        exchanges.begun += 1;
        exchanges.begun - 1
    }

    /// Notes what was asked of a model on behalf of a call, and answered.
    pub(super) fn note_exchange(&self, context: &Context, exchange: ExchangeRecord) {
        lock(&self.exchanges).add(context, exchange);
    }

    /// What was asked of models on behalf of a call since the last time, in order.
    pub(super) fn take_exchanges(&self, context: &Context) -> Vec<ExchangeRecord> {
        lock(&self.exchanges).take(context)
    }

    /// Whether the scheduler has given the batch up.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Gives the batch up: its plugin is asked to stop.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Leaves the batch if it waits for what has not begun, or for as long as somebody else likes: for a worker, for a model
    /// that was not called, for the end of a delay. False if it does not wait like that.
    pub(super) fn leave(&self) -> bool {
        self.started_us().is_none() || self.worker().is_none() && self.pending_completions.try_abandon()
    }

    /// Notes when the batch was begun, in microseconds since the session began.
    pub(super) fn start_at(&self, began_us: u64) {
        self.started.store(began_us + 1, Ordering::Release);
    }

    /// When it was begun, in microseconds since the session began; none while it waits for a worker.
    pub(super) fn started_us(&self) -> Option<u64> {
        self.started.load(Ordering::Acquire).checked_sub(1)
    }

    /// What is left of a limit on its time, of which so much has passed. The time that it queues does not count.
    pub(super) fn time_left(&self, limit: Duration, passed: Duration) -> Duration {
        self.queue.get().map_or_else(|| limit.saturating_sub(passed), |queue| queue.left(limit, passed))
    }

    /// The clock of the time that it queues, started with the first call.
    pub(super) fn start_queue_clock(&self) -> &Arc<QueueClock> {
        self.queue.get_or_init(QueueClock::within_current)
    }

    /// How long it has queued; none where it cannot have to.
    pub(super) fn queued(&self) -> Option<Duration> {
        self.queue.get().map(|queue| queue.queued())
    }

    /// Whether it queues at this moment, for its turn to compute or for memory.
    pub(super) fn is_queueing(&self) -> bool {
        self.queue.get().is_some_and(|queue| queue.is_queueing())
    }

    /// Notes which worker polls it from now on, if one does.
    pub(super) fn set_worker(&self, worker: Option<usize>) {
        self.worker.store(worker.map_or(0, |worker| worker + 1), Ordering::Release);
    }

    /// The worker that polls it at this moment.
    pub(super) fn worker(&self) -> Option<usize> {
        self.worker.load(Ordering::Acquire).checked_sub(1)
    }
}
