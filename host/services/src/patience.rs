//! When a backend that fails is asked again.
//!
//! After a few failures in a row it is left alone, for longer the more time its last failure took: what is lost by asking it
//! in vain stays a small part of all the time that there is. Then one asks it, while the others do without.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Failure, Result};
use tokio::sync::Notify;

/// A backend is left alone so many times as long as its last failure took.
const COST: u32 = 9;
/// The longest that it is left alone.
const LONGEST: Duration = Duration::from_secs(60);

/// How a backend fares.
#[derive(Debug)]
pub(super) struct Patience {
    /// Failures in a row after which it is left alone; 0 for any number.
    most: u32,
    state: Mutex<State>,
    /// Wakes those that wait for it when it is left alone.
    lost: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// Whether somebody asks it, to see whether it answers again.
    is_tried: bool,
}

/// An operation that was begun.
#[derive(Debug)]
struct Attempt<'a> {
    patience: &'a Patience,
    began: Instant,
    /// Whether it is the one that sees whether the backend answers again.
    tries: bool,
}

impl Patience {
    /// For a backend that is left alone after so many failures in a row; 0 for any number.
    pub(super) fn new(most: u32) -> Self {
        Self { most, state: Mutex::default(), lost: Notify::new() }
    }

    /// Does an operation: who still waits for an answer when the backend comes to be left alone waits no longer, as if it had
    /// asked later.
    pub(super) async fn during<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let mut lost = pin!(self.lost.notified());
        lost.as_mut().enable();
        let attempt = self.begin()?;
        let answer = tokio::select! {
            biased;
            answer = operation => answer,
            () = lost => return Err(left_alone(self.lock().in_a_row)),
        };
        attempt.ended(answer.is_ok());
        answer
    }

    /// Begins an operation.
    ///
    /// # Errors
    /// If the backend is left alone at the moment.
    fn begin(&self) -> Result<Attempt<'_>> {
        self.begin_at(Instant::now())
    }

    fn begin_at(&self, now: Instant) -> Result<Attempt<'_>> {
        let mut state = self.lock();
        let tries = self.most > 0 && state.in_a_row >= self.most;
        if tries {
            if state.is_tried || state.until.is_some_and(|until| now < until) {
                return Err(left_alone(state.in_a_row));
            }
            state.is_tried = true;
        }
        Ok(Attempt { patience: self, began: now, tries })
    }

    /// For what goes by the failures of other operations.
    ///
    /// # Errors
    /// If the backend is left alone at the moment.
    pub(super) fn expects_an_answer(&self) -> Result<()> {
        self.expects_an_answer_at(Instant::now())
    }

    fn expects_an_answer_at(&self, now: Instant) -> Result<()> {
        let state = self.lock();
        let is_left = self.most > 0 && state.in_a_row >= self.most && state.until.is_some_and(|until| now < until);
        if is_left { Err(left_alone(state.in_a_row)) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left_alone(in_a_row: u32) -> Failure {
    Failure::Unavailable(format!("it has failed {in_a_row} times in a row, and is left alone for a while"))
}

impl Attempt<'_> {
    /// Takes note of how the operation ended. One that is given up says nothing of the backend.
    fn ended(self, is_answered: bool) {
        self.ended_at(is_answered, Instant::now());
    }

    fn ended_at(self, is_answered: bool, now: Instant) {
        let mut state = self.patience.lock();
        if is_answered {
            (state.in_a_row, state.until) = (0, None);
        } else {
            state.in_a_row = state.in_a_row.saturating_add(1);
            let pause = now.saturating_duration_since(self.began).saturating_mul(COST).min(LONGEST);
            state.until = state.until.max(Some(now + pause));
            if self.patience.most > 0 && state.in_a_row >= self.patience.most {
                self.patience.lost.notify_waiters();
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.tries {
            self.patience.lock().is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(patience: &Patience, began: Instant, took: Duration) {
        patience.begin_at(began).expect("it is asked").ended_at(false, began + took);
    }

    #[test]
    fn what_fails_in_a_row_is_left_alone_for_as_long_as_that_costs_and_then_one_asks_again() {
        let patience = Patience::new(3);
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(patience.expects_an_answer_at(start), Ok(()));
            fail(&patience, start, second);
        }
        let end = start + second + second * COST;
        let refused = patience.begin_at(end - Duration::from_millis(1)).expect_err("it is left alone");
        assert!(refused.message().starts_with("it has failed 3 times in a row"), "{refused}");
        let tries = patience.begin_at(end).expect("one asks");
        assert!(patience.expects_an_answer_at(end - Duration::from_millis(1)).is_err());
        assert_eq!(patience.expects_an_answer_at(end), Ok(()), "others may have more luck");
        assert!(patience.begin_at(end).is_err(), "the others do without");
        drop(tries);
        patience.begin_at(end).expect("one that was given up says nothing").ended_at(false, end + second);
        assert!(patience.begin_at(end + second * COST).is_err());
        let again = end + second + second * COST;
        patience.begin_at(again).expect("one asks").ended_at(true, again);
        assert_eq!(patience.expects_an_answer_at(again), Ok(()));
        let both = (patience.begin_at(again).expect("it answers"), patience.begin_at(again).expect("all ask"));
        drop(both);
    }

    #[test]
    fn a_pause_has_an_end_and_none_is_made_where_any_number_may_fail() {
        let (patience, start) = (Patience::new(1), Instant::now());
        fail(&patience, start, Duration::from_secs(3600));
        let end = start + Duration::from_secs(3600) + LONGEST;
        assert!(patience.begin_at(end - Duration::from_millis(1)).is_err());
        patience.begin_at(end).expect("one asks");
        let patient = Patience::new(0);
        (0..100).for_each(|_| fail(&patient, start, Duration::from_secs(1)));
    }

    #[tokio::test]
    async fn who_waits_for_what_comes_to_be_left_alone_waits_no_longer() {
        let patience = Patience::new(2);
        let never = patience.during(std::future::pending::<Result<()>>());
        let failing = async {
            for _ in 0..2 {
                let failed = patience.during(async { Err::<(), _>(Failure::Internal("no".to_owned())) }).await;
                assert_eq!(failed, Err(Failure::Internal("no".to_owned())));
            }
        };
        let (waited, ()) = tokio::join!(never, failing);
        assert!(waited.expect_err("left").message().starts_with("it has failed 2 times in a row"));
        let state = patience.lock();
        assert_eq!((state.in_a_row, state.is_tried), (2, false));
    }
}
