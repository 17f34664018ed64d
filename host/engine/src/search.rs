//! The search of a run: which values a trial gets, and what is learned of it.
//!
//! A trial gets its values by what came of all trials but the last few before it, `in_flight` of them with itself; values are
//! picked in the order of the trials, and outcomes are learned in their order. So what is picked does not depend on how many
//! trials are in flight nor on which is done first.

use std::{collections::BTreeMap, time::Duration};

use jackfield_pipeline::SearchPlan;
use jackfield_plugin_api::{Failure, FailureKind, Outcome, SearchQuestion, SearchState, Values};
use jackfield_services::StudyStart;
use jackfield_store::SearchCount;

use super::seed::{name_of, seed_of};

/// The search of a run.
pub(super) struct Search<'p> {
    plan: &'p SearchPlan,
    seed: u64,
    /// Knows the outcomes of the study before the run, then those of the trials before `learned`.
    state: Box<dyn SearchState>,
    /// The points that are given first, less those that the study has tried.
    points: Vec<Values>,
    /// Number of the run's first trial.
    first: u64,
    /// Outcomes that were known before it.
    known_before: usize,
    /// Trials of the run whose outcomes are learned: all before this one.
    learned: u64,
    /// Values of the trials from `learned` on.
    decided: BTreeMap<u64, Values>,
    /// What came of those of them that are done.
    outcomes: BTreeMap<u64, Outcome>,
    front: ParetoFront,
    count: SearchCount,
}

/// What a trial gets.
pub(super) enum TrialDecision {
    /// These values.
    Values(Values),
    /// None, and neither does any after it: there is nothing left to try.
    NothingLeft(String),
    /// None, since the policy failed.
    Failed(Failure),
}

/// A trial in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// Its number in the study.
    pub(super) number: u64,
    /// The values that its stages run with.
    pub(super) values: Values,
    /// Outcomes that were known when they were picked.
    pub(super) known: usize,
    /// What it has reported, in the order of the plan's reports.
    pub(super) reports: Vec<f64>,
    /// A report had no number: it makes no more.
    pub(super) reports_ended: bool,
    /// It is stopped: what had not begun by its last report is left out.
    pub(super) pruned: bool,
}

impl<'p> Search<'p> {
    /// A search that goes on from the outcomes of its study.
    pub(super) fn new(plan: &'p SearchPlan, seed: u64, mut state: Box<dyn SearchState>, start: StudyStart) -> Self {
        let mut front = ParetoFront::default();
        let count = SearchCount { before: start.trials, ..SearchCount::default() };
        let was_tried = |point: &&Values| start.outcomes.iter().any(|outcome| outcome.values == **point);
        let points = plan.points.iter().filter(|point| !was_tried(point)).cloned().collect();
        for outcome in start.outcomes {
            front.add(&outcome);
            state.learn(outcome);
        }
        let (decided, outcomes, known_before) = (BTreeMap::new(), BTreeMap::new(), state.known().len());
        let first = start.trials;
        Self { plan, seed, state, points, first, known_before, learned: 0, decided, outcomes, front, count }
    }

    /// Whether values can be picked for this trial of the run, by its position.
    pub(super) fn is_ready(&mut self, trial: u64) -> bool {
        self.learn_up_to(self.wanted(trial))
    }

    /// Outcomes of the run that a trial's values are picked by: exactly so many, even if more trials are done.
    const fn wanted(&self, trial: u64) -> u64 {
        (trial + 1).saturating_sub(self.plan.in_flight)
    }

    /// The trial at this position, with the values that it gets or got.
    pub(super) fn trial(&self, position: u64, values: Values) -> Trial {
        let known = self.known_before + self.wanted(position) as usize;
        Trial { number: self.first + position, values, known, ..Trial::default() }
    }

    /// Decides the values of a trial that is ready: those of the points that are given first, and then what the policy picks.
    pub(super) fn decide(&mut self, position: u64) -> TrialDecision {
        let number = self.first + position;
        if let Some(point) = self.points.get(usize::try_from(position).unwrap_or(usize::MAX)) {
            return TrialDecision::Values(point.clone());
        }
        let pending = self.decided.range(..position).map(|(_, values)| values.clone()).collect();
        let question = SearchQuestion { trial: number, pending, seed: self.seed_of(number), reports: Vec::new() };
        match self.state.suggest(&question) {
            Ok(values) => TrialDecision::Values(values),
            Err(failure) if failure.kind() == FailureKind::OverBudget => {
                TrialDecision::NothingLeft(failure.message().to_owned())
            }
            Err(failure) => TrialDecision::Failed(self.policy_failure(&failure)),
        }
    }

    /// Every draw derives from the seed of the run and the number of the trial.
    fn seed_of(&self, number: u64) -> u64 {
        seed_of(self.seed, name_of("search"), number, 0, 0)
    }

    /// The failure of a decision: it is the policy's, and none of the stages that it stands under.
    fn policy_failure(&self, failure: &Failure) -> Failure {
        let message = format!("the policy `{}` of the search: {}", self.plan.extension.name, failure.message());
        Failure::new(failure.kind(), message)
    }

