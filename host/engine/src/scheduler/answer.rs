//! Batches are answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jackfield_pipeline::{OnError, RecordedCalls};
use jackfield_plugin_api::{Document, Failure};
use jackfield_store::{Answer, AnswerSource, CacheLookups, CallRecord, CompletionEntry, Record, Spend};

use super::{
    call::{AnsweredCall, CallTiming, InFlightBatch, ReadyCall, SentCalls},
    decide::{BatchDecision, FailedCall, FailureDecision, decide_batch, decide_failure},
    stage_queue::BatchTimes,
    state::Scheduler,
    timers::TimerEvent,
};
use crate::{
    batch::BatchAnswers,
    document_list::list_of,
    index::{CallIdx, ItemSlot, StageIdx},
    item::StageState,
    observe::Event,
};

/// How often caches were asked on behalf of an item.
#[derive(Default)]
struct LookupCount {
    asked: u32,
    found: u32,
}

impl LookupCount {
    fn add(&mut self, found: bool) {
        self.asked += 1;
        self.found += u32::from(found);
    }
}

impl Scheduler<'_, '_> {
    /// A batch was answered.
    pub(super) fn accept_answers(&mut self, answers: BatchAnswers) {
        // A batch that ran out of time is not in flight any more: its calls were answered then.
        let Some(batch) = self.batches.remove(answers.batch) else { return };
        let batch = batch.into_answered();
        self.record_completions(&batch);
        let times = BatchTimes::of(&answers, batch.calls.len());
        self.stages[batch.stage].note_batch(times);
        if !self.draining.has_begun
            && !self.is_closing
            && let Some(exhausted) = self.services.exhausted()
        {
            self.begin_draining(Some(exhausted));
        }
        match decide_batch(&answers.results) {
            BatchDecision::CallEachAlone => self.call_each_alone(batch.stage, batch.into_ready()),
            BatchDecision::AnswerEachCall => self.answer_each_call(batch, answers, times),
        }
    }

    /// Each call of a batch has its answer.
    fn answer_each_call(&mut self, batch: SentCalls, answers: BatchAnswers, times: BatchTimes) {
        let SentCalls { stage, calls, requests, control } = batch;
        let mut memo = answers.memo.into_iter();
        for (position, (call, result)) in calls.into_iter().zip(answers.results).enumerate() {
            let (request, memo) = (&requests[position], memo.next());
            let took = times.of_call(memo.as_ref().is_some_and(|memo| memo.hit));
            let began_us = answers.began_us + (took * position as u32).as_micros() as u64;
            let timing = CallTiming { began: answers.began, began_us, took_us: took.as_micros() as u64 };
            let exchanges = control.take_exchanges(&request.context);
            self.answer_call(AnsweredCall { stage, call, request, result, timed_out: false, timing, memo, exchanges });
        }
    }

    /// Records the completions that a batch asked for.
    pub(super) fn record_completions(&mut self, batch: &SentCalls) {
        let stage = batch.stage;
        let mut lookups: BTreeMap<Arc<str>, LookupCount> = BTreeMap::new();
        for lookup in batch.control.take_lookups() {
            lookups.entry(lookup.item).or_default().add(lookup.found);
        }
        for completion in batch.control.take_completions() {
            let began_us = self.stages[stage].runtime().since_start_us(completion.began);
            self.observer.on(&Event::Completion { stage: stage.get(), completion: &completion });
            if completion.looked_up {
                let found = !matches!(completion.source, AnswerSource::Call);
                lookups.entry(Arc::clone(&completion.item)).or_default().add(found);
            }
            if let Some(spend) = self.spend_of(batch, &completion.item) {
                spend.add_completion(&completion);
            }
            self.record.push(Record::Completion(CompletionEntry {
                stage: stage.to_record(),
                began_us,
                completion,
                open: false,
            }));
        }
        for (item, LookupCount { asked, found }) in lookups {
            if let Some(spend) = self.spend_of(batch, &item) {
                spend.add_lookups(asked.into(), found.into());
            }
            self.record.push(Record::Lookups(CacheLookups { stage: stage.to_record(), item, asked, found }));
        }
    }

