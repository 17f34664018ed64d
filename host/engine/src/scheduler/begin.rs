//! Stages begin and end: their calls become ready, and those that read them begin in turn.

use std::sync::Arc;

use jackfield_pipeline::{MOST_CALLS, OnError};
use jackfield_plugin_api::{Context, Document, Failure, Request};
use jackfield_store::{Answer, CallRecord, Record};

use super::{
    call::{Call, ReadyCall},
    state::Scheduler,
};
use crate::{
    index::{CallIdx, ItemSlot, StageIdx},
    input::{NoInput, elements, excerpt, input_of, value_of},
    item::StageState,
    observe::Event,
    seed::seed_of,
    stage_runtime::StageRuntime,
};

/// What is done about a stage whose sources have all ended.
enum BeginDecision {
    /// It is not wanted any more: an earlier stage has stopped the item.
    Skip,
    /// It is off; which value decided that.
    Off(String),
    /// It has no input.
    NoInput(NoInput),
    /// It cannot be called: its extension refuses the values of the trial.
    Refuse(Failure),
    /// It begins once its arm is picked.
    WaitForArm,
    /// Its calls are made.
    Call(StageCalls),
}

/// The calls of a stage for an item.
struct StageCalls {
    /// What they are made with.
    runtime: Arc<StageRuntime>,
    /// One an element. Each is called with as often as the stage repeats.
    inputs: Vec<Result<Document, NoInput>>,
}

/// What a stage's calls are made with.
pub(super) enum RuntimeDecision {
    /// With this.
    Ready(Arc<StageRuntime>),
    /// With an arm that is not picked yet.
    WaitForArm,
    /// With nothing: what picks the arm has no input.
    NoInput(NoInput),
    /// With nothing: the extension refuses the values of the trial.
    Refused(Failure),
}

/// A call that is to be made ready.
struct CallToPrepare<'a> {
    index: CallIdx,
    element: u32,
    replicate: u32,
    runtime: &'a Arc<StageRuntime>,
    input: &'a Result<Document, NoInput>,
}

/// The most elements that a stage runs over, so that its calls are no more than they may be.
fn max_elements(repeat: Option<u32>) -> usize {
    (MOST_CALLS / repeat.unwrap_or(1).max(1)).max(1) as usize
}

impl Scheduler<'_, '_> {
    /// Carries on from stages of an item that may begin and stages that have ended, until nothing more follows. An item that is
    /// done then is finished.
    pub(super) fn propagate(&mut self, slot: ItemSlot, mut ready: Vec<StageIdx>, mut ended: Vec<StageIdx>) {
        loop {
            if let Some(stage) = ready.pop() {
                if self.begin_stage(slot, stage) {
                    ended.push(stage);
                }
            } else if let Some(stage) = ended.pop() {
                self.note_ended(slot, stage, &mut ready);
            } else {
                break;
            }
        }
        if self.items[slot].is_done() {
            self.items.finish(slot);
        }
    }

    /// A stage of an item has ended. Adds the stages that may begin now to those that are ready.
    fn note_ended(&mut self, slot: ItemSlot, stage: StageIdx, ready: &mut Vec<StageIdx>) {
        let item = &mut self.items[slot];
        item.open_stages -= 1;
        if !self.stages[stage].plan.deferred {
            item.open_before_report -= 1;
            if item.open_before_report == 0 && item.open_stages > 0 {
                self.items.mark_reportable(slot);
            }
        }
        self.report_trial(slot, stage);
        let item = &mut self.items[slot];
        for reader in &self.stages[stage].readers {
            if let StageState::Waiting(waits) = &mut item.stages[*reader] {
                *waits -= 1;
                if *waits == 0 {
                    ready.push(*reader);
                }
            }
        }
    }

    /// Begins a stage whose sources have all ended. True if it has already ended with that.
    fn begin_stage(&mut self, slot: ItemSlot, stage: StageIdx) -> bool {
        let decision = self.decide_begin(slot, stage);
        match decision {
            BeginDecision::WaitForArm => return false,
            BeginDecision::Call(calls) => return self.prepare_calls(slot, stage, calls),
            BeginDecision::Skip => self.items[slot].stages[stage] = StageState::Skipped,
            BeginDecision::Off(why) => self.record_off(slot, stage, CallIdx::FIRST, why),
            BeginDecision::NoInput(why) => self.record_no_input(slot, stage, CallIdx::FIRST, why),
            BeginDecision::Refuse(failure) => {
                self.record_refusal(slot, stage, CallIdx::FIRST, &failure);
                self.end_stage(slot, stage, StageState::Failed);
            }
        }
        self.skip_route(slot, stage);
        true
    }