    /// Takes note of the values of a trial.
    pub(super) fn note_decision(&mut self, position: u64, values: Values) {
        if position >= self.learned {
            self.decided.insert(position, values);
        }
    }

    /// Whether a trial is stopped after what it has reported. A policy that fails stops nothing.
    pub(super) fn should_prune(&mut self, trial: &Trial) -> bool {
        debug_assert!(self.state.known().len() >= trial.known, "a trial begins once what it is picked by is known");
        let reports = trial.reports.clone();
        let question =
            SearchQuestion { trial: trial.number, pending: Vec::new(), seed: self.seed_of(trial.number), reports };
        match self.state.stop(trial.known, &question) {
            Ok(stops) => stops,
            Err(failure) => {
                let failure = self.policy_failure(&failure);
                tracing::warn!("trial {} goes on: {}", trial.number, failure.message());
                false
            }
        }
    }

    /// What came of a trial.
    pub(super) fn finish(&mut self, position: u64, outcome: Outcome) {
        if position < self.learned || self.outcomes.contains_key(&position) {
            return;
        }
        self.count.trials += 1;
        *match (outcome.pruned, outcome.objectives.is_empty()) {
            (true, _) => &mut self.count.pruned,
            (false, false) => &mut self.count.complete,
            (false, true) => &mut self.count.failed,
        } += 1;
        self.note_decision(position, outcome.values.clone());
        self.outcomes.insert(position, outcome);
    }

    /// Learns from all trials before this one. False if there is one that is not done.
    fn learn_up_to(&mut self, trial: u64) -> bool {
        while self.learned < trial {
            let Some(outcome) = self.outcomes.remove(&self.learned) else { return false };
            self.decided.remove(&self.learned);
            self.learned += 1;
            self.front.add(&outcome);
            self.state.learn(outcome);
        }
        true
    }

    /// Why no further trial is begun, if that is so: by what is known where the next one would get its values.
    pub(super) fn reason_to_stop(&self, spent: Spending) -> Option<String> {
        let stop = &self.plan.stop;
        if let Some(most) = stop.unchanged.filter(|most| self.front.unchanged >= *most) {
            let what = if self.plan.objectives.len() > 1 { "the front" } else { "the best objective" };
            return Some(format!(
                "{what} has not moved for {} (`unchanged`)",
                if most == 1 { "a trial".to_owned() } else { format!("{most} trials") }
            ));
        }
        if let Some(most) = stop.cost_usd.filter(|most| spent.usd >= *most) {
            return Some(format!("the models have cost {:.4} USD (`cost_usd = {most}`)", spent.usd));
        }
        let time = stop.time.filter(|most| spent.time >= *most)?;
        Some(format!("the run has taken its time (`time`, {})", humantime::format_duration(time)))
    }

    /// No further trial is begun.
    pub(super) fn stop(&mut self, why: String) {
        self.count.stopped = Some(why);
    }

    /// What is reported of the search.
    pub(super) fn into_count(mut self) -> SearchCount {
        self.learn_up_to(u64::MAX);
        self.count.front = self.front.points.len() as u64;
        self.count
    }
}

/// What a run has taken so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spending {
    /// All its sessions.
    pub(super) time: Duration,
    /// Of its models.
    pub(super) usd: f64,
}

/// The outcomes that no other is better than: of several objectives the Pareto front, of one the best.
#[derive(Default)]
struct ParetoFront {
    /// Less is better in each coordinate.
    points: Vec<Vec<f64>>,
    /// Trials since it moved.
    unchanged: u64,
}

impl ParetoFront {
    fn add(&mut self, outcome: &Outcome) {
        self.unchanged += 1;
        let badness = |objective: &jackfield_plugin_api::Objective| {
            if objective.minimize { objective.value } else { -objective.value }
        };
        let point: Vec<f64> = outcome.objectives.iter().map(badness).collect();
        if point.is_empty() || outcome.pruned {
            return;
        }
        let covers = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b);
        if self.points.iter().any(|known| covers(known, &point)) {
            // An equal one is on the front as well, which has not moved by it.
            if self.points.contains(&point) {
                self.points.push(point);
            }
            return;
        }
        self.points.retain(|known| !covers(&point, known));
        self.points.push(point);
        self.unchanged = 0;
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Objective;

    use super::{Outcome, ParetoFront};

    #[test]
    fn the_front_moves_with_what_no_other_is_as_good_as() {
        let mut front = ParetoFront::default();
        let mut after = |values: &[f64]| {
            let objective =
                |(at, value): (usize, &f64)| Objective { name: at.to_string(), value: *value, minimize: at == 0 };
            let objectives = values.iter().enumerate().map(objective).collect();
            front.add(&Outcome { objectives, ..Outcome::default() });
            (front.points.len(), front.unchanged)
        };
        assert_eq!(after(&[]), (0, 1));
        assert_eq!(after(&[2.0, 5.0]), (1, 0));
        assert_eq!(after(&[3.0, 6.0]), (2, 0));
        assert_eq!(after(&[3.0, 5.5]), (2, 1));
        assert_eq!(after(&[2.0, 5.0]), (3, 2));
        assert_eq!(after(&[1.0, 7.0]), (1, 0));
    }
}