    /// Where it is counted what a stage spends for an item of a batch; none where nobody wants it shown, or where the batch has
    /// no such item.
    fn spend_of(&mut self, batch: &SentCalls, id: &Arc<str>) -> Option<&mut Spend> {
        let slot = batch.calls.iter().find(|call| self.items[call.item].id == *id)?.item;
        self.items[slot].spend.get_mut(batch.stage)
    }

    /// Makes the calls of a batch again, each by itself.
    pub(super) fn call_each_alone(&mut self, stage: StageIdx, calls: Vec<ReadyCall>) {
        for mut ready in calls.into_iter().rev() {
            if self.draining.has_begun {
                self.leave_open(ready.call.item);
            } else {
                ready.call.alone = true;
                self.stages[stage].ready.push_front(ready);
            }
        }
    }

    /// Leaves the batches that have to wait before they go on: whoever asked to stop does not want to wait along.
    pub(super) fn leave_waiting_batches(&mut self) {
        let left: Vec<_> = self.batches.iter().filter(|(_, batch)| batch.control.leave()).map(|(id, _)| id).collect();
        for id in left {
            let batch = self.batches.remove(id).expect("a batch that was just seen is in flight");
            let batch = self.give_up(batch);
            for call in batch.calls {
                self.leave_open(call.item);
            }
        }
    }

    /// Gives a batch in flight up, and records what it has asked for until now.
    pub(super) fn give_up(&mut self, batch: InFlightBatch) -> SentCalls {
        let batch = batch.give_up();
        self.record_completions(&batch);
        self.stages[batch.stage].batches_in_flight -= 1;
        batch
    }

    /// A call of an item is not answered in this session.
    fn leave_open(&mut self, item: ItemSlot) {
        self.items[item].pending_calls -= 1;
    }

    /// A call was answered, well or not.
    pub(super) fn answer_call(&mut self, answered: AnsweredCall<'_>) {
        let decision = match &answered.result {
            Ok(_) => None,
            Err(failure) => Some(self.decide_failure(&answered, failure)),
        };
        match decision {
            None | Some(FailureDecision::Fail) => self.accept_answer(answered),
            Some(FailureDecision::LeaveOpen) => self.leave_open(answered.call.item),
            Some(FailureDecision::Retry(after)) => self.retry(answered, after),
            Some(FailureDecision::NextArm) => self.call_with_next_arm(answered),
        }
    }

    fn decide_failure(&mut self, answered: &AnsweredCall<'_>, failure: &Failure) -> FailureDecision {
        let (stage, call) = (answered.stage, &answered.call);
        let item = &self.items[call.item];
        let failed = FailedCall {
            failure,
            timed_out: answered.timed_out,
            attempt: call.attempt,
            policy: &self.stages[stage].plan.policy,
            is_wanted: item.wants(stage),
            has_next_arm: self.has_next_arm(item, stage),
            is_draining: self.draining.has_begun,
            is_exhausted: self.services.exhausted().is_some(),
        };
        decide_failure(failed, &mut self.jitter)
    }

    /// A call that failed is made again after a delay.
    fn retry(&mut self, answered: AnsweredCall<'_>, after: Duration) {
        let AnsweredCall { stage, mut call, request, result, .. } = answered;
        let failure = result.as_ref().expect_err("only a call that failed is made again");
        self.stages[stage].stats.retries += 1;
        let item = &self.items[call.item].id;
        self.observer.on(&Event::Retry { stage: stage.get(), item, failure, after });
        call.attempt += 1;
        let ready = ReadyCall { call, request: request.clone() };
        self.timers.set(after, TimerEvent::CallAgain(stage, ready));
    }

