//! The outcomes of a study's trials, as numbers.

use jackfield_plugin_api::{Goal, Outcome, Study};

use crate::space::Space;

/// The trials that a search learns from: those that completed, and, where there is one objective, those that were stopped.
pub(crate) struct History {
    /// How many axes there are.
    width: usize,
    /// A row of the space for each trial.
    rows: Vec<f64>,
    /// In the order of their numbers.
    pub(crate) trials: Vec<Trial>,
    /// Their numbers.
    pub(crate) numbers: Vec<u64>,
}

/// The outcome of a trial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trial {
    /// It completed, with these losses: objectives in the order of the study, where less is better in each.
    Completed(Vec<f64>),
    /// It was stopped after so many reports, the last of which was this loss.
    Stopped(usize, f64),
}

impl Trial {
    /// The losses of a trial that is known to have completed.
    pub(crate) fn completed_losses(&self) -> &[f64] {
        match self {
            Self::Completed(losses) => losses,
            Self::Stopped(..) => unreachable!("a trial that was stopped is not compared by its losses"),
        }
    }
}

impl History {
    pub(crate) fn of(space: &Space, study: &Study, known: &[Outcome]) -> Self {
        let width = space.axes.len();
        let rows = Vec::with_capacity(width * known.len());
        let mut history = Self { width, rows, trials: Vec::new(), numbers: Vec::new() };
        for (index, outcome) in known.iter().enumerate() {
            let Some(trial) = trial_from(study, outcome) else { continue };
            history.trials.push(trial);
            history.numbers.push(outcome.trial.unwrap_or(index as u64));
            let start = history.rows.len();
            history.rows.resize(start + width, f64::NAN);
            space.row(&outcome.values, &mut history.rows[start..]);
        }
        history
    }

    /// The numbers of a trial's values; not a number where it has none.
    pub(crate) fn row(&self, trial: usize) -> &[f64] {
        &self.rows[trial * self.width..][..self.width]
    }
}

/// The outcome as a trial; none for one that a search does not learn from.
pub(crate) fn trial_from(study: &Study, outcome: &Outcome) -> Option<Trial> {
    if outcome.pruned {
        let [goal] = study.goals.as_slice() else { return None };
        let last = outcome.reports.last().map_or(f64::INFINITY, |last| loss_sign(goal) * last);
        return Some(Trial::Stopped(outcome.reports.len(), if last.is_nan() { f64::INFINITY } else { last }));
    }
    let loss = |goal: &Goal| {
        let objective = outcome.objectives.iter().find(|objective| objective.name == goal.name)?;
        Some(loss_sign(goal) * objective.value).filter(|loss| loss.is_finite())
    };
    study.goals.iter().map(loss).collect::<Option<Vec<f64>>>().map(Trial::Completed)
}

/// The factor that makes less of an objective better.
fn loss_sign(goal: &Goal) -> f64 {
    if goal.minimize { 1.0 } else { -1.0 }
}
