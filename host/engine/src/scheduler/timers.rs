//! What happens at its time.

use std::{
    cmp::Reverse,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_plugin_api::Failure;

use super::state::{Due, How, Scheduler, Timer};
use crate::error::EngineError;

/// How long a worker may go on with a batch that ran out of time before it is written off.
const GRACE: Duration = Duration::from_secs(1);

impl Scheduler<'_, '_> {
    pub(super) fn set_timer(&mut self, after: Duration, timer: Timer) {
        self.next_timer += 1;
        self.timers.push(Reverse(Due(Instant::now() + after, self.next_timer, timer)));
    }

    pub(super) fn ring(&mut self) -> Result<(), EngineError> {
        while self.timers.peek().is_some_and(|Reverse(due)| due.0 <= Instant::now()) {
            let Some(Reverse(Due(_, _, timer))) = self.timers.pop() else { break };
            match timer {
                Timer::Again(stage, call) => self.stages[stage].ready.push_back(call),
                Timer::Deadline(flight) => self.deadline(flight),
                Timer::Lost(control) => {
                    if let Some(worker) = control.worker() {
                        tracing::warn!("a plugin ignores its time limit: its thread is written off and replaced");
                        self.pool.replace(worker).map_err(EngineError::Workers)?;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn deadline(&mut self, number: u64) {
        let Some(flight) = self.flights.get(&number) else { return };
        let Some(timeout) = self.stages[flight.stage].plan.policy.timeout else { return };
        // Time spent waiting for a worker is not the plugin's.
        let spent = flight
            .control
            .started_us()
            .map(|started| self.stages[flight.stage].station.now_us().saturating_sub(started));
        let left = spent.map_or(timeout, |spent| flight.control.left(timeout, Duration::from_micros(spent)));
        if !left.is_zero() {
            self.set_timer(left, Timer::Deadline(number));
            return;
        }
        let Some(mut flight) = self.flights.remove(&number) else { return };
        flight.control.cancel();
        let computing = flight.control.worker().is_some();
        if computing {
            self.set_timer(GRACE, Timer::Lost(Arc::clone(&flight.control)));
        }
        // Dropping the job drops the future at its next wait.
        drop(flight.job.take());
        self.completions(&flight);
        self.stages[flight.stage].under_way -= 1;
        let calls = flight.take_calls();
        if calls.len() > 1 {
            return self.one_by_one(flight.stage, calls);
        }
        let began = flight.control.started_us().unwrap_or_default();
        for mut call in calls {
            let message = format!("no answer within {}", humantime::format_duration(timeout));
            if computing {
                // A computation that takes too long takes too long again, and may hold its thread for good.
                call.attempt = call.attempt.max(self.stages[flight.stage].plan.policy.attempts);
            }
            let at = Instant::now() - timeout;
            let how =
                How { began: at, began_us: began, took_us: timeout.as_micros() as u64, timed_out: true, memo: None };
            self.one_answer(flight.stage, call, Err(Failure::Unavailable(message)), how);
        }
    }
}
