//! Times, failures, tokens and costs of two runs, side by side; only what was measured in both is judged.
//!
//! An answer from a cache takes no time and costs nothing. So a time says something of a run only where calls were made: a stage's
//! times are those of its calls without any answer from a cache, and are compared where that is at least half of its calls in both
//! runs. What was paid, and how often a model was called, is compared where the caches answered equally often in both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jackfield_loader::escape_untrusted;
use jackfield_store::{CallEnd, Db, RunJson, StoreError, Summary};

use crate::table::counted;

/// Times below this many milliseconds are noise.
const NOISE_MS: f64 = 1.0;

/// Whole runs differ by this many milliseconds for no reason.
const NOISE_WALL_MS: f64 = 50.0;

/// The limits beyond which a number is a regression, in percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    /// Of times and failures.
    pub(super) usual: f64,
    /// Of what models cost: calls, tokens, US dollars.
    pub(super) cost: f64,
}

/// A number of both runs, as a row of the table.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) unit: &'static str,
    /// How much more, in percent, is a regression. None for numbers of which more is not worse, such as the count of items.
    threshold: Option<f64>,
    /// Differences below this are noise.
    noise: f64,
    /// Why the two are not compared, if they are not.
    pub(super) not_compared: Option<String>,
}

impl Row {
    /// The change in percent, or none if the number was 0 before.
    pub(super) fn change(&self) -> Option<f64> {
        (self.before != 0.0).then(|| (self.after - self.before) / self.before * 100.0)
    }

    /// Whether the number got worse by more than its threshold.
    pub(super) fn is_regression(&self) -> bool {
        let more = self.after - self.before;
        let is_beyond = |threshold| more > self.noise && self.change().is_none_or(|change| change > threshold);
        self.not_compared.is_none() && self.threshold.is_some_and(is_beyond)
    }

    /// Whether there is anything to show.
    pub(super) fn is_something(&self) -> bool {
        self.before != 0.0 || self.after != 0.0
    }
}

/// The times of a stage's calls.
#[derive(Clone, Debug, Default)]
struct StageTimes {
    /// Calls that ended well or not.
    calls: u64,
    /// Times of those whose answer came from no cache, in microseconds, sorted.
    measured: Vec<u32>,
}

impl StageTimes {
    /// A quantile, in milliseconds.
    fn quantile(&self, share: f64) -> f64 {
        let Some(last) = self.measured.len().checked_sub(1) else { return 0.0 };
        f64::from(self.measured[(last as f64 * share).round() as usize]) / 1000.0
    }

    /// Why these times say nothing about the calls, if so.
    fn doubt(&self) -> Option<String> {
        let cached = self.calls - self.measured.len() as u64;
        let is_enough = 2 * self.measured.len() as u64 >= self.calls;
        (!is_enough).then(|| format!("{cached} of {} came from a cache", counted(self.calls, "answer")))
    }
}

/// A run that is compared.
pub(super) struct MeasuredRun<'a> {
    summary: &'a Summary,
    stages: BTreeMap<String, StageTimes>,
}

impl<'a> MeasuredRun<'a> {
    /// Reads the times of a run.
    pub(super) fn read(run: &RunJson, summary: &'a Summary, db: &Db) -> Result<Self, StoreError> {
        // Which stages had an answer from a model's cache, for which items.
        let mut ids: HashSet<(u32, String)> = HashSet::new();
        db.each_completion_with_item(|item, row| {
            if row.source != "call" && !row.failed {
                ids.insert((row.stage, item));
            }
        })?;
        let mut cached: HashSet<(u32, i64)> = HashSet::new();
        if !ids.is_empty() {
            let stages: BTreeSet<u32> = ids.iter().map(|(stage, _)| *stage).collect();
            db.each_item(|item| {
                for stage in &stages {
                    if ids.contains(&(*stage, item.id.clone())) {
                        cached.insert((*stage, item.index as i64));
                    }
                }
                Ok(())
            })?;
        }
        let mut stages: BTreeMap<u32, StageTimes> = BTreeMap::new();
        db.each_call(|call| {
            if matches!(call.end, CallEnd::Skipped | CallEnd::Off) {
                return;
            }
            let times = stages.entry(call.stage).or_default();
            times.calls += 1;
            if call.memo_hit != Some(true) && !cached.contains(&(call.stage, call.item)) {
                times.measured.push(u32::try_from(call.took_us).unwrap_or(u32::MAX));
            }
        })?;
        stages.values_mut().for_each(|times| times.measured.sort_unstable());
        let name = |(index, times): (u32, StageTimes)| Some((run.plan.stages.get(index as usize)?.name.clone(), times));
        Ok(Self { summary, stages: stages.into_iter().filter_map(name).collect() })
    }

