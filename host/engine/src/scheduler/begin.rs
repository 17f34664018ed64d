//! Calls become ready.

use std::sync::Arc;

use jackfield_pipeline::{MOST_CALLS, OnError};
use jackfield_plugin_api::{Context, Document, Failure, Request};
use jackfield_store::{Answer, Record, StageRecord};

use super::{
    searching::NoStation,
    state::{Call, Scheduler},
};
use crate::{
    input::{NoInput, elements, input_of, value_of},
    item::Slot,
    observe::Event,
    seed::seed_of,
    station::Station,
};

/// The most elements that a stage runs over, so that its calls are no more than they may be.
fn most_elements(repeat: Option<u32>) -> usize {
    (MOST_CALLS / repeat.unwrap_or(1).max(1)).max(1) as usize
}

impl Scheduler<'_, '_> {
    /// Carries on from stages that may begin and stages that have ended, until nothing more follows.
    pub(super) fn settle(&mut self, place: usize, mut begin: Vec<usize>, mut ended: Vec<usize>) {
        loop {
            if let Some(stage) = begin.pop() {
                if self.begin(place, stage) {
                    ended.push(stage);
                }
            } else if let Some(stage) = ended.pop() {
                let Some(item) = self.items[place].as_mut() else { return };
                item.open -= 1;
                if !self.stages[stage].plan.deferred {
                    item.open_now -= 1;
                    if item.open_now == 0 && item.open > 0 {
                        self.reported.push(place);
                    }
                }
                self.report_trial(place, stage);
                let Some(item) = self.items[place].as_mut() else { return };
                for reader in &self.stages[stage].readers {
                    if let Slot::Waiting(waits) = &mut item.slots[*reader] {
                        *waits -= 1;
                        if *waits == 0 {
                            begin.push(*reader);
                        }
                    }
                }
            } else {
                break;
            }
        }
        let done = self.items[place].as_ref().is_some_and(|item| item.open == 0 && item.pending == 0);
        if done && let Some(item) = self.items[place].take() {
            self.free.push(place);
            // Another item may take the place before the report is made.
            self.reported.retain(|reported| *reported != place);
            self.in_work -= 1;
            self.finished.push(item);
        }
    }

    /// Makes the calls of a stage whose sources are all there. True if it is already at its end.
    fn begin(&mut self, place: usize, index: usize) -> bool {
        let plan = self.stages[index].plan;
        let Some(item) = self.items[place].as_mut() else { return false };
        if !item.wants(index) {
            item.slots[index] = Slot::Skipped;
            self.not_routed(place, index);
            return true;
        }
        let made = {
            let item = &*item;
            let run = &self.run_slots;
            let elements = match &plan.for_each {
                None => Ok(vec![None]),
                Some(wire) => value_of(wire, &|source| item.given(run, None, source)).and_then(|list| {
                    let parts = elements(&list.json, most_elements(plan.repeat))
                        .map_err(|what| NoInput::Nothing(format!("`for_each`: {what}")))?;
                    Ok(parts.into_iter().map(|part| Some(Document::new(part))).collect())
                }),
            };
            elements.map(|elements| {
                let input =
                    |each: &Option<Document>| input_of(&plan.input, &|source| item.given(run, each.as_ref(), source));
                elements.iter().map(input).collect::<Vec<_>>()
            })
        };
        let inputs = match made {
            Ok(inputs) => inputs,
            Err(why) => {
                self.not_routed(place, index);
                self.without_input(place, index, 0, why);
                return true;
            }
        };
        let station = match self.station(place, index) {
            Ok(Some(station)) => station,
            Ok(None) => return false,
            Err(why) => {
                self.not_routed(place, index);
                match why {
                    NoStation::Input(why) => self.without_input(place, index, 0, why),
                    NoStation::Refused(failure) => {
                        self.refuse(place, index, 0, &failure);
                        self.fill(place, index, Slot::Failed);
                    }
                }
                return true;
            }
        };
        let repeat = plan.repeat.unwrap_or(1);
        let total = inputs.len() * repeat as usize;
        let list = plan.is_list();
        if let Some(item) = self.items[place].as_mut() {
            item.slots[index] = if list {
                Slot::Gathering { answers: vec![None; total], left: total, failed: false }
            } else {
                Slot::Running
            };
        }
        let mut at_end = list && total == 0;
        if at_end {
            self.fill(place, index, Slot::Done { document: Document::new("[]"), flawed: false });
        }
        for (element, input) in inputs.into_iter().enumerate() {
            for replicate in 0..repeat {
                let call = element as u32 * repeat + replicate;
                at_end |= self.prepare(place, index, (call, &station), (element as u32, replicate), &input);
            }
        }
        at_end
    }

