//! A circuit breaker: when a backend that fails is asked again.
//!
//! After a few failures in a row the backend is not asked for a while (the breaker is open), for longer the more time its last
//! failure took: what is lost by asking it in vain stays a small part of all the time that there is. Then one operation tries
//! it, while the others do without.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Failure, Result, sync::lock};
use tokio::sync::Notify;

/// A backend is not asked for so many times as long as its last failure took.
const PAUSE_FACTOR: u32 = 9;
/// The longest time for which it is not asked.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Whether a backend is asked, by how it has answered so far.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    /// Failures in a row after which it is not asked for a while; 0 for any number.
    max_failures: u32,
    state: Mutex<State>,
    /// Wakes those that wait for an answer when the breaker opens.
    opened: Notify,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    /// Until when it is not asked.
    open_until: Option<Instant>,
    /// Whether an operation is trying whether it answers again.
    is_probed: bool,
}

/// An operation that was begun.
#[derive(Debug)]
struct Attempt<'a> {
    breaker: &'a CircuitBreaker,
    began: Instant,
    /// Whether it is the one that tries whether the backend answers again.
    is_probe: bool,
}

impl CircuitBreaker {
    /// For a backend that is not asked for a while after so many failures in a row; 0 for any number.
    pub(super) fn new(max_failures: u32) -> Self {
        Self { max_failures, state: Mutex::default(), opened: Notify::new() }
    }

    /// Runs an operation. One that still waits for an answer when the breaker opens waits no longer, as if it had begun later.
    pub(super) async fn run<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let mut opened = pin!(self.opened.notified());
        opened.as_mut().enable();
        let attempt = self.begin()?;
        let answer = tokio::select! {
            biased;
            answer = operation => answer,
            () = opened => return Err(not_asked(self.state().failures_in_a_row)),
        };
        attempt.ended(answer.is_ok());
        answer
    }

    /// Begins an operation.
    ///
    /// # Errors
    /// If the backend is not asked at the moment.
    fn begin(&self) -> Result<Attempt<'_>> {
        self.begin_at(Instant::now())
    }

    fn begin_at(&self, now: Instant) -> Result<Attempt<'_>> {
        let mut state = self.state();
        let is_probe = self.has_failed_too_often(&state);
        if is_probe {
            if state.is_probed || state.open_until.is_some_and(|until| now < until) {
                return Err(not_asked(state.failures_in_a_row));
            }
            state.is_probed = true;
        }
        Ok(Attempt { breaker: self, began: now, is_probe })
    }

    /// Whether an operation may be begun, for operations whose failures another breaker counts.
    ///
    /// # Errors
    /// If the backend is not asked at the moment.
    pub(super) fn check_closed(&self) -> Result<()> {
        self.check_closed_at(Instant::now())
    }

    fn check_closed_at(&self, now: Instant) -> Result<()> {
        let state = self.state();
        let is_open = self.has_failed_too_often(&state) && state.open_until.is_some_and(|until| now < until);
        if is_open { Err(not_asked(state.failures_in_a_row)) } else { Ok(()) }
    }

    fn has_failed_too_often(&self, state: &State) -> bool {
        self.max_failures > 0 && state.failures_in_a_row >= self.max_failures
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn not_asked(failures: u32) -> Failure {
    Failure::Unavailable(format!("it has failed {failures} times in a row, and is left alone for a while"))
}

impl Attempt<'_> {
    /// Counts how the operation ended. One that is given up says nothing of the backend.
    fn ended(self, is_answered: bool) {
        self.ended_at(is_answered, Instant::now());
    }

    fn ended_at(self, is_answered: bool, now: Instant) {
        let mut state = self.breaker.state();
        if is_answered {
            (state.failures_in_a_row, state.open_until) = (0, None);
        } else {
            state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
            let pause = now.saturating_duration_since(self.began).saturating_mul(PAUSE_FACTOR).min(LONGEST_PAUSE);
            state.open_until = state.open_until.max(Some(now + pause));
            if self.breaker.has_failed_too_often(&state) {
                self.breaker.opened.notify_waiters();
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state().is_probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &CircuitBreaker, began: Instant, took: Duration) {
        breaker.begin_at(began).expect("it is asked").ended_at(false, began + took);
    }

    #[test]
    fn what_fails_in_a_row_is_not_asked_for_as_long_as_that_costs_and_then_one_tries_it() {
        let breaker = CircuitBreaker::new(3);
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(breaker.check_closed_at(start), Ok(()));
            fail(&breaker, start, second);
        }
        let end = start + second + second * PAUSE_FACTOR;
        let refused = breaker.begin_at(end - Duration::from_millis(1)).expect_err("it is not asked");
        assert!(refused.message().starts_with("it has failed 3 times in a row"), "{refused}");
        let probe = breaker.begin_at(end).expect("one asks");
        assert!(breaker.check_closed_at(end - Duration::from_millis(1)).is_err());
        assert_eq!(breaker.check_closed_at(end), Ok(()), "others may have more luck");
        assert!(breaker.begin_at(end).is_err(), "the others do without");
        drop(probe);
        breaker.begin_at(end).expect("one that was given up says nothing").ended_at(false, end + second);
        assert!(breaker.begin_at(end + second * PAUSE_FACTOR).is_err());
        let again = end + second + second * PAUSE_FACTOR;
        breaker.begin_at(again).expect("one asks").ended_at(true, again);
        assert_eq!(breaker.check_closed_at(again), Ok(()));
        let both = (breaker.begin_at(again).expect("it answers"), breaker.begin_at(again).expect("all ask"));
        drop(both);
    }

    #[test]
    fn a_pause_has_an_end_and_none_is_made_where_any_number_may_fail() {
        let (breaker, start) = (CircuitBreaker::new(1), Instant::now());
        fail(&breaker, start, Duration::from_secs(3600));
        let end = start + Duration::from_secs(3600) + LONGEST_PAUSE;
        assert!(breaker.begin_at(end - Duration::from_millis(1)).is_err());
        breaker.begin_at(end).expect("one asks");
        let patient = CircuitBreaker::new(0);
        (0..100).for_each(|_| fail(&patient, start, Duration::from_secs(1)));
    }

    #[tokio::test]
    async fn who_waits_for_an_answer_when_the_breaker_opens_waits_no_longer() {
        let breaker = CircuitBreaker::new(2);
        let never = breaker.run(std::future::pending::<Result<()>>());
        let failing = async {
            for _ in 0..2 {
                let failed = breaker.run(async { Err::<(), _>(Failure::Internal("no".to_owned())) }).await;
                assert_eq!(failed, Err(Failure::Internal("no".to_owned())));
            }
        };
        let (waited, ()) = tokio::join!(never, failing);
        assert!(waited.expect_err("left").message().starts_with("it has failed 2 times in a row"));
        let state = breaker.state();
        assert_eq!((state.failures_in_a_row, state.is_probed), (2, false));
    }
}