    /// Answers that came from a cache, and all of them: of models and of stages.
    fn cached(&self) -> (u64, u64) {
        let models = self.summary.models.values().map(|model| (model.cached, model.cached + model.calls));
        let stages = self.summary.stages.values().filter(|stage| stage.memo_hits > 0);
        let stages = stages.map(|stage| (stage.memo_hits, stage.memo_hits + stage.calls));
        models.chain(stages).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    }
}

/// Why two runs are not compared in something that caches change: unless they answered equally often.
fn unlike(before: (u64, u64), after: (u64, u64)) -> Option<String> {
    if before.0 == after.0 {
        return None;
    }
    let of =
        |(cached, all): (u64, u64), when| format!("{cached} of {} {when} came from a cache", counted(all, "answer"));
    Some(match (before.0, after.0) {
        (0, _) => of(after, "after"),
        (_, 0) => of(before, "before"),
        _ => format!("{}, {}", of(before, "before"), of(after, "after")),
    })
}

/// The numbers of two runs.
pub(super) fn rows(before: &MeasuredRun<'_>, after: &MeasuredRun<'_>, thresholds: Thresholds) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |what: String, numbers: [f64; 2], unit, threshold, noise, not_compared| {
        let [before, after] = numbers;
        rows.push(Row { what, before, after, unit, threshold, noise, not_compared });
    };
    let (usual, cost) = (Some(thresholds.usual), Some(thresholds.cost));
    let both = [before, after];
    let of = |number: &dyn Fn(&Summary) -> f64| both.map(|run| number(run.summary));
    add(
        "wall time".to_owned(),
        of(&|run| run.wall_ms),
        "ms",
        usual,
        NOISE_WALL_MS,
        unlike(before.cached(), after.cached()),
    );
    add("items".to_owned(), of(&|run| run.items.total as f64), "", None, 0.0, None);
    let flawed = of(&|run| (run.items.partial + run.items.failed) as f64);
    add("items partial or failed".to_owned(), flawed, "", usual, 0.0, None);
    let stages: BTreeSet<&String> = both.iter().flat_map(|run| run.summary.stages.keys()).collect();
    for stage in stages {
        let failed = of(&|run| run.stages.get(stage).map_or(0.0, |stats| stats.failed as f64));
        let name = escape_untrusted(stage);
        add(format!("{name}: failed"), failed, "", usual, 0.0, None);
        let times = both.map(|run| run.stages.get(stage).cloned().unwrap_or_default());
        let doubt = match times.each_ref().map(StageTimes::doubt) {
            [Some(before), Some(after)] => Some(format!("before, {before}; after, {after}")),
            [Some(before), None] => Some(format!("before, {before}")),
            [None, Some(after)] => Some(format!("after, {after}")),
            [None, None] => None,
        };
        for (label, share) in [("p50", 0.5), ("p95", 0.95)] {
            let quantiles = times.each_ref().map(|times| times.quantile(share));
            add(format!("{name}: {label}"), quantiles, "ms", usual, NOISE_MS, doubt.clone());
        }
    }
    let models: BTreeSet<&String> = both.iter().flat_map(|run| run.summary.models.keys()).collect();
    for model in models {
        let counts = both.map(|run| run.summary.models.get(model).cloned().unwrap_or_default());
        let [cached_before, cached_after] = counts.each_ref().map(|count| (count.cached, count.cached + count.calls));
        let not_compared = unlike(cached_before, cached_after);
        let name = escape_untrusted(model);
        let paid = [
            ("calls", counts.each_ref().map(|count| count.calls as f64), ""),
            ("tokens", counts.each_ref().map(|count| count.tokens_in.saturating_add(count.tokens_out) as f64), ""),
            ("cost", counts.each_ref().map(|count| count.usd), "USD"),
        ];
        for (label, numbers, unit) in paid {
            add(format!("{name}: {label}"), numbers, unit, cost, 0.0, not_compared.clone());
        }
        add(format!("{name}: failed"), counts.each_ref().map(|count| count.failed as f64), "", usual, 0.0, None);
    }
    rows
}
