//! The analyzer `summary`: what the values of all items add up to.

mod columns;
mod confusion;
mod figures;

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_statistics::Draws;

pub use columns::{Columns, Measured, Single};
pub use confusion::{ConfusionCount, ConfusionOf, LabelFigures, MeanFigures};
pub use figures::{Figures, MeanInterval, Method, PassRate, Quantiles};

/// How the interval of a mean is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Intervals {
    /// Wilson's for yes and no (and 0 and 1) of independent items, else by bootstrap.
    #[default]
    Auto,
    /// Wilson's, where values are yes and no of independent items; else by bootstrap all the same, with a warning.
    Wilson,
    /// By bootstrap: bias-corrected and accelerated, at a level that makes up for few items (Efron 1987, Hesterberg 2015). Of
    /// more than 5,000 independent items or clusters, Student's, from which it does not differ any more.
    Bootstrap,
    /// None at all.
    None,
}

/// What the values of all items add up to: mean, quantiles, pass rate and intervals, by groups too; a confusion matrix; pass@k
/// and pass^k. Read all items by wires that begin with `all`, such as `values = "all.grade.score"`.
///
/// An interval says how sure the mean is, given that the items are a sample of those that there could be. Items that belong
/// together, such as questions about one text, are no independent samples: name what they have in common by `clusters`. Where
/// an item has a list of values, they are tries of one item, which is a cluster.
#[derive(Clone, Debug, Config)]
pub struct Summary {
    /// How intervals are computed: `auto`, `wilson`, `bootstrap` or `none`.
    #[config(default)]
    pub interval: Intervals,
    /// How often an interval holds the truth.
    #[config(default = 0.95)]
    #[schemars(range(min = 0.5, max = 0.9999))]
    pub level: f64,
    /// Draws of the bootstrap. The seed is that of the run.
    #[config(default = 1_000)]
    #[schemars(range(min = 100, max = 100_000))]
    pub draws: u32,
    /// The least value that passes. By default 0.5, where all values are 0 to 1; otherwise nobody knows, and there is no pass
    /// rate. True passes and false does not, whatever it is.
    pub threshold: Option<f64>,
    /// Whether an item without a value counts as 0, which does not pass. By default it is left out, and only counted in
    /// `missing`.
    #[config(default = false)]
    pub count_missing: bool,
    /// For which k pass@k and pass^k are computed, where items have several tries.
    #[config(default)]
    #[schemars(inner(range(min = 1, max = 10_000)))]
    pub k: Vec<u32>,
}

/// What `summary` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct SummaryOf {
    /// Of all items.
    #[serde(flatten)]
    pub all: Figures,
    /// The same of each group, by its name. Items without a group are in none.
    pub groups: BTreeMap<String, Figures>,
    /// What was predicted against what was expected; null without these columns.
    pub confusion: Option<ConfusionOf>,
}

/// The most groups that there may be.
const MOST_GROUPS: usize = 10_000;

impl Analyzer for Summary {
    const NAME: &'static str = "summary";
    type Input = Columns;
    type Output = SummaryOf;

    fn open(self) -> Result<Self> {
        let invalid = |message: String| Err(Failure::InvalidConfig(message));
        if !(0.5..=0.9999).contains(&self.level) {
            return invalid(format!("`level` is {}: it must be 0.5 to 0.9999", self.level));
        }
        if !(100..=100_000).contains(&self.draws) {
            return invalid(format!("`draws` is {}: it must be 100 to 100000", self.draws));
        }
        if self.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return invalid("`threshold` is not a number".to_owned());
        }
        if let Some(k) = self.k.iter().find(|k| !(1..=10_000).contains(*k)) {
            return invalid(format!("`k` has {k}: it must be 1 to 10000"));
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        let figures = |count: u32, passed: u32, mean: f64, stddev: Option<f64>, ends: [f64; 2]| {
            let [low, high] = ends;
            let interval = json!({ "low": low, "high": high, "level": 0.95, "method": "wilson" });
            let quantile = f64::from(u8::from(mean > 0.0));
            json!({
                "count": count, "missing": 0, "mean": mean, "stddev": stddev, "min": quantile, "max": quantile,
                "quantiles": { "p05": quantile, "p25": quantile, "p50": quantile, "p75": quantile, "p95": quantile },
                "interval": interval,
                "pass_rate": { "passed": passed, "count": count, "rate": mean, "interval": interval },
                "pass_at_k": {}, "pass_hat_k": {},
            })
        };
        let mut output = figures(2, 2, 1.0, Some(0.0), [0.342_380_227_506_653_15, 1.0]);
        output["missing"] = json!(1);
        output["groups"] = json!({ "travel": figures(2, 2, 1.0, Some(0.0), [0.342_380_227_506_653_15, 1.0]) });
        output["confusion"] = Value::Null;
        vec![Example {
            summary: "two items that passed, and one without a value and a group".to_owned(),
            config: json!({}),
            input: json!({ "values": [true, true, null], "groups": ["travel", "travel", null] }),
            output,
        }]
    }

    async fn analyze(&self, input: Columns, host: &Host<'_>) -> Result<SummaryOf> {
        let confusion = confusion::confusion_of(&input)?;
        let tries = columns::Tries::of(&input, self.count_missing)?;
        if self.interval == Intervals::Wilson && !tries.are_independent_truths() {
            host.log(
                Level::Warn,
                "`interval` is `wilson`, which is for yes and no of independent items: there is a bootstrap interval instead",
            );
        }
        let draws = Draws { count: self.draws, level: self.level, seed: host.context().seed };
        let groups = match &input.groups {
            Some(groups) => by_group(groups)?,
            None => BTreeMap::new(),
        };
        let figures = |items: &mut dyn Iterator<Item = u32>| tries.figures(self, items, &draws);
        let groups = groups.into_iter().map(|(name, items)| (name, figures(&mut items.into_iter()))).collect();
        Ok(SummaryOf { all: figures(&mut (0..tries.items())), groups, confusion })
    }
}

/// The items of each group.
fn by_group(groups: &[Option<crate::plain::Plain>]) -> Result<BTreeMap<String, Vec<u32>>> {
    let mut items: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (item, group) in groups.iter().enumerate() {
        if let Some(group) = group {
            items.entry(group.to_text()).or_default().push(item as u32);
        }
        if items.len() > MOST_GROUPS {
            return Err(Failure::InvalidInput(format!(
                "`groups` has more than {MOST_GROUPS} different values: group by something that items have in common"
            )));
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
