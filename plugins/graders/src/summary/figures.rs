//! What some items add up to.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;
use jackfield_statistics::{
    Draws, Interval, bootstrap,
    describe::{mean, quantile, standard_deviation},
    proportion::wilson,
    repeats::{pass_at_k, pass_hat_k},
};
use rustc_hash::FxHashMap;

use super::{Intervals, Summary, columns::Tries};

/// What values add up to; null where there is no value, or too few.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct Figures {
    /// How many values there are: one for each item, or for each try of an item.
    pub count: u64,
    /// How many items, or tries, have none.
    pub missing: u64,
    /// The mean of the values.
    pub mean: Option<f64>,
    /// The standard deviation of the values, with n - 1 in the denominator.
    pub stddev: Option<f64>,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// Below which values 5, 25, 50, 75 and 95 % of them lie.
    pub quantiles: Option<Quantiles>,
    /// The interval of the mean.
    pub interval: Option<MeanInterval>,
    /// How many values passed.
    pub pass_rate: Option<PassRate>,
    /// By k: how likely at least one of k tries of an item passes (pass@k; Chen and others 2021), as the mean over items with k
    /// tries or more.
    pub pass_at_k: BTreeMap<String, f64>,
    /// By k: how likely all of k tries of an item pass (pass^k; Yao and others 2024), in the same way.
    pub pass_hat_k: BTreeMap<String, f64>,
}

/// Quantiles, by linear interpolation (type 7 of Hyndman and Fan 1996, as NumPy and R do).
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct Quantiles {
    /// 5 % are below it.
    pub p05: f64,
    /// 25 % are below it.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// 75 % are below it.
    pub p75: f64,
    /// 95 % are below it.
    pub p95: f64,
}

/// How an interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Wilson's (1927).
    Wilson,
    /// By bootstrap.
    Bootstrap,
    /// By bootstrap of whole clusters.
    ClusteredBootstrap,
    /// By Student's distribution, with the deviation of clusters where there are any: of more than 5,000.
    Student,
}

/// An interval of a mean or a rate.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct MeanInterval {
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// How often such an interval holds the truth.
    pub level: f64,
    /// How it was computed.
    pub method: Method,
}

/// How many values passed.
#[derive(Clone, Copy, Debug, PartialEq, Document)]
pub struct PassRate {
    /// How many passed.
    pub passed: u64,
    /// Of how many.
    pub count: u64,
    /// The share that passed.
    pub rate: f64,
    /// The interval of the rate.
    pub interval: Option<MeanInterval>,
}

/// Sums of clusters.
#[derive(Default)]
struct Clusters {
    numbers: FxHashMap<u32, usize>,
    sums: Vec<f64>,
    passed: Vec<f64>,
    sizes: Vec<u32>,
}

impl Clusters {
    fn add(&mut self, cluster: u32, value: f64, passed: bool) {
        let index = *self.numbers.entry(cluster).or_insert(self.sums.len());
        if index == self.sums.len() {
            self.sums.push(0.0);
            self.passed.push(0.0);
            self.sizes.push(0);
        }
        self.sums[index] += value;
        self.passed[index] += f64::from(u8::from(passed));
        self.sizes[index] += 1;
    }
}

