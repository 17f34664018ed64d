//! Everything that is counted.

use std::{
    cmp::Reverse,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use jackfield_plugin_api::{memory_bounds, memory_use};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    CacheMetrics, ModelMetrics, StageMetrics,
    handles::ModelFamilies,
    series::{Labels, Series},
};

/// Upper bounds of the times of a stage's calls, in seconds: native plugins take microseconds, models minutes.
const STAGE_BOUNDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0];

/// Upper bounds of the times of a model's calls, in seconds.
const MODEL_BOUNDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// States of an item.
const ITEM_STATES: [&str; 3] = ["ok", "partial", "failed"];

pub(super) type Counters<const N: usize> = Family<Labels<N>, Counter>;
pub(super) type Sums = Family<Labels<1>, Counter<f64, AtomicU64>>;
/// Seconds of what a tier of a cache does.
pub(super) type CacheSeconds = Family<Labels<3>, Counter<f64, AtomicU64>>;
pub(super) type Times = Family<Labels<1>, Histogram>;
pub(super) type Levels = Family<Labels<2>, Gauge>;

/// All that a process counts. A clone counts into the same metrics.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    items: Series<1>,
    in_flight: Gauge,
    stage_calls: Counters<2>,
    stage_times: Times,
    models: ModelFamilies,
    cache_requests: Counters<3>,
    cache_seconds: CacheSeconds,
    memory: Family<Labels<1>, Gauge>,
    memory_bounds: Levels,
}

impl Metrics {
    /// With everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("jackfield");
        let items = Counters::<1>::default();
        registry.register("items", "Items done, by how they ended", items.clone());
        let in_flight = Gauge::default();
        registry.register("items_in_flight", "Items begun and not yet done", in_flight.clone());
        let stage_calls = Counters::default();
        registry.register("stage_calls", "Calls of a stage, by outcome", stage_calls.clone());
        let stage_times: Times = Family::new_with_constructor(|| Histogram::new(STAGE_BOUNDS));
        registry.register("stage_seconds", "Time of a stage's calls", stage_times.clone());
        let model_calls = Counters::default();
        registry.register("model_calls", "Calls of a model, by outcome", model_calls.clone());
        let model_times: Times = Family::new_with_constructor(|| Histogram::new(MODEL_BOUNDS));
        registry.register("model_seconds", "Time of a model's calls", model_times.clone());
        let model_tokens = Counters::default();
        registry.register("model_tokens", "Tokens sent to and had from a model", model_tokens.clone());
        let model_usd = Sums::default();
        registry.register("model_usd", "Cost of a model's calls in US dollars", model_usd.clone());
        let model_retries = Counters::default();
        registry.register("model_retries", "Calls of a model made again, by reason", model_retries.clone());
        let model_concurrency = Levels::default();
        registry.register("model_concurrency", "Calls of a model at once, and their limit", model_concurrency.clone());
        let cache_requests = Counters::default();
        registry.register("cache_requests", "Look-ups in a cache's tier, by outcome", cache_requests.clone());
        let cache_seconds = CacheSeconds::default();
        registry.register("cache_seconds", "Time of a cache's tier, by what it did", cache_seconds.clone());
        let memory = Family::<Labels<1>, Gauge>::default();
        registry.register("memory_bytes", "Memory of the process, now and at the most", memory.clone());
        let memory_bounds = Levels::default();
        let about = "What bounds the memory of the process, and what is left of it";
        registry.register("memory_bound_bytes", about, memory_bounds.clone());
        Self(Arc::new(Inner {
            registry,
            items: Series::new(&items, [("state", "".into())], &ITEM_STATES),
            in_flight,
            stage_calls,
            stage_times,
            models: ModelFamilies {
                calls: model_calls,
                times: model_times,
                tokens: model_tokens,
                usd: model_usd,
                retries: model_retries,
                concurrency: model_concurrency,
            },
            cache_requests,
            cache_seconds,
            memory,
            memory_bounds,
        }))
    }

    /// Counts an item that ended in this state.
    pub fn item(&self, state: &str) {
        self.0.items.add(state, 1);
    }

    /// Sets how many items are begun and not yet done.
    pub fn items_in_flight(&self, count: u64) {
        self.0.in_flight.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Where the calls of the stage of this name are counted. Look it up once, not each call.
    #[must_use]
    pub fn stage(&self, name: &str) -> StageMetrics {
        StageMetrics::new(name, &self.0.stage_calls, &self.0.stage_times)
    }

    /// Where the calls of the model of this name are counted. Look it up once, not each call.
    #[must_use]
    pub fn model(&self, name: &str) -> ModelMetrics {
        ModelMetrics::new(name, &self.0.models)
    }

    /// Where the look-ups in this tier of the cache of this name are counted. Look it up once, not each call.
    #[must_use]
    pub fn cache(&self, name: &str, tier: &str) -> CacheMetrics {
        CacheMetrics::new(name, tier, &self.0.cache_requests, &self.0.cache_seconds)
    }

    /// Measures the memory of the process, where the system reports it. Of several bounds of a kind, such as control groups
    /// within each other, the one that leaves the least counts.
    pub(super) fn measure_memory(&self) {
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some(memory) = memory_use() {
            for (measure, taken) in [("resident", memory.now), ("peak", memory.peak)] {
                self.0.memory.get_or_create_owned(&[("of", measure.into())]).set(bytes(taken));
            }
        }
        let mut bounds = memory_bounds();
        bounds.sort_by_key(|bound| Reverse(bound.left()));
        for bound in bounds {
            for (measure, size) in [("limit", bound.limit), ("left", bound.left())] {
                let labels = [("bound", bound.kind.name().into()), ("of", measure.into())];
                self.0.memory_bounds.get_or_create_owned(&labels).set(bytes(size));
            }
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
