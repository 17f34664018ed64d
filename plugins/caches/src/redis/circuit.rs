//! A circuit breaker: what was away a moment ago is not asked again at once.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jackfield_plugin_api::prelude::*;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Circuit {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    /// All may ask.
    #[default]
    Closed,
    /// Nobody may ask until then.
    Open { until: Instant, wait: Duration, why: Failure },
    /// One may ask, and is doing so; `wait` and `why` are of before.
    Probing { wait: Duration, why: Failure },
}

impl Circuit {
    /// Leave to ask.
    ///
    /// # Errors
    /// The failure that opened the circuit.
    pub(super) fn enter(&self) -> Result<Permit<'_>> {
        let mut state = self.state();
        match &*state {
            State::Closed => Ok(Permit { circuit: self, is_probe: false }),
            State::Open { until, wait, why } if Instant::now() >= *until => {
                *state = State::Probing { wait: *wait, why: why.clone() };
                Ok(Permit { circuit: self, is_probe: true })
            }
            State::Open { why, .. } | State::Probing { why, .. } => Err(why.clone()),
        }
    }

    /// What opened it, if it is open.
    pub(super) fn trouble(&self) -> Option<Failure> {
        match &*self.state() {
            State::Closed => None,
            State::Open { why, .. } | State::Probing { why, .. } => Some(why.clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to ask once. Dropped without a word, it leaves the circuit as it was.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Permit<'_> {
    /// Whether it is the one that tries what was away.
    pub(super) const fn is_probe(&self) -> bool {
        self.is_probe
    }

    pub(super) fn succeeded(mut self) {
        if self.is_probe {
            self.is_probe = false;
            *self.circuit.state() = State::Closed;
        }
    }

    /// Others that ask at the same time fail for the same reason: the first of them opens the circuit.
    pub(super) fn failed(mut self, why: &Failure) {
        let mut state = self.circuit.state();
        let wait = match &*state {
            State::Closed => SHORTEST,
            State::Probing { wait, .. } if self.is_probe => (*wait * 2).min(LONGEST),
            State::Open { .. } | State::Probing { .. } => return,
        };
        self.is_probe = false;
        *state = State::Open { until: Instant::now() + wait, wait, why: why.clone() };
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            let mut state = self.circuit.state();
            if let State::Probing { wait, why } = &*state {
                *state = State::Open { until: Instant::now(), wait: *wait, why: why.clone() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn away() -> Failure {
        Failure::Unavailable("away".to_owned())
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_while_and_then_one_does() -> Result<()> {
        let circuit = Circuit::default();
        let (first, second) = (circuit.enter()?, circuit.enter()?);
        first.failed(&away());
        second.failed(&away());
        assert_eq!(circuit.enter().map(drop), Err(away()));
        thread::sleep(SHORTEST);
        let probe = circuit.enter()?;
        assert!(probe.is_probe());
        assert_eq!(circuit.enter().map(drop), Err(away()), "one probe at a time");
        probe.failed(&away());
        thread::sleep(SHORTEST);
        assert_eq!(circuit.enter().map(drop), Err(away()), "the second wait is longer");
        thread::sleep(SHORTEST);
        drop(circuit.enter()?);
        circuit.enter()?.succeeded();
        assert!(circuit.trouble().is_none());
        assert!(!circuit.enter()?.is_probe());
        Ok(())
    }
}
