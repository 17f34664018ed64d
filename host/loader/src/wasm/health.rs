//! The traps of an extension: after each one there is a pause, and after many in a row the extension is called no more.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{Failure, sync::lock};

/// The pause after the first trap; doubled for each further one in a row.
const PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Counts the traps of an extension.
#[derive(Default)]
pub(super) struct Health {
    traps_in_a_row: AtomicU32,
    traps: AtomicU64,
    last_trap: Mutex<Option<Failure>>,
}

impl Health {
    /// Takes note of the end of a call: the failure that ended its instance, or none if it was not ended.
    pub(super) fn record(&self, trap: Option<&Failure>) {
        match trap {
            // The guest did not run.
            Some(Failure::Unavailable(_)) => {}
            // Failures that a guest answers are results of its documents; these are traps and limits.
            Some(failure @ (Failure::Internal(_) | Failure::OverBudget(_))) => {
                self.traps.fetch_add(1, Ordering::Relaxed);
                self.traps_in_a_row.fetch_add(1, Ordering::Relaxed);
                *lock(&self.last_trap) = Some(failure.clone());
            }
            _ => self.traps_in_a_row.store(0, Ordering::Relaxed),
        }
    }

    /// The failure of all further calls, once there were too many traps in a row; `most` 0 means that there is no limit.
    pub(super) fn quarantine(&self, most: u32) -> Option<Failure> {
        let in_a_row = self.traps_in_a_row.load(Ordering::Relaxed);
        if most == 0 || in_a_row < most {
            return None;
        }
        let last = lock(&self.last_trap).clone()?;
        Some(Failure::Internal(format!("in quarantine: {in_a_row} calls in a row ended it, the last with `{last}`")))
    }

    /// Waits a little after traps, so that a broken plugin does not use up the machine.
    pub(super) async fn back_off(&self) {
        let in_a_row = self.traps_in_a_row.load(Ordering::Relaxed);
        if in_a_row > 1 {
            tokio::time::sleep(PAUSE.saturating_mul(1 << (in_a_row - 2).min(16)).min(LONGEST_PAUSE)).await;
        }
    }

    /// The number of traps so far.
    pub(super) fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }
}
