//! Calls are sent.

use std::sync::Arc;

use jackfield_store::StoreError;

use super::{
    call::{InFlightBatch, SentCalls},
    stage_queue::{NextBatch, StageQueue},
    state::Scheduler,
    timers::TimerEvent,
};
use crate::{batch::Batch, batch_control::BatchControl, index::StageIdx};

impl Scheduler<'_, '_> {
    /// Sends batches of whatever is ready.
    pub(super) fn send_ready(&mut self) -> Result<(), StoreError> {
        if self.draining.has_begun {
            return Ok(());
        }
        for at in 0..self.send_order.len() {
            let stage = self.send_order[at];
            while self.stages[stage].can_send() && !self.yields(stage) {
                // What it may keep in a cache waits for all that led to it, which is handed over now.
                if self.stages[stage].runtime().store.is_some() {
                    self.record.flush()?;
                }
                self.send_batch(stage);
            }
        }
        Ok(())
    }

    /// Whether a deferred stage has to wait: its computing leaves one worker to what an item is reported with, as long as
    /// there is any of that. A batch that waits for a model takes no worker.
    fn yields(&self, stage: StageIdx) -> bool {
        let is_deferred = |stage: StageIdx| self.stages[stage].plan.deferred;
        let is_urgent = |queue: &StageQueue<'_>| !queue.plan.deferred && queue.has_work();
        if !is_deferred(stage) || !self.stages.iter().any(is_urgent) {
            return false;
        }
        // One that queues for its turn computes as soon as it has it.
        let computes = |batch: &SentCalls| {
            let control = &batch.control;
            control.started_us().is_none() || control.worker().is_some() || control.is_queueing()
        };
        let computing = self.batches.iter().filter(|(_, batch)| is_deferred(batch.stage) && computes(batch)).count();
        computing + 1 >= self.executor.workers()
    }

    /// Sends the next batch of a stage that has ready calls.
    fn send_batch(&mut self, stage: StageIdx) {
        let queue = &mut self.stages[stage];
        let NextBatch { calls, requests } = queue.take_batch(queue.batch_size(self.executor.workers()));
        queue.batches_in_flight += 1;
        queue.stats.calls += calls.iter().filter(|call| call.attempt == 1 && !call.alone).count() as u64;
        let timeout = queue.plan.policy.timeout;
        let (id, requests, control) = (self.batches.next_id(), Arc::new(requests), Arc::new(BatchControl::default()));
        let first = calls.first().expect("a batch has at least one call");
        let job = self.executor.start(Batch {
            id,
            runtime: &first.runtime,
            requests: Arc::clone(&requests),
            control: &control,
            answers: &self.batches.send_answers,
        });
        if let Some(timeout) = timeout {
            self.timers.set(timeout, TimerEvent::BatchDeadline(id));
        }
        let sent = SentCalls { stage, calls, requests, control };
        self.batches.insert(id, InFlightBatch { sent, job });
    }
}
