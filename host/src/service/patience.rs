//! When a backend that fails is asked again.
//!
//! After a few failures in a row it is left alone, for longer the more time its last failure took: what is lost by asking it
//! in vain stays a small part of all the time that there is. Then one asks it, while the others do without.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Failure, Result};

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
pub(super) struct Attempt<'a> {
    patience: &'a Patience,
    began: Instant,
    /// Whether it is the one that sees whether the backend answers again.
    tries: bool,
}

impl Patience {
    /// For a backend that is left alone after so many failures in a row; 0 for any number.
    pub(super) fn new(most: u32) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// Begins an operation.
    ///
    /// # Errors
    /// If the backend is left alone at the moment.
    pub(super) fn begin(&self) -> Result<Attempt<'_>> {
        self.begin_at(Instant::now())
    }

    fn begin_at(&self, now: Instant) -> Result<Attempt<'_>> {
        let mut state = self.lock();
        let tries = self.most > 0 && state.in_a_row >= self.most;
        if tries {
            if state.is_tried || state.until.is_some_and(|until| now < until) {
                let in_a_row = state.in_a_row;
                let what = format!("it has failed {in_a_row} times in a row, and is left alone for a while");
                return Err(Failure::Unavailable(what));
            }
            state.is_tried = true;
        }
        Ok(Attempt { patience: self, began: now, tries })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// Takes note of how the operation ended. One that is given up says nothing of the backend.
    pub(super) fn ended(self, is_answered: bool) {
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
            fail(&patience, start, second);
        }
        let end = start + second + second * COST;
        let refused = patience.begin_at(end - Duration::from_millis(1)).expect_err("it is left alone");
        assert!(refused.message().starts_with("it has failed 3 times in a row"), "{refused}");
        let tries = patience.begin_at(end).expect("one asks");
        assert!(patience.begin_at(end).is_err(), "the others do without");
        drop(tries);
        patience.begin_at(end).expect("one that was given up says nothing").ended_at(false, end + second);
        assert!(patience.begin_at(end + second * COST).is_err());
        let again = end + second + second * COST;
        patience.begin_at(again).expect("one asks").ended_at(true, again);
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
}
