//! Measures how long a call has queued, for its turn to compute or for memory. No limit on time counts that.

use std::{
    cell::RefCell,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use jackfield_plugin_api::sync::lock;

thread_local! {
    /// The clock of the call that this thread is polling.
    static CURRENT: RefCell<Option<Arc<QueueClock>>> = const { RefCell::new(None) };
}

/// How often a limit on time is checked while a call queues, since it cannot be reached meanwhile.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Counts the time that a call queues, with all calls that are made on its behalf.
#[derive(Debug, Default)]
pub struct QueueClock {
    queued: Mutex<Queued>,
    /// The clock of the call on whose behalf this one is made.
    outer: Option<Arc<Self>>,
}

#[derive(Debug, Default)]
struct Queued {
    /// The number of waits that are under way. Calls may be made side by side, and their time is counted once.
    waits: u32,
    /// When the first of these waits began.
    since: Option<Instant>,
    /// The time of all waits that have ended.
    ended: Duration,
}

impl QueueClock {
    /// A clock for a call that is made on behalf of the one that this thread polls, if it polls one.
    #[must_use]
    pub fn within_current() -> Arc<Self> {
        Arc::new(Self { queued: Mutex::default(), outer: CURRENT.with_borrow(Clone::clone) })
    }

    /// Does some work of this call. The time that it waits in queues is counted by this clock.
    pub fn during<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        /// Restores the previous clock, also after a panic.
        struct PreviousClock(Option<Arc<QueueClock>>);
        impl Drop for PreviousClock {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _previous = PreviousClock(CURRENT.replace(Some(Arc::clone(self))));
        work()
    }

    /// How long the call has queued so far.
    #[must_use]
    pub fn queued(&self) -> Duration {
        let queued = self.lock();
        queued.ended + queued.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether the call is queueing.
    #[must_use]
    pub fn is_queueing(&self) -> bool {
        self.lock().waits > 0
    }

    /// The call queues until the guard is dropped.
    #[must_use]
    pub(crate) fn queue(self: &Arc<Self>) -> Queueing {
        let now = Instant::now();
        self.change_all(|queued| {
            queued.waits += 1;
            queued.since.get_or_insert(now);
        });
        Queueing(Arc::clone(self))
    }

    /// Changes this clock and those of all calls on whose behalf this one is made.
    fn change_all(&self, mut change: impl FnMut(&mut Queued)) {
        let mut next = Some(self);
        while let Some(clock) = next {
            change(&mut clock.lock());
            next = clock.outer.as_deref();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queued> {
        lock(&self.queued)
    }

    /// The time that is left of a limit, if `passed` is the time since the clock was made. While the call queues, it is at least
    /// a little.
    #[must_use]
    pub fn left(&self, limit: Duration, passed: Duration) -> Duration {
        let left = limit.saturating_sub(passed.saturating_sub(self.queued()));
        if self.is_queueing() { left.max(CHECK_INTERVAL) } else { left }
    }

    /// Waits for some work within a limit on time, which does not count the time that the work queues. None if the limit was
    /// reached.
    pub async fn timeout<T>(self: &Arc<Self>, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let (began, before) = (Instant::now(), self.queued());
        let mut work = pin!(work);
        let mut left = limit;
        loop {
            if let Ok(done) = tokio::time::timeout(left, work.as_mut()).await {
                return Some(done);
            }
            left = self.left(limit, before + began.elapsed());
            if left.is_zero() {
                return None;
            }
        }
    }
}

/// A call that queues.
#[derive(Debug)]
pub(crate) struct Queueing(Arc<QueueClock>);

impl Drop for Queueing {
    fn drop(&mut self) {
        let now = Instant::now();
        self.0.change_all(|queued| {
            queued.waits -= 1;
            if queued.waits == 0
                && let Some(since) = queued.since.take()
            {
                queued.ended += now.saturating_duration_since(since);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn waits_side_by_side_are_counted_once_and_for_the_outer_call_too() {
        let outer = QueueClock::within_current();
        let inner = outer.during(QueueClock::within_current);
        let (first, second) = (inner.queue(), inner.queue());
        std::thread::sleep(Duration::from_millis(20));
        drop(first);
        assert!(outer.is_queueing() && inner.is_queueing());
        drop(second);
        assert!(!outer.is_queueing());
        let queued = inner.queued();
        assert!(queued >= Duration::from_millis(20), "{queued:?}");
        assert!(outer.queued() >= queued && outer.queued() < queued * 2, "{:?}, {queued:?}", outer.queued());
        assert!(QueueClock::within_current().outer.is_none(), "the clock of before is back");
    }

    #[tokio::test]
    async fn a_limit_does_not_count_what_queues() {
        let clock = QueueClock::within_current();
        let (short, longer) = (Duration::from_millis(1), Duration::from_millis(60));
        assert_eq!(clock.timeout(LONG, async { 1 }).await, Some(1));
        let queueing = clock.queue();
        assert_eq!(clock.timeout(short, tokio::time::sleep(longer)).await, Some(()));
        drop(queueing);
        // What was queued before a limit began is nothing to it.
        assert!(clock.queued() >= longer);
        let began = Instant::now();
        assert_eq!(clock.timeout(short, std::future::pending::<()>()).await, None);
        assert!(began.elapsed() < LONG);
        assert_eq!(clock.left(short, clock.queued() + short), Duration::ZERO);
    }
}
