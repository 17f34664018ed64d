//! Stops trials whose reports are worse than those of earlier trials.

use jackfield_plugin_api::{Failure, Outcome, Result, SearchQuestion, Study, prelude::*};

/// When a trial is stopped: where its last report is worse than the median of what the completed trials had reported by
/// then.
///
/// As the pruner by median of Optuna, but that the last report counts and not the best so far: reports may be different measures
/// of the same thing, such as a rate on a few prompts and then on all. It takes one objective, of which the reports are measures.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
#[serde(deny_unknown_fields)]
pub struct Pruning {
    /// How many trials complete before one is stopped.
    #[config(default = 5)]
    pub startup: u32,
    /// How many reports of a trial, from the first, are not compared with those of others.
    #[config(default = 0)]
    pub warmup: u32,
    /// Which percentile of the others' reports a trial has to reach, 0 to 100, counted from the best: less stops more. 50 is the
    /// median. Between two reports it is interpolated.
    #[config(default = 50.0)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub percentile: f64,
}

impl Default for Pruning {
    fn default() -> Self {
        Self { startup: 5, warmup: 0, percentile: 50.0 }
    }
}

impl Pruning {
    /// # Errors
    /// [`Failure::InvalidConfig`] for a percentile outside of 0 to 100.
    pub(crate) fn check_settings(&self) -> Result<()> {
        if (0.0..=100.0).contains(&self.percentile) {
            return Ok(());
        }
        let found = format!("`prune.percentile` is {}: it must be 0 to 100", self.percentile);
        Err(Failure::InvalidConfig(found))
    }

    /// # Errors
    /// [`Failure::InvalidConfig`] if trials report, and there are several objectives that the reports could be measures of.
    pub(crate) fn check(&self, study: &Study) -> Result<()> {
        if study.reports == 0 || study.goals.len() == 1 {
            return Ok(());
        }
        let names: Vec<_> = study.goals.iter().map(|goal| format!("`{}`", goal.name)).collect();
        Err(Failure::InvalidConfig(format!(
            "trials are stopped by what they report of one objective, and there are {}: {}; leave out `report`, or all \
             objectives but one",
            names.len(),
            names.join(", ")
        )))
    }

    /// Whether a trial with these reports is to be stopped.
    pub(crate) fn should_stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> bool {
        let ([goal], Some(last)) = (study.goals.as_slice(), question.reports.last()) else { return false };
        let report_index = question.reports.len() - 1;
        let completed = known.iter().filter(|outcome| !outcome.pruned && !outcome.objectives.is_empty());
        if report_index < self.warmup as usize || completed.clone().count() < (self.startup as usize).max(1) {
            return false;
        }
        if last.is_nan() {
            return true;
        }
        // Less is better.
        let sign = if goal.minimize { 1.0 } else { -1.0 };
        let mut others: Vec<f64> = completed
            .filter_map(|outcome| outcome.reports.get(report_index))
            .filter(|report| !report.is_nan())
            .map(|report| sign * report)
            .collect();
        others.sort_by(f64::total_cmp);
        percentile(&others, self.percentile).is_some_and(|bound| sign * last > bound)
    }
}

/// The percentile of numbers in order, interpolated between the two beside it; none of none.
fn percentile(sorted: &[f64], percentile: f64) -> Option<f64> {
    let position = (sorted.len().checked_sub(1)?) as f64 * percentile / 100.0;
    let (least, greatest) = (*sorted.get(position.floor() as usize)?, *sorted.get(position.ceil() as usize)?);
    let share = position.fract();
    // Each by its share: the difference of two finite numbers may be infinite.
    Some(if share == 0.0 { least } else { least * (1.0 - share) + greatest * share })
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_lie_between_numbers() {
        let numbers = [1.0, 2.0, 4.0, 8.0];
        let found = [0.0, 50.0, 75.0, 100.0].map(|share| percentile(&numbers, share));
        assert_eq!(found, [Some(1.0), Some(3.0), Some(5.0), Some(8.0)]);
        assert_eq!(percentile(&[], 50.0), None);
    }
}
