//! Calls are sent.

use std::{sync::Arc, time::Duration};

use super::state::{Call, Flight, Scheduler, Stage, Timer};
use crate::{
    batch::{self, Control},
    error::EngineError,
};

/// A batch is made to take about this long: long enough that handing it over costs little, short enough to spread.
const BATCH_TIME: Duration = Duration::from_millis(1);

impl Scheduler<'_, '_> {
    /// Sends batches of whatever is ready.
    pub(super) fn send_ready(&mut self) -> Result<(), EngineError> {
        if self.draining {
            return Ok(());
        }
        for at in 0..self.order.len() {
            let index = self.order[at];
            loop {
                let stage = &self.stages[index];
                let most = stage.most;
                if stage.ready.is_empty() || stage.under_way >= most || self.gives_way(index) {
                    break;
                }
                // What it may keep in a cache waits for all that led to it, which is handed over now.
                if self.stages[index].station.store.is_some() {
                    self.flush()?;
                }
                let size = self.batch_size(index);
                self.send(index, size);
            }
        }
        Ok(())
    }

    /// Whether a deferred stage has to wait: its computing leaves one worker to what an item is reported with, as long as
    /// there is any of that. A batch that waits for a model takes no worker.
    fn gives_way(&self, index: usize) -> bool {
        let is_deferred = |index: usize| self.stages[index].plan.deferred;
        let urgent = |stage: &Stage<'_>| !stage.plan.deferred && (stage.under_way > 0 || !stage.ready.is_empty());
        if !is_deferred(index) || !self.stages.iter().any(urgent) {
            return false;
        }
        // One that queues for its turn computes as soon as it has it.
        let computes = |flight: &&Flight| {
            let control = &flight.control;
            let computes = control.started_us().is_none() || control.worker().is_some() || control.is_queueing();
            is_deferred(flight.stage) && computes
        };
        self.flights.values().filter(computes).count() + 1 >= self.workers
    }

    fn batch_size(&self, index: usize) -> usize {
        let stage = &self.stages[index];
        let ready = stage.ready.len();
        let by_time = stage.pace.map_or(1, |pace| (BATCH_TIME.as_nanos() / pace.as_nanos().max(1)).max(1) as usize);
        by_time.min(stage.plan.policy.batch as usize).min(ready.div_ceil(self.workers))
    }

    fn send(&mut self, index: usize, size: usize) {
        let stage = &mut self.stages[index];
        let mut calls: Vec<Call> = Vec::with_capacity(size);
        while calls.len() < size {
            match stage.ready.front() {
                Some(call) if call.alone && !calls.is_empty() => break,
                Some(call) if calls.first().is_some_and(|first: &Call| !Arc::ptr_eq(&first.station, &call.station)) => {
                    break;
                }
                Some(_) => {}
                None => break,
            }
            let Some(call) = stage.ready.pop_front() else { break };
            let alone = call.alone;
            calls.push(call);
            if alone {
                break;
            }
        }
        let requests = Arc::new(calls.iter_mut().filter_map(|call| call.request.take()).collect::<Vec<_>>());
        let control = Arc::new(Control::default());
        let flight = self.next_flight;
        self.next_flight += 1;
        stage.under_way += 1;
        stage.stats.calls += calls.iter().filter(|call| call.attempt == 1 && !call.alone).count() as u64;
        let station = calls.first().map_or(&stage.station, |call| &call.station);
        let job = batch::send(self.pool, station, flight, Arc::clone(&requests), &control, &self.answers.0);
        if let Some(timeout) = stage.plan.policy.timeout {
            self.set_timer(timeout, Timer::Deadline(flight));
        }
        self.flights.insert(flight, Flight { stage: index, calls, requests, control, job: Some(job) });
    }
}
