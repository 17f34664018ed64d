//! The loop of a session: stages of the run, then items.

use jackfield_pipeline::Scope;
use jackfield_plugin_api::Document;
use jackfield_store::OF_RUN;

use super::{Session, SessionEnd, trials::NextTrial};
use crate::{
    error::EngineError,
    item::{Item, ItemIdentity, ItemStages},
    observe::Event,
    scheduler::Polled,
    source::{self, ItemChunk, ItemStream, SourceItem},
};

impl Session<'_, '_> {
    /// The stages that run once a run: done before the first item is admitted.
    pub(super) fn run_stages(&mut self) -> Result<SessionEnd, EngineError> {
        let stages = ItemStages { plan: self.plan, predecessors: self.predecessors, scope: Scope::Run };
        let mut item = Item::new(stages, ItemIdentity::run(), Document::new("{}"));
        if item.open_stages == 0 {
            self.scheduler.keep_run_stages(item.stages);
            return Ok(SessionEnd::Done);
        }
        item.earlier = self.earlier_answers(OF_RUN)?;
        self.scheduler.admit(item);
        loop {
            if let Some(item) = self.scheduler.take_finished().pop() {
                self.scheduler.keep_run_stages(item.stages);
                return Ok(SessionEnd::Done);
            }
            if let Polled::Aborted | Polled::Idle = self.scheduler.poll_once::<ItemChunk>(None)? {
                return Ok(SessionEnd::Stopped);
            }
        }
    }

    /// The items, from the first to the last: those of the input, or those that were asked for.
    pub(super) fn run_items(&mut self, selected: Option<Vec<SourceItem>>) -> Result<SessionEnd, EngineError> {
        if self.plan.stages.iter().all(|stage| stage.scope == Scope::Run) {
            return Ok(SessionEnd::Done);
        }
        if let Some(record) = self.earlier_record().filter(|_| self.shows_spend()) {
            record.db.index_spend()?;
        }
        let (mut source, mut waiting) = match selected {
            Some(items) => {
                self.known_items = Some(items.len() as u64);
                (None, items.into_iter())
            }
            None => {
                let ItemStream { items, count } = source::read(self.inputs, &self.plan.input)?;
                self.known_items = count;
                (Some(items), Vec::new().into_iter())
            }
        };
        self.scheduler.emit(&Event::Items { total: self.known_items });
        loop {
            while self.has_capacity()
                && let Some(next) = waiting.as_slice().first()
            {
                match self.next_trial(next.index)? {
                    NextTrial::Waits => break,
                    NextTrial::Stops => {
                        source = None;
                        waiting = Vec::new().into_iter();
                    }
                    NextTrial::Begins => {
                        let item = waiting.next().expect("the item that comes next was just seen");
                        self.admit(item)?;
                    }
                }
            }
            for slot in self.scheduler.take_reportable() {
                self.report(slot);
            }
            let finished = self.scheduler.take_finished();
            let any = !finished.is_empty();
            finished.into_iter().for_each(|item| self.finish(item));
            if self.scheduler.is_draining() {
                source = None;
            } else if any && waiting.len() > 0 {
                // The next trial may have waited for one of them.
                continue;
            }
            let input = source.as_ref().filter(|_| waiting.len() == 0 && self.has_capacity());
            match self.scheduler.poll_once(input)? {
                Polled::Nothing => {}
                Polled::Input(items) => waiting = items?.into_iter(),
                Polled::InputEnded => source = None,
                Polled::Aborted => return Ok(SessionEnd::Stopped),
                Polled::Idle => {
                    self.scheduler.take_finished().into_iter().for_each(|item| self.finish(item));
                    if self.scheduler.is_draining() {
                        return Ok(SessionEnd::Stopped);
                    }
                    if source.is_none() && waiting.len() == 0 && self.scheduler.in_flight() == 0 {
                        return Ok(SessionEnd::Done);
                    }
                }
            }
        }
    }

    /// Whether another item may be admitted. One may be in flight whatever it takes.
    fn has_capacity(&self) -> bool {
        let in_flight = self.scheduler.in_flight();
        let fits = in_flight < self.plan.max_in_flight && self.memory.has_room();
        !self.scheduler.is_draining() && (in_flight == 0 || fits)
    }
}
