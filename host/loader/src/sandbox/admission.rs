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
mod tests {
    use std::{
        future::Future,
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn clock() -> Arc<QueueClock> {
        QueueClock::within_current()
    }

    /// A call that is about to begin.
    type Beginning = Pin<Box<dyn Future<Output = Result<Admitted>>>>;

    fn begin(admission: &Arc<Admission>, demand: Demand, memory: u64) -> Beginning {
        let admission = Arc::clone(admission);
        Box::pin(async move { admission.begin(demand, memory, &clock()).await })
    }

    fn now<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[track_caller]
    fn admitted(beginning: &mut Beginning) -> Admitted {
        now(beginning).expect("it may begin").expect("it fits")
    }

    #[test]
    fn as_many_compute_as_there_are_workers_and_who_waits_for_the_host_does_not_count() {
        let admission = Admission::new(2, 1000, 0);
        let mut calls: Vec<_> = (0..4).map(|_| begin(&admission, Demand::Stage, 10)).collect();
        let (first, second) = (admitted(&mut calls[0]), admitted(&mut calls[1]));
        assert!(now(&mut calls[2]).is_none() && now(&mut calls[3]).is_none());
        // It asks the host, and another goes on in its place.
        drop(first.turn);
        let third = admitted(&mut calls[2]);
        let clock = clock();
        let mut answered = Box::pin(admission.go_on(&clock));
        assert!(now(&mut answered).is_none() && clock.is_queueing());
        // Those that were answered go before those that have not begun.
        drop(second);
        let turn = now(&mut answered).expect("its turn");
        assert!(now(&mut calls[3]).is_none() && !clock.is_queueing());
        drop(turn);
        drop((admitted(&mut calls[3]), third));
    }

    #[test]
    fn memory_is_never_more_than_the_total_and_who_asks_for_much_is_not_passed() {
        let admission = Admission::new(8, 100, 0);
        let small = admitted(&mut begin(&admission, Demand::Stage, 40));
        let mut large = begin(&admission, Demand::Stage, 70);
        let mut small_again = begin(&admission, Demand::Stage, 10);
        assert!(now(&mut large).is_none() && now(&mut small_again).is_none(), "in their order");
        assert!(admission.is_short());
        drop(small);
        let large = admitted(&mut large);
        drop((admitted(&mut small_again), large));
        assert_eq!((admission.peak(), admission.lock().reserved, admission.is_short()), (80, 0, false));
        let refused = now(&mut begin(&admission, Demand::Stage, 101)).expect("at once").expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "invalid-config: its instance may take 101 B of memory, and all of them together 100 B"
        );
    }

    #[test]
    fn a_model_that_a_call_waits_for_finds_room_however_many_calls_there_are() {
        let admission = Admission::new(1, 100, 30);
        let mut calls: Vec<_> = (0..5).map(|_| begin(&admission, Demand::Stage, 20)).collect();
        let mut holding = Vec::new();
        for call in &mut calls[..3] {
            let Admitted { turn, memory } = admitted(call);
            // It asks for its model, and holds its memory.
            drop(turn);
            holding.push(memory);
        }
        assert!(now(&mut calls[3]).is_none(), "the rest is kept back");
        let mut models: Vec<_> = (0..3).map(|_| begin(&admission, Demand::Model, 30)).collect();
        for model in &mut models {
            drop(admitted(model));
        }
        drop(holding);
        drop(admitted(&mut calls[3]));
    }

    #[test]
    fn a_call_that_is_given_up_leaves_nothing_behind() {
        let admission = Admission::new(1, 100, 0);
        let first = admitted(&mut begin(&admission, Demand::Stage, 60));
        let (mut second, mut third) = (begin(&admission, Demand::Stage, 60), begin(&admission, Demand::Stage, 60));
        assert!(now(&mut second).is_none() && now(&mut third).is_none());
        // One is given up in the queue, the other when its turn has come and it does not know yet.
        drop(second);
        drop(first);
        drop(third);
        let state = admission.lock();
        assert_eq!((state.computing, state.reserved), (0, 0));
    }

    #[test]
    fn who_has_computed_for_long_goes_behind_those_that_came_before() {
        let admission = Admission::new(1, 100, 0);
        let long = admitted(&mut begin(&admission, Demand::Stage, 50));
        let mut fresh = begin(&admission, Demand::Stage, 50);
        let mut large = begin(&admission, Demand::Stage, 90);
        assert!(now(&mut fresh).is_none() && now(&mut large).is_none() && admission.has_waiting());
        let Admitted { turn, memory } = long;
        drop(turn);
        let clock = clock();
        let mut aside = Box::pin(admission.let_others(&clock));
        assert!(now(&mut aside).is_none());
        drop(admitted(&mut fresh));
        // The next in the order waits for the memory of the one that was set aside: that one goes on.
        assert!(now(&mut large).is_none());
        let turn = now(&mut aside).expect("its turn");
        drop((turn, memory));
        drop(admitted(&mut large));
    }

    #[test]
    fn a_policy_takes_no_workers_turn() {
        let admission = Admission::new(1, 100, 10);
        let call = admitted(&mut begin(&admission, Demand::Stage, 90));
        let policy = admitted(&mut begin(&admission, Demand::Policy, 10));
        assert!(policy.turn.is_none() && call.turn.is_some());
    }
}
