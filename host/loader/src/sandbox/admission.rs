//! Admission of calls to the sandbox: at most as many calls compute at a time as there are workers, and their instances
//! together hold at most the memory that is there for all of them.
//!
//! Before the instance of a call is made, the call reserves all the memory that the instance may ever take. If calls reserved
//! memory as their instances grow, they could wait for memory that other waiting calls hold, and none would ever continue. For
//! the same reason a part of the total is kept back from the calls of stages: the call of a stage holds its memory while it
//! waits for a model, and the instance of that model needs memory as well.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use jackfield_plugin_api::{Failure, Result, sync::lock};
use tokio::sync::oneshot;

use super::{QueueClock, memory_total, size};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Admission>>> = const { RefCell::new(None) };
}

/// On whose behalf an instance is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A stage. Its call may wait for a model while it holds its memory.
    Stage,
    /// A model. Its call waits for nothing that needs memory.
    Model,
    /// A routing policy. It is called by the scheduler's thread, not by a worker.
    Policy,
}

/// Lets calls of sandboxed plugins run.
#[derive(Debug)]
pub struct Admission {
    state: Mutex<State>,
    workers: usize,
    total: u64,
    /// The part of the total that calls of stages cannot reserve, in bytes.
    kept_back: u64,
    /// Whether a call waits for memory.
    is_short: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    computing: usize,
    reserved: u64,
    /// The most that was ever reserved.
    peak: u64,
    next_ticket: u64,
    /// Calls whose request the host has answered. They hold memory, so they go first.
    answered: VecDeque<Waiter>,
    /// Models and policies that are about to begin.
    inner: VecDeque<Waiter>,
    /// Calls of stages that are about to begin.
    fresh: VecDeque<Waiter>,
    /// Calls that have computed for long, and gave their turn to others.
    set_aside: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    memory: u64,
    computes: bool,
    admit: oneshot::Sender<Admitted>,
}

/// What a call that may run holds: its turn to compute (none for a policy), and its memory. Each is given back when it is
/// dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) turn: Option<Turn>,
    pub(crate) memory: ReservedMemory,
}

/// One of the turns to compute.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Admission>);

/// Memory that is reserved for an instance.
#[derive(Debug)]
pub(crate) struct ReservedMemory {
    admission: Arc<Admission>,
    bytes: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.give_back(1, 0);
    }
}

impl Drop for ReservedMemory {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.admission.give_back(0, self.bytes);
        }
    }
}

