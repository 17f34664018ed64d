//! What is known of a study, as numbers.

use jackfield_plugin_api::{Outcome, Study};

use crate::space::Space;

/// The trials that count: those that completed, and with them those that were stopped, where there is one objective.
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

/// What is known of a trial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trial {
    /// It completed, with these losses: objectives in the order of the study, where less is better in each.
    Completed(Vec<f64>),
    /// It was stopped after so many reports, the last of which was this loss.
    Stopped(usize, f64),
}

impl History {
    pub(crate) fn of(space: &Space, study: &Study, known: &[Outcome]) -> Self {
        let width = space.axes.len();
        let rows = Vec::with_capacity(width * known.len());
        let mut history = Self { width, rows, trials: Vec::new(), numbers: Vec::new() };
        for (at, outcome) in known.iter().enumerate() {
            let Some(trial) = trial(study, outcome) else { continue };
            history.trials.push(trial);
            history.numbers.push(outcome.trial.unwrap_or(at as u64));
            let filled = history.rows.len();
            history.rows.resize(filled + width, f64::NAN);
            space.row(&outcome.values, &mut history.rows[filled..]);
        }
        history
    }

    /// The numbers of a trial's values; not a number where it has none.
    pub(crate) fn row(&self, trial: usize) -> &[f64] {
        &self.rows[trial * self.width..][..self.width]
    }
}

/// None for a trial that does not count.
pub(crate) fn trial(study: &Study, outcome: &Outcome) -> Option<Trial> {
    let sign = |minimize: bool| if minimize { 1.0 } else { -1.0 };
    if outcome.pruned {
        let [goal] = study.goals.as_slice() else { return None };
        let last = outcome.reports.last().map_or(f64::INFINITY, |last| sign(goal.minimize) * last);
        return Some(Trial::Stopped(outcome.reports.len(), if last.is_nan() { f64::INFINITY } else { last }));
    }
    let loss = |goal: &jackfield_plugin_api::Goal| {
        let objective = outcome.objectives.iter().find(|objective| objective.name == goal.name)?;
        Some(sign(goal.minimize) * objective.value).filter(|loss| loss.is_finite())
    };
    study.goals.iter().map(loss).collect::<Option<Vec<f64>>>().map(Trial::Completed)
}
