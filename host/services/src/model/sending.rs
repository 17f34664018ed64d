//! How far a stage's call has come with its completions, so that it can be left where nothing that was paid for is lost.

use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};

use jackfield_plugin_api::Context;

/// Set in the count of completions once the stage's call has been left.
const LEFT: usize = 1 << (usize::BITS - 1);

/// The completions of one stage's call, or of a batch of them.
#[derive(Debug, Default)]
pub struct Sending {
    /// Completions that are asked for at this moment.
    asked: AtomicUsize,
    /// Those of them that a model has been called for, and whose cost has not been noted.
    open: AtomicUsize,
    /// Those of them that wait out a delay.
    delayed: AtomicUsize,
    /// Some model has been called: what it answered may have to be paid again.
    begun: AtomicBool,
}

impl Sending {
    /// A completion is asked for, until what it gives is dropped: after its cost has been noted.
    pub fn ask(&self) -> Asked<'_> {
        self.asked.fetch_add(1, AcqRel);
        Asked { of: self, open: AtomicBool::new(false) }
    }

    /// Leaves the stage's call if it waits for a model that has not been called for it, or waits out a delay. No model is
    /// called for it any more then.
    #[must_use]
    pub fn leave(&self) -> bool {
        let waits = self.asked.load(Acquire) > 0;
        let loses = self.begun.load(Acquire) && self.delayed.load(Acquire) == 0;
        waits && !loses && self.open.compare_exchange(0, LEFT, AcqRel, Acquire).is_ok()
    }
}

/// A completion that is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    of: &'a Sending,
    /// Whether it counts among the open ones.
    open: AtomicBool,
}

impl Asked<'_> {
    /// A model is called. Once the stage's call has been left, this never comes back: the future is about to be dropped.
    pub(super) async fn begin(&self) {
        if !self.open.swap(true, AcqRel) && self.of.open.fetch_add(1, AcqRel) & LEFT != 0 {
            std::future::pending::<()>().await;
        }
        self.of.begun.store(true, Release);
    }

    /// A delay is waited out, until what it gives is dropped.
    pub(super) fn delay(&self) -> Delay<'_> {
        self.of.delayed.fetch_add(1, AcqRel);
        self.close();
        Delay(self.of)
    }

    fn close(&self) {
        if self.open.swap(false, AcqRel) {
            self.of.open.fetch_sub(1, AcqRel);
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.close();
        self.of.asked.fetch_sub(1, AcqRel);
    }
}

/// A delay that is waited out.
pub(super) struct Delay<'a>(&'a Sending);

impl Drop for Delay<'_> {
    fn drop(&mut self) {
        self.0.delayed.fetch_sub(1, AcqRel);
    }
}

/// On whose behalf a completion is asked for.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The context of the stage's call.
    pub context: &'a Context,
    /// The completion, as one of those of that call.
    pub asked: &'a Asked<'a>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_has_been_sent_is_waited_for_and_what_has_not_is_left() {
        let sending = Sending::default();
        assert!(!sending.leave(), "it does something else");
        let first = sending.ask();
        first.begin().await;
        assert!(!sending.leave(), "the model works on it");
        let second = sending.ask();
        let delay = second.delay();
        assert!(!sending.leave(), "the model works on the first");
        drop(first);
        drop(delay);
        assert!(!sending.leave(), "the answer to the first would be lost");
        let delay = second.delay();
        assert!(sending.leave(), "nobody knows how long it takes");
        drop(delay);
        let late = tokio::time::timeout(Duration::from_millis(5), second.begin()).await;
        assert!(late.is_err(), "nothing is sent after it was left");

        let waits = Sending::default();
        let _asked = waits.ask();
        assert!(waits.leave());
    }
}