/// A thread that works for a run, until this is dropped. It holds the admission of the run for which the thread worked before.
#[derive(Debug)]
pub struct Entered(Option<Arc<Admission>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl Admission {
    /// The admission of a run with this number of workers, and this memory for all its instances at a time. Of the memory,
    /// `kept_back` is not for stages, but for the models that they wait for. Both are in bytes.
    #[must_use]
    pub fn new(workers: usize, total: u64, kept_back: u64) -> Arc<Self> {
        let (state, is_short) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { state, workers: workers.max(1), total, kept_back, is_short })
    }

    /// The admission of the run for which this thread works. Outside of a run: one with the usual total of memory, and without
    /// a bound on how many calls compute, since no workers are shared there.
    #[must_use]
    pub fn current() -> Arc<Self> {
        static OUTSIDE_OF_RUNS: OnceLock<Arc<Admission>> = OnceLock::new();
        let outside_of_runs =
            || Arc::clone(OUTSIDE_OF_RUNS.get_or_init(|| Self::new(usize::MAX, memory_total::usual().bytes, 0)));
        CURRENT.with_borrow(Clone::clone).unwrap_or_else(outside_of_runs)
    }

    /// From now on this thread works for the run of this admission.
    pub fn enter(self: &Arc<Self>) {
        CURRENT.set(Some(Arc::clone(self)));
    }

    /// This thread works for the run of this admission until the guard is dropped.
    #[must_use]
    pub fn entered(self: &Arc<Self>) -> Entered {
        Entered(CURRENT.replace(Some(Arc::clone(self))))
    }

    /// Whether a call waits for memory, so that there is no point in more calls.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// The most memory that was reserved at a time, in bytes.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.lock().peak
    }

    /// Waits until a call may begin.
    ///
    /// # Errors
    /// If its memory, in bytes, is more than such a call can ever get.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        demand: Demand,
        memory: u64,
        clock: &Arc<QueueClock>,
    ) -> Result<Admitted> {
        let most = self.most(demand);
        if memory > most {
            let (memory, most) = (size(memory), size(most));
            let what = format!("its instance may take {memory} of memory, and all of them together {most}");
            return Err(Failure::InvalidConfig(what));
        }
        let queue = |state: &mut State, waiter: Waiter| match demand {
            Demand::Stage => state.fresh.push_back(waiter),
            Demand::Model | Demand::Policy => state.inner.push_back(waiter),
        };
        self.admitted(memory, demand != Demand::Policy, clock, queue).await
    }

    /// Waits for the turn of a call whose request the host has answered.
    pub(crate) async fn go_on(self: &Arc<Self>, clock: &Arc<QueueClock>) -> Option<Turn> {
        self.admitted(0, true, clock, |state, waiter| state.answered.push_back(waiter)).await.ok()?.turn
    }

    /// Waits for the next turn of a call that gave its turn to others.
    pub(crate) async fn let_others(self: &Arc<Self>, clock: &Arc<QueueClock>) -> Option<Turn> {
        self.admitted(0, true, clock, |state, waiter| state.set_aside.push_back(waiter)).await.ok()?.turn
    }

    /// Whether a call waits for nothing but a turn.
    pub(crate) fn has_waiting(&self) -> bool {
        let state = self.lock();
        let has_beginners = !state.inner.is_empty() || !state.fresh.is_empty();
        !state.answered.is_empty() || !state.set_aside.is_empty() || has_beginners && !self.is_short()
    }

    async fn admitted(
        self: &Arc<Self>,
        memory: u64,
        computes: bool,
        clock: &Arc<QueueClock>,
        queue: impl FnOnce(&mut State, Waiter),
    ) -> Result<Admitted> {
        let (admit, mut admitted) = oneshot::channel();
        {
            let mut state = self.lock();
            state.next_ticket += 1;
            let ticket = state.next_ticket;
            queue(&mut state, Waiter { ticket, memory, computes, admit });
        }
        self.admit();
        if let Ok(admitted) = admitted.try_recv() {
            return Ok(admitted);
        }
        let _queueing = clock.queue();
        admitted.await.map_err(|_| Failure::Internal("it will never be its turn".to_owned()))
    }

    /// The most memory that the instances of such calls may take together, in bytes.
    fn most(&self, demand: Demand) -> u64 {
        match demand {
            Demand::Stage => self.total.saturating_sub(self.kept_back),
            Demand::Model | Demand::Policy => self.total,
        }
    }

    fn give_back(self: &Arc<Self>, turns: usize, memory: u64) {
        {
            let mut state = self.lock();
            state.computing = state.computing.saturating_sub(turns);
            state.reserved = state.reserved.saturating_sub(memory);
        }
        self.admit();
    }

    /// Admits all that may run.
    fn admit(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                let (next, is_short) = self.next(&mut state);
                // Other threads read it, so it is set only after all that became free was handed out.
                if next.is_none() {
                    self.is_short.store(is_short, Ordering::Relaxed);
                }
                if let Some(waiter) = &next {
                    state.computing += usize::from(waiter.computes);
                    state.reserved += waiter.memory;
                    state.peak = state.peak.max(state.reserved);
                }
                next
            };
            let Some(Waiter { memory, computes, admit, .. }) = next else { return };
            let turn = computes.then(|| Turn(Arc::clone(self)));
            // If the call has ended, this drops what it got, which takes the lock: it is not held here.
            let _ =
                admit.send(Admitted { turn, memory: ReservedMemory { admission: Arc::clone(self), bytes: memory } });
        }
    }

    /// The next call that may run, taken out of its queue; and whether a call waits for memory.
    fn next(&self, state: &mut State) -> (Option<Waiter>, bool) {
        for queue in [&mut state.answered, &mut state.inner, &mut state.fresh, &mut state.set_aside] {
            while queue.front().is_some_and(|waiter| waiter.admit.is_closed()) {
                queue.pop_front();
            }
        }
        let (reserved, is_free) = (state.reserved, state.computing < self.workers);
        let has_room = |waiter: &Waiter, demand| reserved.saturating_add(waiter.memory) <= self.most(demand);
        let may_run = |waiter: &Waiter, demand| has_room(waiter, demand) && (is_free || !waiter.computes);
        // Each queue is served in its order: a call that needs much memory is not overtaken by those that need little.
        let inner_lacks_memory = state.inner.front().is_some_and(|waiter| !has_room(waiter, Demand::Model));
        let fresh_lacks_memory = state.fresh.front().is_some_and(|waiter| !has_room(waiter, Demand::Stage));
        let is_short = inner_lacks_memory || fresh_lacks_memory;
        if is_free && let Some(waiter) = state.answered.pop_front() {
            return (Some(waiter), is_short);
        }
        if state.inner.front().is_some_and(|waiter| may_run(waiter, Demand::Model)) {
            return (state.inner.pop_front(), is_short);
        }
        // Memory that becomes free goes to a model first, since a call that holds memory waits for the model.
        let fresh = state.fresh.front().filter(|waiter| !inner_lacks_memory && may_run(waiter, Demand::Stage));
        let aside = state.set_aside.front().filter(|_| is_free);
        let next = match (fresh.map(|waiter| waiter.ticket), aside.map(|waiter| waiter.ticket)) {
            (Some(fresh), Some(aside)) if aside < fresh => state.set_aside.pop_front(),
            (Some(_), _) => state.fresh.pop_front(),
            (None, Some(_)) => state.set_aside.pop_front(),
            (None, None) => None,
        };
        (next, is_short)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
