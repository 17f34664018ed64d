//! The CPU time of a guest, by the clocks of the threads that poll it.
//!
//! A guest shares its worker with others, and the worker shares its processor, so the wall clock does not show what a guest
//! has used. The CPU clock of the thread is read before and after each poll, and by the epoch's callback during one.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::task::AtomicWaker;
use jackfield_plugin_api::{BoxFuture, Failure};

use crate::sandbox::{Admission, QueueClock, Turn, used_up};

/// A guest that has computed for this long without a break gives its turn to another one that waits.
const LONG_TURN: Duration = Duration::from_secs(1);

/// The CPU time that this thread has used since it began, in nanoseconds.
#[cfg(unix)]
fn thread_cpu() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default()
}

/// Where threads have no clock of their own, a poll counts with the time that it takes, which is never too little.
#[cfg(not(unix))]
fn thread_cpu() -> u64 {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Measures one guest. Only the thread that polls it writes to it.
#[derive(Debug, Default)]
pub(super) struct CpuMeter {
    /// Nanoseconds, in all polls that have ended.
    used: AtomicU64,
    /// The clock of the thread when the present poll began, in nanoseconds.
    began: AtomicU64,
    /// Whether the present poll ends at the end of an epoch, in the middle of a computation.
    interrupted: AtomicBool,
}

impl CpuMeter {
    fn begin(&self) {
        self.began.store(thread_cpu(), Ordering::Relaxed);
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// The CPU time that the guest has used, the present poll included.
    pub(super) fn used(&self) -> Duration {
        let this_poll = thread_cpu().saturating_sub(self.began.load(Ordering::Relaxed));
        Duration::from_nanos(self.used.load(Ordering::Relaxed) + this_poll)
    }

    fn end(&self) -> Duration {
        let used = self.used();
        self.used.store(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        used
    }

    /// Takes note that the present poll ends in the middle of a computation.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }
}

/// Shows whether the guest was woken, or whether its call is polled for another reason.
struct Woken {
    woken: AtomicBool,
    call: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.call.wake();
    }
}

/// How a guest shares the processors with others.
pub(super) struct Schedule<'a> {
    pub(super) admission: &'a Arc<Admission>,
    /// Counts how long the guest waits for turns.
    pub(super) clock: &'a Arc<QueueClock>,
    /// The turn to begin with; none for a guest that has its thread for itself and needs no turns.
    pub(super) turn: Option<Turn>,
}

/// Runs the work of a guest until it ends or its CPU time is used up. The guest has a turn while it computes, and gives it
/// back while it waits for the host.
pub(super) async fn metered<T>(
    meter: &CpuMeter,
    limit: Duration,
    schedule: Schedule<'_>,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let Schedule { admission, clock, mut turn } = schedule;
    let mut work = pin!(work);
    let woken = Arc::new(Woken { woken: AtomicBool::new(true), call: AtomicWaker::new() });
    let waker = Waker::from(Arc::clone(&woken));
    let takes_turns = turn.is_some();
    let mut had_turn_at = Duration::ZERO;
    let mut queueing: Option<BoxFuture<'_, Option<Turn>>> = None;
    poll_fn(|context| {
        woken.call.register(context.waker());
        if queueing.is_none() && !woken.woken.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        if takes_turns && turn.is_none() {
            let next = queueing.get_or_insert_with(|| Box::pin(admission.go_on(clock)));
            match Pin::new(next).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(next) => turn = next,
            }
            queueing = None;
            had_turn_at = Duration::from_nanos(meter.used.load(Ordering::Relaxed));
        }
        woken.woken.store(false, Ordering::Release);
        meter.begin();
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            turn = None;
            return Poll::Ready(Ok(done));
        }
        let used = meter.end();
        if used >= limit {
            return Poll::Ready(Err(Failure::OverBudget(used_up(limit))));
        }
        if !meter.interrupted.load(Ordering::Relaxed) {
            turn = None;
        } else if turn.is_some() && used.saturating_sub(had_turn_at) >= LONG_TURN && admission.has_waiting() {
            turn = None;
            let mut others: BoxFuture<'_, Option<Turn>> = Box::pin(admission.let_others(clock));
            // The first poll puts it into the queue.
            if let Poll::Ready(next) = others.as_mut().poll(context) {
                (turn, had_turn_at) = (next, used);
            } else {
                queueing = Some(others);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread};

    use super::*;
    use crate::sandbox::Demand;

    /// Computes for so long, by the clock of its thread.
    fn compute(time: Duration) {
        let until = thread_cpu() + u64::try_from(time.as_nanos()).expect("short");
        while thread_cpu() < until {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn what_others_compute_and_what_a_thread_sleeps_is_not_counted() {
        let meter = CpuMeter::default();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            meter.begin();
            compute(Duration::from_millis(5));
            let used = meter.end();
            thread::sleep(Duration::from_millis(30));
            meter.begin();
            thread::sleep(Duration::from_millis(30));
            compute(Duration::from_millis(5));
            assert!(meter.used() >= used + Duration::from_millis(5), "what the poll has used so far is in it");
            let all = meter.end();
            stop.store(true, Ordering::Relaxed);
            assert!(used >= Duration::from_millis(5) && all >= Duration::from_millis(10), "{used:?}, {all:?}");
            assert!(all < Duration::from_millis(40), "{all:?}");
        });
    }

    /// A guest that computes for so long, a little at a time, and is interrupted in between.
    async fn guest(meter: &CpuMeter, steps: u32, step: Duration) {
        for _ in 0..steps {
            let mut is_second = false;
            poll_fn(|context| {
                if is_second {
                    return Poll::Ready(());
                }
                is_second = true;
                compute(step);
                meter.interrupt();
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_guest_ends_when_its_own_time_is_used_up_and_not_before() {
        let admission = Admission::new(1, 1, 0);
        let clock = QueueClock::within_current();
        let (limit, step) = (Duration::from_millis(10), Duration::from_millis(1));
        let meter = CpuMeter::default();
        let done = metered(
            &meter,
            limit,
            Schedule { admission: &admission, clock: &clock, turn: None },
            guest(&meter, 5, step),
        )
        .await;
        assert_eq!(done, Ok(()));
        let meter = CpuMeter::default();
        let ended = metered(
            &meter,
            limit,
            Schedule { admission: &admission, clock: &clock, turn: None },
            guest(&meter, 1000, step),
        )
        .await;
        assert_eq!(ended, Err(Failure::OverBudget("used up its CPU time of 10ms".to_owned())));
        assert!(meter.used.load(Ordering::Relaxed) < 1_000_000_000);
        // What it waits is not its own.
        let meter = CpuMeter::default();
        let waits = metered(
            &meter,
            limit,
            Schedule { admission: &admission, clock: &clock, turn: None },
            tokio::time::sleep(limit * 3),
        )
        .await;
        assert_eq!(waits, Ok(()));
    }

    #[tokio::test]
    async fn of_many_guests_as_many_compute_as_there_are_workers_and_those_that_wait_do_not_count() {
        /// How many do something at a time.
        #[derive(Default)]
        struct AtOnce(AtomicUsize, AtomicUsize);
        impl AtOnce {
            async fn during<T>(&self, work: impl Future<Output = T>) -> T {
                self.1.fetch_max(self.0.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let done = work.await;
                self.0.fetch_sub(1, Ordering::Relaxed);
                done
            }
        }
        let admission = Admission::new(2, 100, 0);
        let (computing, waiting) = (AtOnce::default(), AtOnce::default());
        let all_wait = tokio::sync::Barrier::new(20);
        let call = async || {
            let clock = QueueClock::within_current();
            let admitted = admission.begin(Demand::Stage, 1, &clock).await.expect("it fits");
            let meter = CpuMeter::default();
            let step = Duration::from_micros(10);
            let work = async {
                computing.during(guest(&meter, 3, step)).await;
                waiting.during(all_wait.wait()).await;
                computing.during(guest(&meter, 3, step)).await;
            };
            metered(&meter, LONG_TURN, Schedule { admission: &admission, clock: &clock, turn: admitted.turn }, work)
                .await
                .expect("well in time");
        };
        futures::future::join_all((0..20).map(|_| call())).await;
        assert_eq!((computing.1.into_inner(), waiting.1.into_inner()), (2, 20));
    }
}
