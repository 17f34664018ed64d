//! The traps of an extension: after each one there is a pause, and after many in a row the extension is called no more.

use std::{sync::Mutex, time::Duration};

use jackfield_plugin_api::{Failure, sync::lock};

/// The pause after the first trap; doubled for each further one in a row.
const PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Counts the traps of an extension.
#[derive(Default)]
pub(super) struct Health(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    traps: u64,
    traps_in_a_row: u32,
    /// The failure of all further calls, once there were too many traps in a row. From then on nothing is counted.
    quarantine: Option<Failure>,
}

impl Health {
    /// Takes note of the end of a call: the failure that ended its instance, or none if it was not ended. After `most` traps in a
    /// row the extension is in quarantine; 0 means that there is no such number.
    ///
    /// Returns the failure to answer with instead, if the call began before the quarantine and ended in a trap after it. So there
    /// are no more than `most` traps, however many calls are made at a time, and all other failures are the same.
    pub(super) fn record(&self, trap: Option<&Failure>, most: u32) -> Option<Failure> {
        let mut counts = lock(&self.0);
        match trap {
            // The guest did not run.
            Some(Failure::Unavailable(_)) => {}
            // Failures that a guest answers are results of its documents; these are traps and limits.
            Some(last @ (Failure::Internal(_) | Failure::OverBudget(_))) => {
                if counts.quarantine.is_some() {
                    return counts.quarantine.clone();
                }
                counts.traps += 1;
                counts.traps_in_a_row = counts.traps_in_a_row.saturating_add(1);
                let in_a_row = counts.traps_in_a_row;
                if in_a_row == most {
                    let calls = if most == 1 { "1 call".to_owned() } else { format!("{most} calls in a row") };
                    let why = format!("in quarantine: {calls} ended it, the last with `{last}`");
                    counts.quarantine = Some(Failure::Internal(why));
                }
            }
            _ => counts.traps_in_a_row = 0,
        }
        None
    }

    /// The failure of all further calls, once there were too many traps in a row.
    pub(super) fn quarantine(&self) -> Option<Failure> {
        lock(&self.0).quarantine.clone()
    }

    /// Waits a little after traps, so that a broken plugin does not use up the machine.
    pub(super) async fn back_off(&self) {
        let in_a_row = lock(&self.0).traps_in_a_row;
        if in_a_row > 1 {
            tokio::time::sleep(PAUSE.saturating_mul(1 << (in_a_row - 2).min(16)).min(LONGEST_PAUSE)).await;
        }
    }

    /// The number of traps so far.
    pub(super) fn traps(&self) -> u64 {
        lock(&self.0).traps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trap(which: u32) -> Failure {
        Failure::Internal(format!("trap {which}"))
    }

    #[test]
    fn there_are_as_many_traps_as_are_allowed_however_many_calls_are_made_at_a_time() {
        let health = Health::default();
        // Five calls that began before any of them ended, with three traps allowed.
        let ended: Vec<Option<Failure>> = (1..=5).map(|which| health.record(Some(&trap(which)), 3)).collect();
        let quarantine = health.quarantine().expect("in quarantine");
        assert_eq!(
            quarantine.to_string(),
            "internal: in quarantine: 3 calls in a row ended it, the last with `internal: trap 3`"
        );
        assert_eq!(ended, [None, None, None, Some(quarantine.clone()), Some(quarantine.clone())]);
        assert_eq!(health.traps(), 3);
        // A call that began before the quarantine and has an answer keeps it, and does not end the quarantine.
        assert_eq!(health.record(None, 3), None);
        assert_eq!(health.quarantine(), Some(quarantine));
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let health = Health::default();
        for which in 0..10 {
            assert_eq!(health.record(Some(&trap(which)), 2), None);
            assert_eq!(health.record(None, 2), None);
            // Neither an answer nor a trap: the guest did not run.
            assert_eq!(health.record(Some(&Failure::Unavailable("full".to_owned())), 2), None);
            assert_eq!(health.quarantine(), None);
        }
        assert_eq!(health.traps(), 10);
    }

    #[test]
    fn without_a_number_there_is_no_quarantine() {
        let health = Health::default();
        for which in 0..100 {
            assert_eq!(health.record(Some(&trap(which)), 0), None);
        }
        assert_eq!((health.quarantine(), health.traps()), (None, 100));
    }
}
