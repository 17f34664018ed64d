//! Timers fire: a call is made again, or a batch has run out of time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_plugin_api::Failure;

use super::{
    call::{AnsweredCall, CallTiming},
    decide::{DeadlineDecision, decide_deadline},
    state::Scheduler,
    timers::TimerEvent,
};
use crate::{batch::BatchId, error::EngineError};

/// How long a worker may go on with a batch that ran out of time before it is written off.
const GRACE: Duration = Duration::from_secs(1);

impl Scheduler<'_, '_> {
    /// Handles the timers whose time has come.
    pub(super) fn fire_timers(&mut self) -> Result<(), EngineError> {
        while let Some(event) = self.timers.pop_due() {
            match event {
                TimerEvent::CallAgain(stage, call) => self.stages[stage].ready.push_back(call),
                TimerEvent::BatchDeadline(batch) => self.check_deadline(batch),
                TimerEvent::WorkerLost(control) => {
                    if let Some(worker) = control.worker() {
                        tracing::warn!("a plugin ignores its time limit: its thread is written off and replaced");
                        self.executor.replace_worker(worker).map_err(EngineError::Workers)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The deadline of a batch has come.
    fn check_deadline(&mut self, id: BatchId) {
        // A batch that was answered in time is not in flight any more.
        let Some(batch) = self.batches.get(id) else { return };
        let queue = &self.stages[batch.stage];
        let timeout = queue.plan.policy.timeout.expect("a batch with a deadline has a time limit");
        // Time spent waiting for a worker is not the plugin's.
        let left = match batch.control.started_us() {
            None => timeout,
            Some(started) => {
                let passed = Duration::from_micros(queue.runtime().now_us().saturating_sub(started));
                batch.control.time_left(timeout, passed)
            }
        };
        match decide_deadline(left) {
            DeadlineDecision::Wait(left) => self.timers.set(left, TimerEvent::BatchDeadline(id)),
            DeadlineDecision::Expire => self.expire(id, timeout),
        }
    }

    /// A batch has run out of time: it is given up. If it has several calls, each is made again by itself.
    fn expire(&mut self, id: BatchId, timeout: Duration) {
        let batch = self.batches.remove(id).expect("a batch that expires is in flight");
        batch.sent.control.cancel();
        let is_computing = batch.sent.control.worker().is_some();
        if is_computing {
            self.timers.set(GRACE, TimerEvent::WorkerLost(Arc::clone(&batch.sent.control)));
        }
        let batch = self.give_up(batch);
        let stage = batch.stage;
        if batch.calls.len() > 1 {
            return self.call_each_alone(stage, batch.into_ready());
        }
        let began_us = batch.control.started_us().unwrap_or_default();
        for (mut call, request) in batch.calls.into_iter().zip(batch.requests.iter()) {
            if is_computing {
                // A computation that takes too long takes too long again, and may hold its thread for good.
                call.attempt = call.attempt.max(self.stages[stage].plan.policy.attempts);
            }
            let message = format!("no answer within {}", humantime::format_duration(timeout));
            let began = Instant::now() - timeout;
            self.answer_call(AnsweredCall {
                stage,
                call,
                request,
                result: Err(Failure::Unavailable(message)),
                timed_out: true,
                timing: CallTiming { began, began_us, took_us: timeout.as_micros() as u64 },
                memo: None,
                exchanges: batch.control.take_exchanges(&request.context),
            });
        }
    }
}
