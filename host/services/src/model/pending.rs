//! How far a stage's call has come with its completions, so that it can be abandoned where nothing that was paid for is lost.

use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};

/// Set in the count of called completions once the stage's call has been abandoned.
const ABANDONED: usize = 1 << (usize::BITS - 1);

/// The completions of one stage's call, or of a batch of them.
#[derive(Debug, Default)]
pub struct PendingCompletions {
    /// Completions that are asked for at this moment.
    asked_for: AtomicUsize,
    /// Those of them that a model has been called for, and whose cost has not been recorded.
    called: AtomicUsize,
    /// Those of them that wait for the end of a delay.
    delayed: AtomicUsize,
    /// Some model has been called: what it answered may have to be paid again.
    was_called: AtomicBool,
}

impl PendingCompletions {
    /// A completion is asked for, until what this returns is dropped: after its cost has been recorded.
    pub fn begin(&self) -> PendingCompletion<'_> {
        self.asked_for.fetch_add(1, AcqRel);
        PendingCompletion { completions: self, is_called: AtomicBool::new(false) }
    }

    /// Abandons the stage's call if it waits for a model that has not been called for it, or for the end of a delay. No model
    /// is called for it any more then. False if it does not wait like that.
    #[must_use]
    pub fn try_abandon(&self) -> bool {
        let waits = self.asked_for.load(Acquire) > 0;
        let loses_answers = self.was_called.load(Acquire) && self.delayed.load(Acquire) == 0;
        waits && !loses_answers && self.called.compare_exchange(0, ABANDONED, AcqRel, Acquire).is_ok()
    }
}

/// A completion that is asked for.
#[derive(Debug)]
pub struct PendingCompletion<'a> {
    completions: &'a PendingCompletions,
    /// Whether it counts among those that a model has been called for.
    is_called: AtomicBool,
}

impl PendingCompletion<'_> {
    /// A model is called. Once the stage's call has been abandoned, this never returns: the future is about to be dropped.
    pub(super) async fn mark_called(&self) {
        if !self.is_called.swap(true, AcqRel) && self.completions.called.fetch_add(1, AcqRel) & ABANDONED != 0 {
            std::future::pending::<()>().await;
        }
        self.completions.was_called.store(true, Release);
    }

    /// It waits for the end of a delay, until what this returns is dropped.
    pub(super) fn delay(&self) -> Delay<'_> {
        self.completions.delayed.fetch_add(1, AcqRel);
        self.mark_not_called();
        Delay { completions: self.completions }
    }

    fn mark_not_called(&self) {
        if self.is_called.swap(false, AcqRel) {
            self.completions.called.fetch_sub(1, AcqRel);
        }
    }
}

impl Drop for PendingCompletion<'_> {
    fn drop(&mut self) {
        self.mark_not_called();
        self.completions.asked_for.fetch_sub(1, AcqRel);
    }
}

/// A delay that a completion waits for the end of.
pub(super) struct Delay<'a> {
    completions: &'a PendingCompletions,
}

impl Drop for Delay<'_> {
    fn drop(&mut self) {
        self.completions.delayed.fetch_sub(1, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_has_been_sent_is_waited_for_and_what_has_not_is_abandoned() {
        let completions = PendingCompletions::default();
        assert!(!completions.try_abandon(), "it does something else");
        let first = completions.begin();
        first.mark_called().await;
        assert!(!completions.try_abandon(), "the model works on it");
        let second = completions.begin();
        let delay = second.delay();
        assert!(!completions.try_abandon(), "the model works on the first");
        drop(first);
        drop(delay);
        assert!(!completions.try_abandon(), "the answer to the first would be lost");
        let delay = second.delay();
        assert!(completions.try_abandon(), "nobody knows how long it takes");
        drop(delay);
        let late = tokio::time::timeout(Duration::from_millis(5), second.mark_called()).await;
        assert!(late.is_err(), "nothing is sent after it was abandoned");

        let waits = PendingCompletions::default();
        let _pending = waits.begin();
        assert!(waits.try_abandon());
    }
}
