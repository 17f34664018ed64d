//! A circuit breaker: a server that was unreachable a moment ago is not asked again at once.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use jackfield_plugin_api::{prelude::*, sync::lock};

/// How long the circuit is open after a first failure.
const SHORTEST: Duration = Duration::from_millis(100);
/// The wait doubles up to this.
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
    Open { until: Instant, wait: Duration, reason: Failure },
    /// One may ask, and is doing so; `wait` and `reason` are those of before.
    Probing { wait: Duration, reason: Failure },
}

impl Circuit {
    /// Permission to send one request.
    ///
    /// # Errors
    /// The failure that opened the circuit.
    pub(super) fn enter(&self) -> Result<Permit<'_>> {
        let mut state = self.state();
        match &*state {
            State::Closed => Ok(Permit { circuit: self, is_probe: false }),
            State::Open { until, wait, reason } if Instant::now() >= *until => {
                *state = State::Probing { wait: *wait, reason: reason.clone() };
                Ok(Permit { circuit: self, is_probe: true })
            }
            State::Open { reason, .. } | State::Probing { reason, .. } => Err(reason.clone()),
        }
    }

    /// The failure that opened it, if it is open.
    pub(super) fn open_reason(&self) -> Option<Failure> {
        match &*self.state() {
            State::Closed => None,
            State::Open { reason, .. } | State::Probing { reason, .. } => Some(reason.clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Permission to send one request. If it is dropped without a result, the circuit stays as it was.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Permit<'_> {
    /// Whether it is the one that tries a server that was unreachable.
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
    pub(super) fn failed(mut self, reason: &Failure) {
        let mut state = self.circuit.state();
        let wait = match &*state {
            State::Closed => SHORTEST,
            State::Probing { wait, .. } if self.is_probe => (*wait * 2).min(LONGEST),
            State::Open { .. } | State::Probing { .. } => return,
        };
        self.is_probe = false;
        *state = State::Open { until: Instant::now() + wait, wait, reason: reason.clone() };
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            let mut state = self.circuit.state();
            if let State::Probing { wait, reason } = &*state {
                *state = State::Open { until: Instant::now(), wait: *wait, reason: reason.clone() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn unreachable() -> Failure {
        Failure::Unavailable("unreachable".to_owned())
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_while_and_then_one_does() -> Result<()> {
        let circuit = Circuit::default();
        let (first, second) = (circuit.enter()?, circuit.enter()?);
        first.failed(&unreachable());
        second.failed(&unreachable());
        assert_eq!(circuit.enter().map(drop), Err(unreachable()));
        thread::sleep(SHORTEST);
        let probe = circuit.enter()?;
        assert!(probe.is_probe());
        assert_eq!(circuit.enter().map(drop), Err(unreachable()), "one probe at a time");
        probe.failed(&unreachable());
        thread::sleep(SHORTEST);
        assert_eq!(circuit.enter().map(drop), Err(unreachable()), "the second wait is longer");
        thread::sleep(SHORTEST);
        drop(circuit.enter()?);
        circuit.enter()?.succeeded();
        assert!(circuit.open_reason().is_none());
        assert!(!circuit.enter()?.is_probe());
        Ok(())
    }
}
