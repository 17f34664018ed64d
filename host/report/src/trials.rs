//! The trials of a search: the values that were tried, and their objectives.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Goal, Outcome, Values};
use jackfield_store::{Db, StoreError, TrialRecord};

use super::{hypervolume::hypervolume, pareto_front::pareto_front};

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialState {
    /// With all its objectives.
    Complete,
    /// It was stopped after a report.
    Pruned,
    /// Without all its objectives.
    Failed,
}

/// A trial that is done.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Position of its item, from 0.
    pub item: u64,
    /// Id of its item.
    pub id: String,
    /// How it ended.
    pub state: TrialState,
    /// The values that it was made with.
    pub values: Values,
    /// In the order of the goals; empty unless it is complete.
    pub objectives: Vec<f64>,
    /// What it reported before it was done, in order.
    pub reports: Vec<f64>,
}

/// The trials of a search, in order.
#[derive(Clone, Debug, Default)]
pub struct Trials {
    /// The objectives; none before the first trial that has them.
    pub goals: Vec<Goal>,
    /// Those that are done.
    pub done: Vec<Trial>,
    /// How many are not done.
    pub open: u64,
}

impl Trials {
    /// Reads those of a run; there are none of a run without a search.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn read(db: &Db) -> Result<Self, StoreError> {
        let mut trials = Self::default();
        db.each_trial(|record| {
            trials.add(record);
            Ok(())
        })?;
        let mut ids: BTreeMap<u64, &mut String> =
            trials.done.iter_mut().map(|trial| (trial.item, &mut trial.id)).collect();
        if !ids.is_empty() {
            db.each_item(|row| {
                if let Some(id) = ids.get_mut(&row.index) {
                    **id = row.id;
                }
                Ok(())
            })?;
        }
        Ok(trials)
    }

    fn add(&mut self, TrialRecord { item, outcome, settled }: TrialRecord) {
        if !settled {
            self.open += 1;
            return;
        }
        let Outcome { objectives, values, reports, pruned, .. } = outcome;
        if self.goals.is_empty() {
            let goal = |objective: &jackfield_plugin_api::Objective| Goal {
                name: objective.name.clone(),
                minimize: objective.minimize,
            };
            self.goals = objectives.iter().map(goal).collect();
        }
        let value = |goal: &Goal| {
            let found = objectives.iter().find(|objective| objective.name == goal.name);
            found.map(|objective| objective.value).filter(|value| value.is_finite())
        };
        let known: Vec<f64> = self.goals.iter().filter_map(value).collect();
        let state = match (pruned, known.len() == self.goals.len() && !known.is_empty()) {
            (true, _) => TrialState::Pruned,
            (false, true) => TrialState::Complete,
            (false, false) => TrialState::Failed,
        };
        let objectives = if state == TrialState::Complete { known } else { Vec::new() };
        self.done.push(Trial { item, id: String::new(), state, values, objectives, reports });
    }

    /// How many trials ended in this state.
    pub fn count(&self, state: TrialState) -> u64 {
        self.done.iter().filter(|trial| trial.state == state).count() as u64
    }

    /// The trials that have all their objectives.
    pub fn complete(&self) -> impl Iterator<Item = &Trial> + Clone {
        self.done.iter().filter(|trial| trial.state == TrialState::Complete)
    }

    /// The complete trials on the Pareto front, which no other dominates: the best by the first objective first, then by the next.
    pub fn pareto_front(&self) -> Vec<&Trial> {
        let complete: Vec<&Trial> = self.complete().collect();
        let losses: Vec<Vec<f64>> = complete.iter().map(|trial| self.losses(trial)).collect();
        let with_front = complete.into_iter().zip(pareto_front(&losses));
        let mut front: Vec<&Trial> = with_front.filter(|(_, on_front)| *on_front).map(|(trial, _)| trial).collect();
        self.sort(&mut front);
        front
    }

    /// Sorts complete trials: the best by the first objective first, then by the next, then in their order.
    pub fn sort(&self, trials: &mut [&Trial]) {
        trials.sort_by(|a, b| {
            let (a_losses, b_losses) = (self.losses(a), self.losses(b));
            let by_loss = a_losses.iter().zip(&b_losses).map(|(a, b)| a.total_cmp(b));
            by_loss.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.item.cmp(&b.item))
        });
    }

    /// The objectives of a complete trial with their signs such that less is better.
    pub(crate) fn losses(&self, trial: &Trial) -> Vec<f64> {
        self.goals.iter().zip(&trial.objectives).map(|(goal, value)| loss(goal, *value)).collect()
    }

    /// A point that is a little worse than any complete trial in every objective: by a tenth of the distance from the best to
    /// the worst; where all are alike, by a tenth of the value, and by 0.1 where that is 0.
    pub fn reference(&self) -> Vec<f64> {
        let of_goal = |(index, goal): (usize, &Goal)| {
            let losses = || self.complete().map(|trial| loss(goal, trial.objectives[index]));
            let (best, worst) = (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
            let beyond = match (worst - best, worst.abs()) {
                (spread, _) if spread > 0.0 => spread * 0.1,
                (_, size) if size > 0.0 => size * 0.1,
                _ => 0.1,
            };
            loss(goal, worst + beyond)
        };
        self.goals.iter().enumerate().map(of_goal).collect()
    }

    /// The hypervolume of complete trials up to a reference point. None if there are too many trials of too many objectives to compute it.
    pub fn hypervolume<'a>(&self, trials: impl IntoIterator<Item = &'a Trial>, reference: &[f64]) -> Option<f64> {
        let points: Vec<Vec<f64>> = trials.into_iter().map(|trial| self.losses(trial)).collect();
        let reference: Vec<f64> = self.goals.iter().zip(reference).map(|(goal, value)| loss(goal, *value)).collect();
        hypervolume(&points, &reference)
    }

    /// The names of the values that differ among some trials, in the order of their names: only these say how the trials differ.
    pub fn differing(trials: &[&Trial]) -> Vec<String> {
        let names: std::collections::BTreeSet<&String> = trials.iter().flat_map(|trial| trial.values.keys()).collect();
        let differs = |name: &&&String| {
            let mut values = trials.iter().map(|trial| trial.values.get(**name));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        names.iter().filter(differs).map(|name| (**name).clone()).collect()
    }
}