    /// Makes one call ready, or takes its answer from an earlier session. True if the stage is at its end with it.
    fn prepare(
        &mut self,
        place: usize,
        index: usize,
        (call, station): (u32, &Arc<Station>),
        (element, replicate): (u32, u32),
        input: &Result<Document, NoInput>,
    ) -> bool {
        let stage = &mut self.stages[index];
        let Some(item) = self.items[place].as_mut() else { return false };
        stage.known += 1;
        stage.changed = true;
        if let Some(answer) = item.earlier.remove(&(index as u32, call)) {
            stage.stats.resumed += 1;
            stage.answered += 1;
            let answer = match answer {
                Answer::Ok { json, tensors } => Some(Document { json, tensors }),
                Answer::Failed { .. } | Answer::Skipped { .. } => None,
            };
            return self.gather(place, index, call, answer);
        }
        match input {
            Ok(document) => {
                let context = Context {
                    stage: Arc::clone(&stage.station.name),
                    item: Arc::clone(&item.id),
                    element,
                    replicate,
                    seed: seed_of(self.plan.seed, stage.seed, item.seed, element, replicate),
                };
                item.pending += 1;
                let request = Some(Request { document: document.clone(), context });
                stage.ready.push_back(Call {
                    item: place,
                    call,
                    request,
                    station: Arc::clone(station),
                    attempt: 1,
                    alone: false,
                });
                false
            }
            Err(NoInput::Failed(source)) => {
                self.without_input(place, index, call, NoInput::Failed(*source));
                self.gather(place, index, call, None)
            }
            Err(NoInput::Nothing(what)) => {
                self.without_input(place, index, call, NoInput::Nothing(what.clone()));
                self.gather(place, index, call, None)
            }
        }
    }

    /// Notes that a call is not made.
    fn without_input(&mut self, place: usize, index: usize, call: u32, why: NoInput) {
        let Some(item) = self.items[place].as_mut() else { return };
        let answer = match why {
            NoInput::Failed(source) => {
                self.stages[index].stats.skipped += 1;
                item.slots[index] = Slot::Skipped;
                Answer::Skipped { message: format!("`{}` has no result", self.plan.stages[source].name) }
            }
            NoInput::Nothing(what) => {
                self.stages[index].stats.failed += 1;
                if !matches!(item.slots[index], Slot::Gathering { .. }) {
                    item.slots[index] = Slot::Failed;
                }
                let name = &self.plan.stages[index].name;
                let failure = Failure::InvalidInput(format!("a wire of stage `{name}`: {what}"));
                return self.refuse(place, index, call, &failure);
            }
        };
        let (item, stage) = (item.index, index as u32);
        let record = StageRecord { item, stage, call, answer, attempts: 0, began_us: 0, took_us: 0, memo: None };
        self.note(Record::Stage(record));
    }

    /// Notes that a call fails before it is made.
    pub(super) fn refuse(&mut self, place: usize, index: usize, call: u32, failure: &Failure) {
        let Some(item) = self.items[place].as_mut() else { return };
        self.observer.on(&Event::CallFailed { stage: index, item: &item.id, failure, timed_out: false });
        let answer = Answer::Failed { kind: failure.kind().name().to_owned(), message: failure.message().to_owned() };
        if self.stages[index].plan.policy.on_error == OnError::Fail {
            item.stopped_by = Some(item.stopped_by.map_or(index, |stop| stop.min(index)));
        }
        let (item, stage) = (item.index, index as u32);
        let record = StageRecord { item, stage, call, answer, attempts: 0, began_us: 0, took_us: 0, memo: None };
        self.note(Record::Stage(record));
    }
}
