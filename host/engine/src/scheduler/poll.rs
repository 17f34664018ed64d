//! One round of the scheduler's loop.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never, select};
use jackfield_services::Exhausted;

use super::state::Scheduler;
use crate::{batch::BatchAnswers, error::EngineError, observe::Event};

/// How often what is in flight is looked at once it was asked to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The most batches whose answers are accepted in one round, after the first: a round costs more than an answer.
const MAX_FURTHER_ANSWERS: usize = 256;

/// What a round brought, beyond answers.
pub(crate) enum Polled<T> {
    /// Nothing.
    Nothing,
    /// More of the input.
    Input(T),
    /// The input has ended.
    InputEnded,
    /// Nothing is in flight, and nothing will happen by itself.
    Idle,
    /// Everything is to be left as it is.
    Aborted,
}

/// What the scheduler was woken by.
enum Wakeup<T> {
    /// A batch was answered.
    Answers(BatchAnswers),
    /// More of the input.
    Input(T),
    /// The input has ended.
    InputEnded,
    /// It is time to look: at timers, at the record, or at a request to stop.
    Look,
}

impl Scheduler<'_, '_> {
    /// One round: sends what is ready, then waits for something to happen: an answer, a timer, a request to stop, or (where
    /// `input` is given) more of the input, which is handed back.
    ///
    /// # Errors
    /// The record cannot be written, or the machine refuses a thread.
    pub(crate) fn poll_once<T>(&mut self, input: Option<&Receiver<T>>) -> Result<Polled<T>, EngineError> {
        if !self.draining.has_begun && !self.is_closing {
            self.route_waiting_items();
        }
        self.send_ready()?;
        self.emit_progress();
        self.record.flush_if_due()?;
        // With nothing in flight, nothing can be answered: only the input or a call that is made again can bring something.
        let nothing_in_flight = self.batches.is_empty() && !self.timers.has_retries();
        if input.is_none() && nothing_in_flight {
            return Ok(Polled::Idle);
        }
        let polled = match self.wait(input, nothing_in_flight) {
            Wakeup::Answers(answers) => {
                self.accept_answers(answers);
                Polled::Nothing
            }
            Wakeup::Input(items) => Polled::Input(items),
            Wakeup::InputEnded => Polled::InputEnded,
            Wakeup::Look => Polled::Nothing,
        };
        for _ in 0..MAX_FURTHER_ANSWERS {
            let Ok(answers) = self.batches.answers.try_recv() else { break };
            self.accept_answers(answers);
        }
        self.fire_timers()?;
        if self.cancel.requested() && !self.draining.has_begun && !self.is_closing {
            self.begin_draining(None);
        }
        if self.cancel.aborted() {
            self.batches.cancel_all();
            self.record.flush()?;
            return Ok(Polled::Aborted);
        }
        if self.is_stopping() {
            self.leave_waiting_batches();
        }
        Ok(polled)
    }

    /// Waits for something to happen.
    fn wait<T>(&self, input: Option<&Receiver<T>>, nothing_in_flight: bool) -> Wakeup<T> {
        let silent = never();
        // What is in flight may come to wait, where it can be left.
        let look = self.is_stopping().then(|| Instant::now() + LOOK_EVERY);
        // With nothing else in flight, it is the input that is waited for.
        let _waiting = nothing_in_flight.then(|| self.input_wait.begin_shared());
        let timeout = [self.timers.next_at(), self.record.flush_at(), look].into_iter().flatten().min();
        let timeout = timeout.map_or_else(never, crossbeam_channel::at);
        select! {
            recv(self.batches.answers) -> answers => {
                Wakeup::Answers(answers.expect("the scheduler holds a sender of answers"))
            }
            recv(input.unwrap_or(&silent)) -> items => items.map_or(Wakeup::InputEnded, Wakeup::Input),
            recv(timeout) -> _ => Wakeup::Look,
            recv(self.cancel.signal()) -> _ => Wakeup::Look,
        }
    }

    /// Whether it was asked to stop, rather than that there is nothing left to spend.
    fn is_stopping(&self) -> bool {
        self.draining.has_begun && self.cancel.requested()
    }

    /// Emits how far the stages have come whose numbers have changed.
    fn emit_progress(&mut self) {
        for (stage, queue) in self.stages.enumerate_mut() {
            if let Some(progress) = queue.take_progress() {
                let (known, done) = (progress.known, progress.answered);
                self.observer.on(&Event::Stage { stage: stage.get(), known, done });
            }
        }
    }

    /// The run has stopped, and what is admitted from now on is run all the same: stages over all items.
    /// What answers that came since have made ready is of items that are left to a later session: it is not sent.
    pub(crate) fn begin_last_stages(&mut self) {
        self.drop_what_is_ready();
        self.draining.has_begun = false;
        self.is_closing = true;
    }

    /// From now on, calls in flight end and none is begun.
    pub(super) fn begin_draining(&mut self, exhausted: Option<Exhausted>) {
        self.observer.on(&Event::Draining { exhausted: exhausted.as_ref() });
        self.draining.has_begun = true;
        self.draining.exhausted = exhausted;
        self.drop_what_is_ready();
    }

    fn drop_what_is_ready(&mut self) {
        for stage in self.stages.iter_mut() {
            stage.ready.clear();
        }
        self.timers.drop_retries();
    }
}