/// A value of an objective, or its negative, such that less is better.
fn loss(goal: &Goal, value: f64) -> f64 {
    if goal.minimize { value } else { -value }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::Objective;
    use serde_json::json;

    use super::*;

    fn record(item: u64, x: f64, objectives: &[f64]) -> TrialRecord {
        let objective = |(index, value): (usize, &f64)| Objective {
            name: ["kl", "quality"][index].to_owned(),
            value: *value,
            minimize: index == 0,
        };
        let outcome = Outcome {
            trial: Some(item),
            values: [("a.x".to_owned(), json!(x)), ("a.y".to_owned(), json!(1))].into(),
            objectives: objectives.iter().enumerate().map(objective).collect(),
            ..Outcome::default()
        };
        TrialRecord { item, outcome, settled: true }
    }

    fn trials(records: Vec<TrialRecord>) -> Trials {
        let mut trials = Trials::default();
        records.into_iter().for_each(|record| trials.add(record));
        trials
    }

    #[test]
    fn trials_are_counted_by_how_they_ended_and_the_pareto_front_is_sorted() {
        let mut pruned = record(1, 0.0, &[]);
        pruned.outcome.pruned = true;
        let open = TrialRecord { settled: false, ..record(6, 0.0, &[]) };
        let trials = trials(vec![
            record(0, 0.5, &[]),
            pruned,
            record(2, 1.0, &[3.0, 0.9]),
            record(3, 2.0, &[1.0, 0.5]),
            record(4, 3.0, &[2.0, 0.5]),
            record(5, 4.0, &[f64::NAN, 0.5]),
            open,
        ]);
        let states = [TrialState::Complete, TrialState::Pruned, TrialState::Failed].map(|state| trials.count(state));
        assert_eq!((states, trials.open), ([3, 1, 2], 1));
        let front: Vec<u64> = trials.pareto_front().iter().map(|trial| trial.item).collect();
        assert_eq!(front, [3, 2]);
        assert_eq!(Trials::differing(&trials.pareto_front()), ["a.x"]);
        // Worst is 3 of 1 to 3, and 0.5 of 0.5 to 0.9, where more is better.
        let reference = trials.reference();
        assert!((reference[0] - 3.2).abs() < 1e-12 && (reference[1] - 0.46).abs() < 1e-12, "{reference:?}");
        let volume = trials.hypervolume(trials.pareto_front(), &reference).expect("of two objectives");
        assert!((volume - (0.2 * 0.44 + 2.0 * 0.04)).abs() < 1e-12, "{volume}");
    }

    #[test]
    fn a_reference_point_lies_beyond_trials_that_are_all_alike() {
        assert_eq!(trials(vec![record(0, 1.0, &[0.0, 2.0])]).reference(), [0.1, 1.8]);
        assert!(trials(vec![record(0, 1.0, &[])]).reference().is_empty());
    }
}
