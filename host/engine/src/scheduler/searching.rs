//! Stages that are searched: a trial's values are laid over their configuration, and what comes of it is learned.

use std::{collections::VecDeque, sync::Arc};

use jackfield_pipeline::{SearchPlan, Source};
use jackfield_plugin_api::{Failure, Objective, Outcome};
use jackfield_store::{Record, TrialRecord};

use super::state::Scheduler;
use crate::{
    input::NoInput,
    item::{Item, Slot},
    search::{Picked, Search, Spent, Trial},
    station::Station,
    stations::Stations,
};

/// Opened stages that are kept, of each that is searched.
const KEPT: usize = 16;

/// The search of a run, with what opens its stages.
pub(crate) struct Searching<'p> {
    pub(crate) plan: &'p SearchPlan,
    pub(crate) search: Search<'p>,
    pub(crate) stations: Stations<'p>,
}

/// What a searched stage was opened with lately, the latest last.
#[derive(Default)]
pub(super) struct Opened {
    kept: VecDeque<(String, Arc<Station>)>,
    /// Traps of those that are no longer kept.
    traps: u64,
}

impl Opened {
    fn find(&mut self, config: &str) -> Option<Arc<Station>> {
        let at = self.kept.iter().position(|(known, _)| known == config)?;
        let found = self.kept.remove(at)?;
        let station = Arc::clone(&found.1);
        self.kept.push_back(found);
        Some(station)
    }

    fn keep(&mut self, config: String, station: &Arc<Station>) {
        if self.kept.len() >= KEPT
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.traps += oldest.instance.traps();
        }
        self.kept.push_back((config, Arc::clone(station)));
    }

    /// Calls that ended their instance.
    pub(super) fn traps(&self) -> u64 {
        self.traps + self.kept.iter().map(|(_, station)| station.instance.traps()).sum::<u64>()
    }
}

/// Why a stage's calls are not made.
pub(super) enum NoStation {
    /// What picks an arm has no input.
    Input(NoInput),
    /// The extension refuses the values of the trial.
    Refused(Failure),
}

impl Scheduler<'_, '_> {
    /// What a stage's calls for an item are made with; none if that has yet to be picked.
    pub(super) fn station(&mut self, place: usize, index: usize) -> Result<Option<Arc<Station>>, NoStation> {
        if let Some(station) = self.searched(place, index).map_err(NoStation::Refused)? {
            return Ok(Some(station));
        }
        let arm = self.arm(place, index).map_err(NoStation::Input)?;
        let stage = &self.stages[index];
        Ok(arm.map(|arm| Arc::clone(stage.stations.get(arm as usize).unwrap_or(&stage.station))))
    }

    /// A searched stage with the values of the item's trial; none for a stage that is not searched.
    fn searched(&mut self, place: usize, index: usize) -> Result<Option<Arc<Station>>, Failure> {
        let Some(searching) = &self.search else { return Ok(None) };
        if !searching.plan.varies(index) {
            return Ok(None);
        }
        let Some(trial) = self.items[place].as_ref().and_then(|item| item.trial.as_ref()) else { return Ok(None) };
        let stage = &mut self.stages[index];
        let plan = stage.plan.with_values(searching.plan, index, &trial.values);
        let config = plan.config.to_string();
        if let Some(station) = stage.opened.find(&config) {
            return Ok(Some(station));
        }
        let station = searching.stations.open(&plan)?;
        stage.opened.keep(config, &station);
        Ok(Some(station))
    }

    /// Whether there is a search whose next trial, at this position, cannot be begun yet.
    pub(crate) fn trial_waits(&mut self, position: u64) -> bool {
        self.search.as_mut().is_some_and(|searching| !searching.search.is_ready(position))
    }

    /// Why no further trial is begun, if that is so.
    pub(crate) fn enough_trials(&self, spent: Spent) -> Option<String> {
        self.search.as_ref()?.search.enough(spent)
    }

