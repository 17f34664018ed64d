//! The search `tpe`, which compares the density of the best trials with that of the others.

use jackfield_plugin_api::{Outcome, SearchPolicy, SearchQuestion, Study, Values, prelude::*};

use crate::{
    examples::outcomes,
    history::History,
    mixture::Mixture,
    pruning::Pruning,
    space::{Axis, Space},
    split::{Split, split_trials},
};

/// Picks what is likely among the best trials and unlikely among the others: tree-structured Parzen estimators, multivariate, for
/// one objective or several.
///
/// The rule is that of Optuna 4.8.0 (`TPESampler` with `multivariate`). The best tenth of the trials, 25 at most, makes one
/// density and the others make a second one; of so many values that are drawn from the first, those are picked whose ratio of
/// the two is greatest. Of several objectives, trials go by the front that they are on, and of a front that does not fit as a
/// whole by how much they dominate (hypervolume); what a trial adds to that is also what it weighs. The mixtures are of
/// truncated normals, and of categories for choices.
///
/// Dimensions with the same condition are drawn together, from the trials that had values of them (as `group` does it there).
/// Trials that failed are left out. Stopped ones, of which there are some with one objective alone, come after all that
/// completed: those with more reports before others. Trials that are still running count for nothing, unless `constant_liar`.
#[derive(Clone, Debug, Config)]
pub struct Tpe {
    /// How many trials are drawn evenly first. Fewer are faster to get somewhere, and easier to mislead.
    #[config(default = 60)]
    pub startup: u32,
    /// How many values are drawn to pick from, 1 to 100,000: what a decision costs grows with it.
    #[config(default = 128)]
    #[schemars(range(min = 1, max = 100_000))]
    pub candidates: u32,
    /// Whether trials that are still running count among those that are not the best, so that others keep away from them: for
    /// many `in_flight`.
    #[config(default = false)]
    pub constant_liar: bool,
    /// When trials that report are stopped.
    #[config(default)]
    pub prune: Pruning,
}

/// The densities of the best trials and of the others, over some axes.
pub(crate) struct Estimate {
    /// Of the best trials.
    pub(crate) below: Mixture,
    /// Of the others.
    pub(crate) above: Mixture,
}

impl Estimate {
    /// The two mixtures over some axes of a space: of the trials that have a value on each of these axes, and of rows of trials
    /// that are still running.
    pub(crate) fn of(space: &Space, group: &[usize], history: &History, split: &Split, running: &[Vec<f64>]) -> Self {
        let axes: Vec<Axis> = group.iter().map(|&axis| space.axes[axis]).collect();
        let has_all_values = |row: &&[f64]| group.iter().all(|&axis| !row[axis].is_nan());
        let columns = |rows: &[&[f64]]| -> Vec<Vec<f64>> {
            group.iter().map(|&axis| rows.iter().map(|row| row[axis]).collect()).collect()
        };
        let best: Vec<(usize, &[f64])> = split
            .below
            .iter()
            .map(|&trial| history.row(trial))
            .enumerate()
            .filter(|(_, row)| has_all_values(row))
            .collect();
        let weights = match &split.weights {
            Some(weights) => best.iter().map(|(position, _)| weights[*position]).collect(),
            None => weights_by_age(best.len()),
        };
        let best: Vec<&[f64]> = best.into_iter().map(|(_, row)| row).collect();
        let others = split.above.iter().map(|&trial| history.row(trial)).chain(running.iter().map(Vec::as_slice));
        let others: Vec<&[f64]> = others.filter(has_all_values).collect();
        Self {
            below: Mixture::of(&axes, &columns(&best), &weights),
            above: Mixture::of(&axes, &columns(&others), &weights_by_age(others.len())),
        }
    }

    /// Index of the point, given by a column for each axis, with the greatest ratio of the density below to that above; the first of equal ones.
    pub(crate) fn pick(&self, columns: &[Vec<f64>]) -> usize {
        let (below, above) = (self.below.log_densities(columns), self.above.log_densities(columns));
        let mut best = (0, f64::NEG_INFINITY);
        for (point, (below, above)) in below.iter().zip(&above).enumerate() {
            if below - above > best.1 {
                best = (point, below - above);
            }
        }
        best.0
    }
}

