//! Calls are answered.

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};

use jackfield_pipeline::OnError;
use jackfield_plugin_api::{Document, Failure, FailureKind, Random, Result as CallResult};
use jackfield_store::{Answer, AnswerSource, CacheLookups, CallRecord, Record, Spend, StageRecord};

use super::state::{Call, Flight, How, Scheduler, Timer};
use crate::{batch::Answers, error::EngineError, item::Slot, observe::Event};

/// The longest delay that a failure may ask for, so that no clock runs over.
const LONGEST_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The longest delay between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

impl Scheduler<'_, '_> {
    pub(super) fn answered(&mut self, answers: Answers) -> Result<(), EngineError> {
        // A batch that ran out of time has been dealt with.
        let Some(mut flight) = self.flights.remove(&answers.batch) else { return Ok(()) };
        if let Some(job) = flight.job.take() {
            job.detach();
        }
        self.completions(&flight);
        let count = flight.calls.len();
        let each = answers.took / count.max(1) as u32;
        let stage = &mut self.stages[flight.stage];
        stage.under_way -= 1;
        stage.pace = Some(stage.pace.map_or(each, |pace| (pace * 7 + each) / 8));
        stage.times.record(each, count as u64);
        if !self.draining
            && let Some(exhausted) = self.services.exhausted()
        {
            self.drain(Some(exhausted));
        }
        if count > 1 && failed_as_one(&answers.results) {
            let calls = flight.take_calls();
            self.one_by_one(flight.stage, calls);
            return Ok(());
        }
        let calls = mem::take(&mut flight.calls);
        let mut memo = answers.memo.into_iter();
        for (position, (mut call, result)) in calls.into_iter().zip(answers.results).enumerate() {
            let began_us = answers.began_us + (each * position as u32).as_micros() as u64;
            if result.is_err() {
                call.request = Some(flight.requests[position].clone());
            }
            let how = How {
                began: answers.began,
                began_us,
                took_us: each.as_micros() as u64,
                timed_out: false,
                memo: memo.next(),
            };
            self.one_answer(flight.stage, call, result, how);
        }
        Ok(())
    }

    /// Notes the completions that a batch asked for.
    pub(super) fn completions(&mut self, flight: &Flight) {
        let (stage, control) = (flight.stage, &flight.control);
        let mut lookups: BTreeMap<Arc<str>, (u32, u32)> = BTreeMap::new();
        let mut look = |item: &Arc<str>, found: bool| {
            let (asked, there) = lookups.entry(Arc::clone(item)).or_default();
            *asked += 1;
            *there += u32::from(found);
        };
        for (item, found) in control.lookups() {
            look(&item, found);
        }
        for note in control.notes() {
            let began_us = self.stages[stage].station.since_start_us(note.began);
            self.observer.on(&Event::Completion { stage, note: &note });
            if note.looked_up {
                look(&note.item, !matches!(note.source, AnswerSource::Call));
            }
            if let Some(spend) = self.spend(flight, &note.item) {
                spend.add_completion(&note);
            }
            self.note(Record::Call(CallRecord { stage: stage as u32, began_us, note, open: false }));
        }
        for (item, (asked, found)) in lookups {
            if let Some(spend) = self.spend(flight, &item) {
                spend.add_lookups(asked.into(), found.into());
            }
            self.note(Record::Lookups(CacheLookups { stage: stage as u32, item, asked, found }));
        }
    }

    /// Where it is counted what a stage spends for an item of a batch; none where nobody wants it shown.
    fn spend(&mut self, flight: &Flight, id: &Arc<str>) -> Option<&mut Spend> {
        let of = |call: &&Call| self.items[call.item].as_ref().is_some_and(|item| item.id == *id);
        let place = flight.calls.iter().find(of)?.item;
        self.items[place].as_mut()?.spend.get_mut(flight.stage)
    }

    /// Makes the calls of a batch again, each by itself.
    pub(super) fn one_by_one(&mut self, index: usize, calls: Vec<Call>) {
        if self.draining {
            return self.forget(calls);
        }
        for mut call in calls.into_iter().rev() {
            call.alone = true;
            self.stages[index].ready.push_front(call);
        }
    }

    /// Leaves the batches that have to wait before they go on: who asked to stop does not want to wait along.
    pub(super) fn leave_waiting(&mut self) {
        let left = self.flights.iter().filter(|(_, flight)| flight.control.leave()).map(|(number, _)| *number);
        for number in left.collect::<Vec<_>>() {
            let Some(mut flight) = self.flights.remove(&number) else { continue };
            flight.control.cancel();
            // Dropping the job drops the future.
            drop(flight.job.take());
            self.completions(&flight);
            self.stages[flight.stage].under_way -= 1;
            let calls = flight.take_calls();
            self.forget(calls);
        }
    }

    /// Calls that are not answered in this session.
    fn forget(&mut self, calls: Vec<Call>) {
        for call in calls {
            if let Some(item) = self.items[call.item].as_mut() {
                item.pending -= 1;
            }
        }
    }

    /// What is to be done about a failure: the call, if it has failed for good; none if it is made again, in this session
    /// or the next.
    fn failed(&mut self, index: usize, mut call: Call, failure: &Failure, timed_out: bool) -> Option<Call> {
        let item = self.items[call.item].as_mut()?;
        let stage = &mut self.stages[index];
        let policy = &stage.plan.policy;
        let heals = failure.kind().is_retryable() || timed_out;
        // What the budget, or memory, did not allow is asked for again when the run goes on, whatever it was stopped for.
        let refused = || failure.kind() == FailureKind::OverBudget && self.services.exhausted().is_some();
        if self.draining && (heals || refused()) {
            item.pending -= 1;
            return None;
        }
        if heals && call.attempt < policy.attempts && item.wants(index) {
            let after = delay(policy.backoff, call.attempt, failure, &mut self.jitter);
            stage.stats.retries += 1;
            self.observer.on(&Event::Retry { stage: index, item: &item.id, failure, after });
            call.attempt += 1;
            self.set_timer(after, Timer::Again(index, call));
            return None;
        }
        if self.other_arm(index, &mut call, failure) {
            self.stages[index].ready.push_back(call);
            return None;
        }
        Some(call)
    }

