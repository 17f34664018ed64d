//! What counts for one stage, model or cache: looked up once, cheap to use.

use std::{borrow::Cow, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

use super::{
    families::{CacheSeconds, Counters, Levels, Sums, Times},
    series::Series,
};

/// Outcomes of a stage's calls: the kinds of failure by their names, and what becomes of calls that are not made.
const STAGE_OUTCOMES: [&str; 13] = [
    "ok",
    "resumed",
    "memo",
    "skipped",
    "internal",
    "invalid-config",
    "invalid-input",
    "invalid-output",
    "unavailable",
    "rate-limited",
    "cancelled",
    "over-budget",
    "timed-out",
];

/// Outcomes of a model's calls.
const MODEL_OUTCOMES: [&str; 10] = [
    "ok",
    "unavailable",
    "rate-limited",
    "timed-out",
    "over-budget",
    "cancelled",
    "internal",
    "invalid-config",
    "invalid-input",
    "invalid-output",
];

/// Directions of tokens.
const DIRECTIONS: [&str; 2] = ["input", "output"];

/// Reasons to make a model's call again.
const RETRY_REASONS: [&str; 3] = ["rate-limited", "unavailable", "timed-out"];

/// Outcomes of a look-up in a cache.
const CACHE_OUTCOMES: [&str; 3] = ["hit", "miss", "error"];

/// Counts the calls of one stage.
#[derive(Debug)]
pub struct StageMetrics {
    calls: Series<2>,
    times: Histogram,
}

impl StageMetrics {
    pub(super) fn new(name: &str, calls: &Counters<2>, times: &Times) -> Self {
        let stage = ("stage", Cow::Owned(name.to_owned()));
        Self {
            calls: Series::new(calls, [stage.clone(), ("outcome", "".into())], &STAGE_OUTCOMES),
            times: times.get_or_create_owned(&[stage]),
        }
    }

    /// Counts a call that ended with `outcome` (`ok`, or the name of the kind of failure) after `took`.
    pub fn call(&self, outcome: &str, took: Duration) {
        self.calls.add(outcome, 1);
        self.times.observe(took.as_secs_f64());
    }

    /// Counts calls that were not made: `skipped`, `resumed`, `memo`.
    pub fn spared(&self, outcome: &str, count: u64) {
        self.calls.add(outcome, count);
    }
}

/// The families of metrics that models have.
pub(super) struct ModelFamilies {
    pub(super) calls: Counters<2>,
    pub(super) times: Times,
    pub(super) tokens: Counters<2>,
    pub(super) usd: Sums,
    pub(super) retries: Counters<2>,
    pub(super) concurrency: Levels,
}

/// Counts the calls of one model.
#[derive(Debug)]
pub struct ModelMetrics {
    calls: Series<2>,
    times: Histogram,
    tokens: Series<2>,
    usd: Counter<f64, AtomicU64>,
    retries: Series<2>,
    limit: Gauge,
    in_use: Gauge,
}

impl ModelMetrics {
    pub(super) fn new(name: &str, families: &ModelFamilies) -> Self {
        let ModelFamilies { calls, times, tokens, usd, retries, concurrency } = families;
        let model = ("model", Cow::Owned(name.to_owned()));
        let own_labels = [model.clone()];
        let labels = |last_label| [model.clone(), (last_label, Cow::Borrowed(""))];
        let level = |measure| concurrency.get_or_create_owned(&[model.clone(), ("of", Cow::Borrowed(measure))]);
        let tokens = Series::new(tokens, labels("direction"), &DIRECTIONS);
        tokens.add("output", 0);
        Self {
            calls: Series::new(calls, labels("outcome"), &MODEL_OUTCOMES),
            times: times.get_or_create_owned(&own_labels),
            tokens,
            usd: usd.get_or_create_owned(&own_labels),
            retries: Series::new(retries, labels("reason"), &RETRY_REASONS),
            limit: level("limit"),
            in_use: level("in-use"),
        }
    }

    /// Counts a call that ended with `outcome` (`ok`, or the name of the kind of failure) after `took`.
    pub fn call(&self, outcome: &str, took: Duration) {
        self.calls.add(outcome, 1);
        self.times.observe(took.as_secs_f64());
    }

    /// Counts tokens; `direction` is `input` or `output`.
    pub fn tokens(&self, direction: &str, count: u64) {
        self.tokens.add(direction, count);
    }

    /// Counts what a call cost. A negative cost, or one that is not a number, is ignored, since counters only grow.
    pub fn usd(&self, cost: f64) {
        if cost.is_finite() && cost > 0.0 {
            self.usd.inc_by(cost);
        }
    }

    /// Counts a call that is made again for `reason`, the name of a kind of failure.
    pub fn retry(&self, reason: &str) {
        self.retries.add(reason, 1);
    }

    /// Sets how many calls are in progress, and how many may be.
    pub fn concurrency(&self, in_use: usize, limit: usize) {
        self.in_use.set(i64::try_from(in_use).unwrap_or(i64::MAX));
        self.limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

/// Counts the look-ups in one tier of a cache.
#[derive(Debug)]
pub struct CacheMetrics {
    requests: Series<3>,
    get_seconds: Counter<f64, AtomicU64>,
    put_seconds: Counter<f64, AtomicU64>,
}

impl CacheMetrics {
    pub(super) fn new(name: &str, tier: &str, requests: &Counters<3>, seconds: &CacheSeconds) -> Self {
        let labels = [("cache", name.to_owned().into()), ("tier", tier.to_owned().into()), ("outcome", "".into())];
        let requests = Series::new(requests, labels, &CACHE_OUTCOMES);
        requests.add("miss", 0);
        let seconds_of = |operation: &'static str| {
            let names = [("cache", name.to_owned().into()), ("tier", tier.to_owned().into())];
            let [cache, tier] = names;
            seconds.get_or_create_owned(&[cache, tier, ("operation", operation.into())])
        };
        Self { requests, get_seconds: seconds_of("get"), put_seconds: seconds_of("put") }
    }

    /// Counts look-ups that ended with `outcome`: `hit`, `miss`, `error`.
    pub fn requests(&self, outcome: &str, count: u64) {
        self.requests.add(outcome, count);
    }

    /// Adds what look-ups and the keeping of values took, in seconds; less than nothing counts as nothing.
    pub fn took(&self, get: f64, put: f64) {
        self.get_seconds.inc_by(get.max(0.0));
        self.put_seconds.inc_by(put.max(0.0));
    }
}
