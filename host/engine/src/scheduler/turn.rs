//! One turn of the loop.

use std::{
    cmp::Reverse,
    mem,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, never, select};
use jackfield_services::Exhausted;

use super::state::{Scheduler, Timer};
use crate::{error::EngineError, observe::Event};

/// How often what is under way is looked at once it was asked to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Records that are handed over without waiting for more.
const GROUP: usize = 512;

impl Scheduler<'_, '_> {
    /// One turn: sends what is ready, then waits for something to happen: an answer, a timer, Ctrl-C, or (where `source`
    /// is given) more items, which are handed back.
    pub(crate) fn turn<T>(&mut self, source: Option<&Receiver<T>>) -> Result<Option<Turn<T>>, EngineError> {
        if !self.draining {
            self.route();
        }
        self.send_ready()?;
        self.tell_progress();
        if self.records.len() >= GROUP || self.flush_at.is_some_and(|at| at <= Instant::now()) {
            self.flush()?;
        }
        let mut happened = None;
        // With nothing under way, nothing can be answered: only the source or a timer can bring something.
        let again = || self.timers.iter().any(|Reverse(due)| matches!(due.2, Timer::Again(..)));
        if source.is_none() && self.flights.is_empty() && !again() {
            return Ok(Some(Turn::Idle));
        }
        let silent = never();
        let timer = self.timers.peek().map(|Reverse(due)| due.0);
        // What is under way may come to wait.
        let look = self.stopping().then(|| Instant::now() + LOOK_EVERY);
        // With nothing else under way, it is the input that is waited for.
        let reads = source.is_some() && self.flights.is_empty() && !again();
        let waiting = reads.then(|| self.input.begin_shared());
        let wait = timer.into_iter().chain(self.flush_at).chain(look).min().map_or_else(never, crossbeam_channel::at);
        let answers = self.answers.1.clone();
        select! {
            recv(answers) -> answer => {
                if let Ok(answer) = answer {
                    self.answered(answer)?;
                }
            }
            recv(source.unwrap_or(&silent)) -> items => {
                happened = Some(items.map_or(Turn::SourceEnded, Turn::Items));
            }
            recv(wait) -> _ => {}
            recv(self.cancel.signal()) -> _ => {}
        }
        drop(waiting);
        // Whatever else is there is taken along: a turn costs more than an answer.
        for _ in 0..256 {
            let Ok(answer) = answers.try_recv() else { break };
            self.answered(answer)?;
        }
        self.ring()?;
        if self.cancel.requested() && !self.draining {
            self.drain(None);
        }
        if self.cancel.aborted() {
            for (_, flight) in self.flights.drain() {
                flight.control.cancel();
            }
            self.flush()?;
            return Ok(Some(Turn::Aborted));
        }
        if self.stopping() {
            self.leave_waiting();
        }
        Ok(happened)
    }

    /// Whether it was asked to stop, rather than that there is nothing left to spend.
    fn stopping(&self) -> bool {
        self.draining && self.cancel.requested()
    }

    fn tell_progress(&mut self) {
        for (index, stage) in self.stages.iter_mut().enumerate() {
            if mem::take(&mut stage.changed) {
                self.observer.on(&Event::Stage { stage: index, known: stage.known, done: stage.answered });
            }
        }
    }

    /// Hands over what is waiting to be written.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        self.flush_at = None;
        if let Some(keep) = &mut self.keep
            && !self.records.is_empty()
        {
            keep(mem::take(&mut self.records))?;
        }
        Ok(())
    }

    /// From now on, calls under way end and none is begun.
    pub(super) fn drain(&mut self, exhausted: Option<Exhausted>) {
        self.draining = true;
        self.observer.on(&Event::Draining { exhausted: exhausted.as_ref() });
        self.exhausted = exhausted;
        for stage in &mut self.stages {
            stage.ready.clear();
        }
        self.timers.retain(|Reverse(due)| !matches!(due.2, Timer::Again(..)));
    }
}

/// What a turn brought, beyond answers.
pub(crate) enum Turn<T> {
    /// More from the source.
    Items(T),
    /// The source has no more.
    SourceEnded,
    /// Nothing is under way.
    Idle,
    /// Everything is to be left as it is.
    Aborted,
}