    /// What is done about a stage whose sources have all ended. A stage with values of its own is opened for that, and one that
    /// needs an arm is entered with its router.
    fn decide_begin(&mut self, slot: ItemSlot, stage: StageIdx) -> BeginDecision {
        if !self.items[slot].wants(stage) {
            return BeginDecision::Skip;
        }
        match self.why_off(slot, stage) {
            Ok(None) => {}
            Ok(Some(why)) => return BeginDecision::Off(why),
            Err(why) => return BeginDecision::NoInput(why),
        }
        let inputs = match self.inputs_of(slot, stage) {
            Ok(inputs) => inputs,
            Err(why) => return BeginDecision::NoInput(why),
        };
        match self.runtime_for(slot, stage) {
            RuntimeDecision::Ready(runtime) => BeginDecision::Call(StageCalls { runtime, inputs }),
            RuntimeDecision::WaitForArm => BeginDecision::WaitForArm,
            RuntimeDecision::NoInput(why) => BeginDecision::NoInput(why),
            RuntimeDecision::Refused(failure) => BeginDecision::Refuse(failure),
        }
    }

    /// Why a stage is off; none if it is on.
    ///
    /// # Errors
    /// Why that cannot be decided.
    fn why_off(&self, slot: ItemSlot, stage: StageIdx) -> Result<Option<String>, NoInput> {
        let Some(when) = &self.stages[stage].plan.when else { return Ok(None) };
        let item = &self.items[slot];
        let document = value_of(&when.wire, &|source| item.source_value(&self.run_stages, None, source))?;
        let wire = self.plan.wire_text(&when.wire);
        let value: serde_json::Value = serde_json::from_str(&document.json)
            .map_err(|error| NoInput::NotFound(format!("`when`: `{wire}` is not valid JSON: {error}")))?;
        match when.condition.holds(&value) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(format!("`{wire}` is {}", excerpt(&document.json)))),
            Err(what) => {
                let found = excerpt(&document.json);
                Err(NoInput::NotFound(format!("`when`: `{wire}` is {what}, it is {found}")))
            }
        }
    }

    /// The inputs of a stage for an item, one an element; or why the stage has no elements.
    fn inputs_of(&self, slot: ItemSlot, stage: StageIdx) -> Result<Vec<Result<Document, NoInput>>, NoInput> {
        let (plan, item, run) = (self.stages[stage].plan, &self.items[slot], &self.run_stages);
        let input =
            |element: Option<&Document>| input_of(&plan.input, &|source| item.source_value(run, element, source));
        let Some(wire) = &plan.for_each else { return Ok(vec![input(None)]) };
        let list = value_of(wire, &|source| item.source_value(run, None, source))?;
        let parts = elements(&list.json, max_elements(plan.repeat))
            .map_err(|what| NoInput::NotFound(format!("`for_each`: {what}")))?;
        Ok(parts.into_iter().map(|part| input(Some(&Document::new(part)))).collect())
    }

    /// Makes the calls of a stage ready. True if the stage has already ended with that.
    fn prepare_calls(&mut self, slot: ItemSlot, stage: StageIdx, calls: StageCalls) -> bool {
        let StageCalls { runtime, inputs } = calls;
        let plan = self.stages[stage].plan;
        let repeat = plan.repeat.unwrap_or(1);
        let total = inputs.len() * repeat as usize;
        if plan.is_list() && total == 0 {
            self.end_stage(slot, stage, StageState::Done { document: Document::new("[]"), flawed: false });
            return true;
        }
        self.items[slot].stages[stage] = if plan.is_list() {
            StageState::Gathering { answers: vec![None; total], left: total, failed: false }
        } else {
            StageState::Running
        };
        let mut ended = false;
        for (element, input) in inputs.iter().enumerate() {
            let element = element as u32;
            for replicate in 0..repeat {
                let index = CallIdx(element * repeat + replicate);
                ended |= self.prepare_call(
                    slot,
                    stage,
                    CallToPrepare { index, element, replicate, runtime: &runtime, input },
                );
            }
        }
        ended
    }

    /// Makes one call ready, or takes its answer from an earlier session. True if the stage has ended with that.
    fn prepare_call(&mut self, slot: ItemSlot, stage: StageIdx, call: CallToPrepare<'_>) -> bool {
        let CallToPrepare { index, element, replicate, runtime, input } = call;
        let (queue, item) = (&mut self.stages[stage], &mut self.items[slot]);
        queue.note_call();
        if let Some(answer) = item.earlier.remove(&(stage, index)) {
            queue.stats.resumed += 1;
            queue.note_answer();
            let answer = match answer {
                Answer::Ok { json, tensors } => Some(Document { json, tensors }),
                Answer::Failed { .. } | Answer::Skipped { .. } | Answer::Off { .. } => None,
            };
            return self.gather(slot, stage, index, answer);
        }
        match input {
            Ok(document) => {
                let context = Context {
                    stage: Arc::clone(&queue.runtime().name),
                    item: Arc::clone(&item.id),
                    element,
                    replicate,
                    seed: seed_of(self.plan.seed, queue.seed, item.seed, element, replicate),
                };
                item.pending_calls += 1;
                let call = Call { item: slot, index, runtime: Arc::clone(runtime), attempt: 1, alone: false };
                queue.ready.push_back(ReadyCall { call, request: Request { document: document.clone(), context } });
                false
            }
            Err(why) => {
                self.record_no_input(slot, stage, index, why.clone());
                self.gather(slot, stage, index, None)
            }
        }
    }

    /// Records that a call is not made.
    fn record_no_input(&mut self, slot: ItemSlot, stage: StageIdx, call: CallIdx, why: NoInput) {
        let (queue, item) = (&mut self.stages[stage], &mut self.items[slot]);
        match why {
            NoInput::NoResult(source) => {
                queue.stats.skipped += 1;
                item.stages[stage] = StageState::Skipped;
                let message = format!("`{}` has no result", self.plan.stages[source.get()].name);
                self.record_not_called(slot, stage, call, Answer::Skipped { message });
            }
            NoInput::Off(source) => {
                let message = format!("`{}` is off", self.plan.stages[source.get()].name);
                self.record_off(slot, stage, call, message);
            }
            NoInput::NotFound(what) => {
                queue.stats.failed += 1;
                if !matches!(item.stages[stage], StageState::Gathering { .. }) {
                    item.stages[stage] = StageState::Failed;
                }
                let name = &queue.plan.name;
                let failure = Failure::InvalidInput(format!("a wire of stage `{name}`: {what}"));
                self.record_refusal(slot, stage, call, &failure);
            }
        }
    }

    /// Records that a stage is off.
    fn record_off(&mut self, slot: ItemSlot, stage: StageIdx, call: CallIdx, message: String) {
        self.stages[stage].stats.off += 1;
        self.items[slot].stages[stage] = StageState::Off;
        self.record_not_called(slot, stage, call, Answer::Off { message });
    }

    /// Records that a call fails before it is made.
    pub(super) fn record_refusal(&mut self, slot: ItemSlot, stage: StageIdx, call: CallIdx, failure: &Failure) {
        let item = &mut self.items[slot];
        let event = Event::CallFailed { stage: stage.get(), item: &item.id, failure, timed_out: false };
        self.observer.on(&event);
        if self.stages[stage].plan.policy.on_error == OnError::Fail {
            item.stop_by(stage);
        }
        let answer = Answer::Failed { kind: failure.kind().name().to_owned(), message: failure.message().to_owned() };
        self.record_not_called(slot, stage, call, answer);
    }

    /// Records what stands in place of the answer to a call that is not made.
    fn record_not_called(&mut self, slot: ItemSlot, stage: StageIdx, call: CallIdx, answer: Answer) {
        let (item, stage, call) = (self.items[slot].index, stage.to_record(), call.0);
        let record = CallRecord {
            item,
            stage,
            call,
            answer,
            attempts: 0,
            began_us: 0,
            took_us: 0,
            memo: None,
            exchanges: Vec::new(),
        };
        self.record.push(Record::Call(record));
    }
}
