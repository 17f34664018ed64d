//! Stages that are searched: a trial's values are laid over their configuration, and what comes of it is learned.

use std::sync::Arc;

use jackfield_pipeline::Source;
use jackfield_plugin_api::{Failure, Objective, Outcome, Values};
use jackfield_store::{Record, TrialRecord};

use super::{begin::RuntimeDecision, state::Scheduler};
use crate::{
    index::{ItemSlot, StageIdx},
    input::NoInput,
    item::Item,
    search::{Spending, Trial, TrialDecision},
    stage_runtime::StageRuntime,
};

impl Scheduler<'_, '_> {
    /// What a stage's calls for an item are made with.
    pub(super) fn runtime_for(&mut self, slot: ItemSlot, stage: StageIdx) -> RuntimeDecision {
        match self.searched_runtime(slot, stage) {
            Ok(Some(runtime)) => return RuntimeDecision::Ready(runtime),
            Ok(None) => {}
            Err(failure) => return RuntimeDecision::Refused(failure),
        }
        match self.arm_for(slot, stage) {
            Ok(Some(arm)) => RuntimeDecision::Ready(Arc::clone(self.stages[stage].arm(arm))),
            Ok(None) => RuntimeDecision::WaitForArm,
            Err(why) => RuntimeDecision::NoInput(why),
        }
    }

    /// A searched stage with the values of the item's trial; none for a stage that is not searched.
    fn searched_runtime(&mut self, slot: ItemSlot, stage: StageIdx) -> Result<Option<Arc<StageRuntime>>, Failure> {
        let Some(searching) = &self.search else { return Ok(None) };
        if !searching.plan.varies(stage.get()) {
            return Ok(None);
        }
        let Some(trial) = &self.items[slot].trial else { return Ok(None) };
        let queue = &mut self.stages[stage];
        let plan = queue.plan.with_values(searching.plan, stage.get(), &trial.values);
        let config = plan.config.to_string();
        if let Some(runtime) = queue.opened.find(&config) {
            return Ok(Some(runtime));
        }
        let runtime = searching.factory.open(&plan)?;
        queue.opened.keep(config, &runtime);
        Ok(Some(runtime))
    }

    /// Whether there is a search whose next trial, at this position, cannot be begun yet.
    pub(crate) fn trial_waits(&mut self, position: u64) -> bool {
        self.search.as_mut().is_some_and(|searching| !searching.search.is_ready(position))
    }

    /// Why no further trial is begun, if that is so.
    pub(crate) fn reason_to_stop_search(&self, spent: Spending) -> Option<String> {
        self.search.as_ref()?.search.reason_to_stop(spent)
    }

    /// No further trial is begun.
    pub(crate) fn stop_search(&mut self, why: String) {
        if let Some(searching) = &mut self.search {
            searching.search.stop(why);
        }
    }

    /// Decides the values of a trial; none where nothing is searched.
    pub(crate) fn decide_trial(&mut self, position: u64) -> Option<TrialDecision> {
        Some(self.search.as_mut()?.search.decide(position))
    }

    /// The trial at this position, with the values that were decided; none where nothing is searched.
    pub(crate) fn begin_trial(&mut self, position: u64, values: Values) -> Option<Trial> {
        let searching = self.search.as_mut()?;
        searching.search.note_decision(position, values.clone());
        Some(searching.search.trial(position, values))
    }

    /// A trial is not admitted: it is done on the record, or got no values.
    pub(crate) fn skip_trial(&mut self, position: u64, known: Option<Outcome>) {
        if let Some(searching) = &mut self.search {
            let number = searching.search.trial(position, Values::default()).number;
            let outcome = known.unwrap_or_else(|| Outcome { trial: Some(number), ..Outcome::default() });
            searching.search.finish(position, outcome);
        }
    }

    /// A stage of an item has ended: what it reports of its trial is noted, and the trial may be stopped.
    pub(super) fn report_trial(&mut self, slot: ItemSlot, stage: StageIdx) {
        let Some(searching) = &self.search else { return };
        let plan = searching.plan;
        let item = &self.items[slot];
        let Some(mut trial) = item.trial.clone().filter(|trial| !trial.pruned && !trial.reports_ended) else { return };
        let before = trial.reports.len();
        while let Some(wire) =
            plan.reports.get(trial.reports.len()).filter(|wire| wire.source == Source::Stage(stage.get()))
        {
            match self.number_at(item, wire) {
                Ok(number) => trial.reports.push(number),
                Err(_) => {
                    trial.reports_ended = true;
                    break;
                }
            }
        }
        // Where nothing is left to do, there is nothing to save.
        let is_over = item.open_stages == 0;
        if trial.reports.len() > before
            && !trial.reports_ended
            && !is_over
            && let Some(searching) = &mut self.search
        {
            trial.pruned = searching.search.should_prune(&trial);
        }
        self.items[slot].trial = Some(trial);
    }

    /// A trial is done: what came of it is put on the record and will be learned. Gives what is wrong with it, where a stage
    /// gave something else than a number.
    pub(crate) fn finish_trial(&mut self, item: &Item) -> Option<String> {
        let plan = self.search.as_ref()?.plan;
        let trial = item.trial.as_ref()?;
        let (mut objectives, mut fault) = (Vec::new(), None);
        for objective in plan.objectives.iter().filter(|_| !trial.pruned) {
            match self.number_at(item, &objective.wire) {
                Ok(value) => {
                    objectives.push(Objective { name: objective.name.clone(), value, minimize: objective.minimize });
                }
                // Why a stage failed is on the record.
                Err(NoInput::NoResult(_) | NoInput::Off(_)) => {}
                Err(NoInput::NotFound(what)) => {
                    fault.get_or_insert_with(|| format!("the objective `{}` is not a number: {what}", objective.name));
                }
            }
        }
        if objectives.len() < plan.objectives.len() || item.stopped_by.is_some() {
            objectives.clear();
        }
        let outcome = Outcome {
            trial: Some(trial.number),
            values: trial.values.clone(),
            objectives,
            reports: trial.reports.clone(),
            pruned: trial.pruned,
            ..Outcome::default()
        };
        let position = item.index as u64;
        self.record.push(Record::Trial(TrialRecord { item: position, outcome: outcome.clone(), settled: true }));
        if let Some(searching) = &mut self.search {
            searching.search.finish(position, outcome);
        }
        fault
    }
}