/// The weights of trials by their age: all the same up to 25 of them; of more, the older ones less, down to one part in as
/// many as there are.
pub(crate) fn weights_by_age(trials: usize) -> Vec<f64> {
    const FULL_WEIGHT: usize = 25;
    let Some(old) = trials.checked_sub(FULL_WEIGHT) else { return vec![1.0; trials] };
    let least = 1.0 / trials as f64;
    let step = if old > 1 { (1.0 - least) / (old - 1) as f64 } else { 0.0 };
    let weight = |index: usize| if index < old { least + step * index as f64 } else { 1.0 };
    (0..trials).map(weight).collect()
}

impl SearchPolicy for Tpe {
    const NAME: &'static str = "tpe";
    const STABILITY: Stability = Stability::Beta;

    fn open(self) -> Result<Self> {
        if !(1..=100_000).contains(&self.candidates) {
            let found = format!("`candidates` is {}: it must be 1 to 100,000", self.candidates);
            return Err(Failure::InvalidConfig(found));
        }
        self.prune.check_settings()?;
        Ok(self)
    }

    fn check(&self, study: &Study) -> Result<()> {
        self.prune.check(study)
    }

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        let space = Space::of(study)?;
        let mut random = Random::new(question.seed);
        let history = History::of(&space, study, known);
        if history.trials.len() < (self.startup as usize).max(1) {
            return Ok(space.uniform(&mut random));
        }
        let split_trials = split_trials(&history.trials);
        let mut running = Vec::new();
        if self.constant_liar {
            for values in &question.pending {
                let mut row = vec![f64::NAN; space.axes.len()];
                space.row(values, &mut row);
                running.push(row);
            }
        }
        let mut values = Values::new();
        for group in space.groups() {
            if !space.axes[group[0]].applies(&values) {
                continue;
            }
            let (fixed_axes, open_axes): (Vec<usize>, Vec<usize>) =
                group.iter().partition(|&&axis| space.axes[axis].is_fixed());
            let mut insert_value = |axis: &Axis, number: f64| values.insert(axis.name.to_owned(), axis.value(number));
            for axis in fixed_axes.iter().map(|&axis| &space.axes[axis]) {
                insert_value(axis, axis.nearest(0.0));
            }
            if open_axes.is_empty() {
                continue;
            }
            let estimate = Estimate::of(&space, &open_axes, &history, &split_trials, &running);
            let axes: Vec<Axis> = open_axes.iter().map(|&axis| space.axes[axis]).collect();
            let mut columns = vec![Vec::with_capacity(self.candidates as usize); axes.len()];
            for _ in 0..self.candidates {
                let point = estimate.below.draw(&axes, &mut random);
                columns.iter_mut().zip(point).for_each(|(column, number)| column.push(number));
            }
            let best = estimate.pick(&columns);
            axes.iter().zip(&columns).for_each(|(axis, column)| {
                insert_value(axis, column[best]);
            });
        }
        Ok(values)
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        Ok(self.prune.should_stop(study, known, question))
    }

    fn examples() -> Vec<Example> {
        let known = [("global", 0.4), ("per layer", 0.1), ("global", 0.5), ("per layer", 0.2)];
        let learn = outcomes("ablation.scope", "kl.mean", &known.map(|(scope, found)| (json!(scope), found)));
        vec![Example {
            summary: "the trials with the directions per layer were better, so it is picked".to_owned(),
            config: json!({ "startup": 4, "candidates": 16 }),
            input: json!({
                "study": {
                    "space": [{ "name": "ablation.scope", "choices": ["global", "per layer"] }],
                    "goals": [{ "name": "kl.mean", "minimize": true }],
                },
                "learn": learn,
                "decide": [{ "trial": 4, "seed": 1 }, { "trial": 5, "seed": 2 }],
            }),
            output: json!({
                "append": learn,
                "decisions": [
                    { "values": { "ablation.scope": "per layer" }, "stop": false },
                    { "values": { "ablation.scope": "per layer" }, "stop": false },
                ],
            }),
        }]
    }
}
