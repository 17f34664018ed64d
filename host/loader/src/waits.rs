//! Waiting for what others hold or answer (a lock, a server, a collector), and the messages about waits that last.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use jackfield_plugin_api::sync::lock;

/// How long a wait lasts before it is reported.
const FIRST_REPORT: Duration = Duration::from_secs(3);
/// How long a wait goes on before it is reported again.
const NEXT_REPORT: Duration = Duration::from_secs(30);

/// All waits of the process that are not dropped.
static WAITS: Mutex<Vec<Weak<Wait>>> = Mutex::new(Vec::new());

/// Something that may have to be waited for, by many at a time. It lasts from the last time that anyone's wait ended.
#[derive(Debug)]
pub struct Wait {
    /// What is waited for, as in "waiting for …".
    what: String,
    /// How many wait.
    waiting: AtomicUsize,
    /// When the wait began, in milliseconds since the first use of the clock.
    since: AtomicU64,
    /// When it is reported next; 0 for as soon as it has lasted long enough.
    next: AtomicU64,
}

impl Wait {
    /// Something that may be waited for from now on.
    pub fn new(what: impl Into<String>) -> Arc<Self> {
        let (waiting, since, next) = Default::default();
        let wait = Arc::new(Self { what: what.into(), waiting, since, next });
        let mut all = lock(&WAITS);
        all.retain(|wait| wait.strong_count() > 0);
        all.push(Arc::downgrade(&wait));
        wait
    }

    /// Waits, until what it gives is dropped.
    pub fn begin(&self) -> Waiting<&Self> {
        self.count();
        Waiting(self)
    }

    /// The same, without a borrow.
    pub fn begin_shared(self: &Arc<Self>) -> Waiting<Arc<Self>> {
        self.count();
        Waiting(Arc::clone(self))
    }

    fn count(&self) {
        if self.waiting.fetch_add(1, Relaxed) == 0 {
            self.since.store(now(), Relaxed);
        }
    }

    /// The message about it that is due at this moment, in milliseconds.
    fn message(&self, now: u64) -> Option<String> {
        if self.waiting.load(Relaxed) == 0 {
            return None;
        }
        let lasts = Duration::from_millis(now.saturating_sub(self.since.load(Relaxed)));
        if lasts < FIRST_REPORT || now < self.next.load(Relaxed) {
            return None;
        }
        self.next.store(now + NEXT_REPORT.as_millis() as u64, Relaxed);
        Some(format!("waiting for {} ({} s)", self.what, lasts.as_secs()))
    }
}

/// Waits as long as it lives.
pub struct Waiting<W: Deref<Target = Wait>>(W);

impl<W: Deref<Target = Wait>> Drop for Waiting<W> {
    fn drop(&mut self) {
        self.0.since.store(now(), Relaxed);
        self.0.next.store(0, Relaxed);
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

/// Waits for something once.
pub fn waiting(what: impl Into<String>) -> Waiting<Arc<Wait>> {
    Wait::new(what).begin_shared()
}

/// The messages about waits that are due at this moment. Whoever calls this now and then gets one for each wait that lasts,
/// and not too often.
#[must_use]
pub fn due_messages() -> Vec<String> {
    let all: Vec<Arc<Wait>> = {
        let all = lock(&WAITS);
        all.iter().filter_map(Weak::upgrade).collect()
    };
    all.iter().filter_map(|wait| wait.message(now())).collect()
}

/// Milliseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_reported_after_a_while_and_then_now_and_again() {
        let wait = Wait::new("the lock");
        assert_eq!(wait.message(now() + 100_000), None, "nobody waits");
        let first = wait.begin();
        let since = wait.since.load(Relaxed);
        assert_eq!(wait.message(since + 2_900), None);
        assert_eq!(wait.message(since + 3_000).as_deref(), Some("waiting for the lock (3 s)"));
        assert_eq!(wait.message(since + 20_000), None, "it has been reported");
        assert_eq!(wait.message(since + 33_000).as_deref(), Some("waiting for the lock (33 s)"));
        let second = wait.begin();
        drop(first);
        let since = wait.since.load(Relaxed);
        assert_eq!(wait.message(since + 2_900), None, "something came of it meanwhile");
        assert_eq!(wait.message(since + 3_100).as_deref(), Some("waiting for the lock (3 s)"));
        drop(second);
        assert_eq!(wait.message(since + 90_000), None, "nobody waits any more");
    }

    #[test]
    fn a_wait_that_is_over_is_forgotten() {
        let held = waiting("something");
        assert_eq!(held.0.message(now() + 5_000).as_deref(), Some("waiting for something (5 s)"));
        let wait = Arc::downgrade(&held.0);
        drop(held);
        assert!(wait.upgrade().is_none());
    }
}
