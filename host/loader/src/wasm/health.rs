//! How an extension fares: traps, a pause after each, and an end to them.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::Failure;

/// The pause after the first trap; doubled for each further one in a row.
const PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(500);

/// What became of the calls of an extension.
#[derive(Default)]
pub(super) struct Health {
    in_a_row: AtomicU32,
    all: AtomicU64,
    last: Mutex<Option<Failure>>,
}

impl Health {
    /// Takes note of a call that ended: with the failure that ended its instance, or well.
    pub(super) fn ended(&self, trap: Option<&Failure>) {
        match trap {
            // Nothing ran.
            Some(Failure::Unavailable(_)) => {}
            // What an instance answers itself comes as a result for each document; these are traps and limits.
            Some(failure @ (Failure::Internal(_) | Failure::OverBudget(_))) => {
                self.all.fetch_add(1, Ordering::Relaxed);
                self.in_a_row.fetch_add(1, Ordering::Relaxed);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
            }
            _ => self.in_a_row.store(0, Ordering::Relaxed),
        }
    }

    /// Why it is called no more, if so.
    pub(super) fn quarantine(&self, most: u32) -> Option<Failure> {
        let in_a_row = self.in_a_row.load(Ordering::Relaxed);
        if most == 0 || in_a_row < most {
            return None;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Failure::Internal(format!("in quarantine: {in_a_row} calls in a row ended it, the last with `{last}`")))
    }

    /// Waits a little after traps, so that a broken plugin does not take all there is.
    pub(super) async fn back_off(&self) {
        let in_a_row = self.in_a_row.load(Ordering::Relaxed);
        if in_a_row > 1 {
            tokio::time::sleep(PAUSE.saturating_mul(1 << (in_a_row - 2).min(16)).min(LONGEST)).await;
        }
    }

    /// Traps so far.
    pub(super) fn traps(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }
}