    /// No further trial is begun.
    pub(crate) fn stop_search(&mut self, why: String) {
        if let Some(searching) = &mut self.search {
            searching.search.stop(why);
        }
    }

    /// Picks the values of a trial; none where nothing is searched.
    pub(crate) fn pick_values(&mut self, position: u64) -> Option<Picked> {
        Some(self.search.as_mut()?.search.pick(position))
    }

    /// The trial at this position, with the values that were picked; none where nothing is searched.
    pub(crate) fn begin_trial(&mut self, position: u64, values: jackfield_plugin_api::Values) -> Option<Trial> {
        let searching = self.search.as_mut()?;
        searching.search.decided(position, values.clone());
        Some(searching.search.trial(position, values))
    }

    /// A trial that is not taken up: it is done on the record, or got no values.
    pub(crate) fn pass_trial(&mut self, position: u64, known: Option<Outcome>) {
        if let Some(searching) = &mut self.search {
            let number = searching.search.trial(position, Default::default()).number;
            let outcome = known.unwrap_or_else(|| Outcome { trial: Some(number), ..Outcome::default() });
            searching.search.settle(position, outcome);
        }
    }

    /// A stage of an item has ended: what it reports of its trial is noted, and the trial may be stopped.
    pub(super) fn report_trial(&mut self, place: usize, index: usize) {
        let Some(searching) = &self.search else { return };
        let plan = searching.plan;
        let Some(item) = self.items[place].as_ref() else { return };
        let Some(mut trial) = item.trial.clone().filter(|trial| !trial.pruned && !trial.silent) else { return };
        let before = trial.reports.len();
        while let Some(wire) = plan.reports.get(trial.reports.len()).filter(|wire| wire.source == Source::Stage(index))
        {
            match self.measured(item, wire) {
                Ok(number) => trial.reports.push(number),
                Err(_) => {
                    trial.silent = true;
                    break;
                }
            }
        }
        // Where nothing is left to do, there is nothing to save.
        let is_over = item.open == 0;
        if trial.reports.len() > before
            && !trial.silent
            && !is_over
            && let Some(searching) = &mut self.search
        {
            trial.pruned = searching.search.stops(&trial);
        }
        if let Some(item) = self.items[place].as_mut() {
            item.trial = Some(trial);
        }
    }

    /// A trial is done: what came of it is put on the record and will be learned. Gives what is wrong with it, where a stage
    /// gave something else than a number.
    pub(crate) fn settle_trial(&mut self, item: &Item) -> Option<String> {
        let plan = self.search.as_ref()?.plan;
        let trial = item.trial.as_ref()?;
        let (mut objectives, mut fault) = (Vec::new(), None);
        for objective in plan.objectives.iter().filter(|_| !trial.pruned) {
            match self.measured(item, &objective.wire) {
                Ok(value) => {
                    objectives.push(Objective { name: objective.name.clone(), value, minimize: objective.minimize });
                }
                // A stage that failed has told why.
                Err(NoInput::Failed(_)) => {}
                Err(NoInput::Nothing(what)) => {
                    fault.get_or_insert_with(|| format!("the objective `{}` is no number: {what}", objective.name));
                }
            }
        }
        if objectives.len() < plan.objectives.len() || item.stopped_by.is_some() {
            objectives.clear();
        }
        let (trial, values, reports, pruned) =
            (Some(trial.number), trial.values.clone(), trial.reports.clone(), trial.pruned);
        let outcome = Outcome { trial, values, objectives, reports, pruned, ..Outcome::default() };
        let position = item.index as u64;
        self.note(Record::Trial(TrialRecord { item: position, outcome: outcome.clone(), settled: true }));
        if let Some(searching) = &mut self.search {
            searching.search.settle(position, outcome);
        }
        fault
    }
}

impl Item {
    /// Whether its trial was stopped before this stage began.
    pub(crate) fn is_left_out(&self, stage: usize) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.pruned)
            && matches!(self.slots[stage], Slot::Waiting(_) | Slot::Skipped)
    }
}