    /// A call was answered for good, well or not: that is recorded, and whatever follows from it begins.
    fn accept_answer(&mut self, answered: AnsweredCall<'_>) {
        let AnsweredCall { stage, call, result, timed_out, timing, memo, mut exchanges, .. } = answered;
        let (queue, item) = (&mut self.stages[stage], &mut self.items[call.item]);
        let from_memo = memo.as_ref().is_some_and(|memo| memo.hit);
        if let Err(failure) = &result {
            queue.stats.failed += 1;
            self.observer.on(&Event::CallFailed { stage: stage.get(), item: &item.id, failure, timed_out });
        }
        self.observer.on(&Event::Called {
            stage: stage.get(),
            item: &item.id,
            began: timing.began,
            took: Duration::from_micros(timing.took_us),
            attempts: call.attempt,
            from_memo,
            failure: result.as_ref().err(),
        });
        item.pending_calls -= 1;
        queue.note_answer();
        if from_memo {
            queue.stats.memo_hits += 1;
            queue.stats.calls -= 1;
        }
        if self.record.is_enabled() {
            let answer = match &result {
                Ok(document) => Answer::Ok { json: Arc::clone(&document.json), tensors: document.tensors.clone() },
                Err(failure) => {
                    let kind = if timed_out { "timed-out" } else { failure.kind().name() };
                    Answer::Failed { kind: kind.to_owned(), message: failure.message().to_owned() }
                }
            };
            // Where none is kept, none is noted in the first place.
            if result.is_ok() && self.plan.recorded_calls != RecordedCalls::Full {
                exchanges.retain(|exchange| exchange.answer.is_err());
            }
            self.record.push(Record::Call(CallRecord {
                item: item.index,
                stage: stage.to_record(),
                call: call.index.0,
                answer,
                attempts: call.attempt,
                began_us: timing.began_us,
                took_us: timing.took_us,
                memo,
                exchanges,
            }));
        }
        let ended = self.gather(call.item, stage, call.index, result.ok());
        if ended {
            self.record_route(call.item, stage);
        }
        self.propagate(call.item, Vec::new(), if ended { vec![stage] } else { Vec::new() });
    }

    /// Adds an answer, or the lack of one, to what the stage gathers. True if the stage has ended with it.
    pub(super) fn gather(&mut self, slot: ItemSlot, stage: StageIdx, call: CallIdx, answer: Option<Document>) -> bool {
        let state = match &mut self.items[slot].stages[stage] {
            StageState::Running => match answer {
                Some(document) => StageState::Done { document, flawed: false },
                None => StageState::Failed,
            },
            StageState::Gathering { answers, left, failed } => {
                *failed |= answer.is_none();
                *answers.get_mut(call.0 as usize).expect("a stage gathers the answers of its own calls") = answer;
                *left -= 1;
                if *left > 0 {
                    return false;
                }
                let there: Vec<&Document> = answers.iter().flatten().collect();
                let drops = self.stages[stage].plan.policy.on_error == OnError::Drop;
                let flawed = *failed && !drops;
                if there.is_empty() {
                    StageState::Failed
                } else {
                    StageState::Done { document: list_of(&there), flawed }
                }
            }
            // For want of input, which is recorded.
            StageState::Skipped | StageState::Failed | StageState::Off => return true,
            StageState::OtherScope | StageState::Waiting(_) | StageState::Done { .. } => {
                unreachable!("a call is made by a stage that has begun and has not ended")
            }
        };
        self.end_stage(slot, stage, state);
        true
    }

    /// A stage of an item ends like this.
    pub(super) fn end_stage(&mut self, slot: ItemSlot, stage: StageIdx, state: StageState) {
        let item = &mut self.items[slot];
        let stops = match &state {
            StageState::Failed => true,
            StageState::Done { flawed, .. } => *flawed,
            _ => false,
        };
        if stops && self.stages[stage].plan.policy.on_error == OnError::Fail {
            item.stop_by(stage);
        }
        item.stages[stage] = state;
    }
}