impl Tries {
    /// What these items add up to.
    pub(super) fn figures(&self, config: &Summary, items: &mut dyn Iterator<Item = u32>, draws: &Draws) -> Figures {
        let threshold = config.threshold.filter(|_| self.have_numbers).or(self.are_shares.then_some(0.5));
        let mut present = Vec::new();
        let (mut missing, mut passed) = (0_u64, 0_u64);
        let mut clusters = (!self.are_independent).then(Clusters::default);
        let mut repeats = vec![(0.0, 0.0, 0_u64); config.k.len()];
        for item in items {
            let (mut tries, mut passed_tries) = (0_u32, 0_u32);
            for value in self.tries(item) {
                if value.is_nan() {
                    missing += 1;
                    continue;
                }
                let passes = threshold.is_some_and(|threshold| *value >= threshold);
                if let Some(clusters) = &mut clusters {
                    clusters.add(self.clusters[item as usize], *value, passes);
                }
                present.push(*value);
                (tries, passed_tries) = (tries + 1, passed_tries + u32::from(passes));
            }
            passed += u64::from(passed_tries);
            for (k, (at, hat, count)) in config.k.iter().zip(&mut repeats) {
                if let (Some(one), Some(all)) =
                    (pass_at_k(tries, passed_tries, *k), pass_hat_k(tries, passed_tries, *k))
                {
                    (*at, *hat, *count) = (*at + one, *hat + all, *count + 1);
                }
            }
        }
        let count = present.len() as u64;
        let sizes = clusters.as_ref().map(|clusters| &*clusters.sizes);
        let ones = present.iter().filter(|value| **value == 1.0).count() as u64;
        let truths = self.are_truths.then_some((ones, count));
        let mean_interval = {
            let sums = clusters.as_ref().map_or(&*present, |clusters| &clusters.sums);
            interval_of(config.interval, truths, sums, sizes, draws)
        };
        let pass_rate = threshold.filter(|_| count > 0).map(|threshold| {
            let rate = passed as f64 / count as f64;
            // Where what passed is what is 1, both are drawn from the same.
            if truths == Some((passed, count)) {
                return PassRate { passed, count, rate, interval: mean_interval };
            }
            let passed_alone: Vec<f64>;
            let sums = match &clusters {
                Some(clusters) => &*clusters.passed,
                None => {
                    passed_alone = present.iter().map(|value| f64::from(u8::from(*value >= threshold))).collect();
                    &passed_alone
                }
            };
            let interval = interval_of(config.interval, Some((passed, count)), sums, sizes, draws);
            PassRate { passed, count, rate, interval }
        });
        let by_k = |value: fn(&(f64, f64, u64)) -> f64| {
            let pairs = config.k.iter().zip(&repeats).filter(|(_, sums)| sums.2 > 0);
            pairs.map(|(k, sums)| (k.to_string(), value(sums) / sums.2 as f64)).collect()
        };
        let (average, stddev) = ((count > 0).then(|| mean(&present)), standard_deviation(&present));
        present.sort_unstable_by(f64::total_cmp);
        Figures {
            count,
            missing,
            mean: average,
            stddev,
            min: present.first().copied(),
            max: present.last().copied(),
            quantiles: (count > 0).then(|| {
                let [p05, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(&present, share));
                Quantiles { p05, p25, p50, p75, p95 }
            }),
            interval: mean_interval,
            pass_rate,
            pass_at_k: by_k(|sums| sums.0),
            pass_hat_k: by_k(|sums| sums.1),
        }
    }
}

/// The interval of a mean: of values, or of sums of clusters that have so many values each. `truths` is how many are 1, of how
/// many, if all are 0 or 1.
fn interval_of(
    intervals: Intervals,
    truths: Option<(u64, u64)>,
    sums: &[f64],
    sizes: Option<&[u32]>,
    draws: &Draws,
) -> Option<MeanInterval> {
    let redrawn = |method: Method| if sums.len() > bootstrap::MOST_REDRAWN { Method::Student } else { method };
    let (Interval { low, high }, method) = match (intervals, sizes, truths) {
        (Intervals::None, _, _) => return None,
        (_, Some(sizes), _) => {
            (bootstrap::clustered_mean_interval(sums, sizes, draws)?, redrawn(Method::ClusteredBootstrap))
        }
        (Intervals::Auto | Intervals::Wilson, None, Some((passed, count))) => {
            (wilson(passed, count, draws.level)?, Method::Wilson)
        }
        (_, None, _) => (bootstrap::mean_interval(sums, draws)?, redrawn(Method::Bootstrap)),
    };
    Some(MeanInterval { low, high, level: draws.level, method })
}