    pub(super) fn one_answer(&mut self, index: usize, mut call: Call, result: CallResult<Document>, how: How) {
        let timed_out = how.timed_out;
        if let Err(failure) = &result {
            let Some(ended) = self.failed(index, call, failure, timed_out) else { return };
            call = ended;
        }
        let Some(item) = self.items[call.item].as_mut() else { return };
        let stage = &mut self.stages[index];
        if let Err(failure) = &result {
            stage.stats.failed += 1;
            self.observer.on(&Event::CallFailed { stage: index, item: &item.id, failure, timed_out });
        }
        self.observer.on(&Event::Called {
            stage: index,
            item: &item.id,
            began: how.began,
            took: Duration::from_micros(how.took_us),
            attempts: call.attempt,
            from_memo: how.memo.as_ref().is_some_and(|memo| memo.hit),
            failure: result.as_ref().err(),
        });
        item.pending -= 1;
        stage.answered += 1;
        stage.changed = true;
        if how.memo.as_ref().is_some_and(|memo| memo.hit) {
            stage.stats.memo_hits += 1;
            stage.stats.calls -= 1;
        }
        let item = item.index;
        if self.recording {
            let answer = match &result {
                Ok(document) => Answer::Ok { json: Arc::clone(&document.json), tensors: document.tensors.clone() },
                Err(failure) => {
                    let kind = if timed_out { "timed-out" } else { failure.kind().name() };
                    Answer::Failed { kind: kind.to_owned(), message: failure.message().to_owned() }
                }
            };
            let How { began_us, took_us, memo, .. } = how;
            let (stage, call, attempts) = (index as u32, call.call, call.attempt);
            let record = StageRecord { item, stage, call, answer, attempts, began_us, took_us, memo };
            self.note(Record::Stage(record));
        }
        let document = result.ok();
        let ended = self.gather(call.item, index, call.call, document);
        if ended {
            self.note_route(call.item, index);
        }
        self.settle(call.item, Vec::new(), if ended { vec![index] } else { Vec::new() });
    }

    /// Puts an answer, or the lack of one, where the stage gathers them. True if the stage is at its end with it.
    pub(super) fn gather(&mut self, place: usize, index: usize, call: u32, answer: Option<Document>) -> bool {
        let Some(item) = self.items[place].as_mut() else { return false };
        let filled = match &mut item.slots[index] {
            Slot::Running => match answer {
                Some(document) => Slot::Done { document, flawed: false },
                None => Slot::Failed,
            },
            Slot::Gathering { answers, left, failed } => {
                *failed |= answer.is_none();
                if let Some(place) = answers.get_mut(call as usize) {
                    *place = answer;
                }
                *left -= 1;
                if *left > 0 {
                    return false;
                }
                let there: Vec<&Document> = answers.iter().flatten().collect();
                let drops = self.stages[index].plan.policy.on_error == OnError::Drop;
                let flawed = *failed && !drops;
                if there.is_empty() { Slot::Failed } else { Slot::Done { document: list_of(&there), flawed } }
            }
            // It was skipped, or failed for want of input, and that is noted.
            _ => return true,
        };
        self.fill(place, index, filled);
        true
    }

    pub(super) fn fill(&mut self, place: usize, index: usize, slot: Slot) {
        let Some(item) = self.items[place].as_mut() else { return };
        let stops = match &slot {
            Slot::Failed => true,
            Slot::Done { flawed, .. } => *flawed,
            _ => false,
        };
        if stops && self.stages[index].plan.policy.on_error == OnError::Fail {
            item.stopped_by = Some(item.stopped_by.map_or(index, |stop| stop.min(index)));
        }
        item.slots[index] = slot;
    }
}

/// Whether a batch failed as a whole: a panic, a trap, a limit.
fn failed_as_one(results: &[CallResult<Document>]) -> bool {
    let mut failures = results.iter().map(|result| result.as_ref().err());
    let Some(Some(first)) = failures.next() else { return false };
    matches!(first.kind(), FailureKind::Internal | FailureKind::OverBudget | FailureKind::InvalidOutput)
        && failures.all(|failure| failure == Some(first))
}

/// The list of documents, as a stage that makes several calls gives it.
pub(crate) fn list_of(documents: &[&Document]) -> Document {
    let mut text = String::with_capacity(documents.iter().map(|document| document.json.len() + 1).sum::<usize>() + 2);
    let mut tensors = Vec::new();
    text.push('[');
    for (position, document) in documents.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(&document.json);
        tensors.extend(document.tensors.iter().map(|tensor| {
            let mut tensor = tensor.clone();
            tensor.name = format!("{position}.{}", tensor.name);
            tensor
        }));
    }
    text.push(']');
    Document { json: text.into(), tensors }
}

/// Exponential back-off with full jitter (Brooker 2015); a delay that the failure names is obeyed.
fn delay(base: Duration, attempt: u32, failure: &Failure, jitter: &mut Random) -> Duration {
    let longest = base.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_BACKOFF);
    let drawn = longest.mul_f64(jitter.next_f64());
    failure.retry_after().map_or(drawn, |after| after.min(LONGEST_DELAY) + drawn)
}
