//! The metrics of a run, for Prometheus.

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use jackfield_engine::Event;
use jackfield_pipeline::Plan;
use jackfield_services::Services;
use jackfield_store::{AnswerSource, CompletionRecord};
use jackfield_telemetry::metrics::{CacheMetrics, Endpoint, Metrics, ModelMetrics, StageMetrics};

/// The least time between two updates of the gauges and of the metrics file.
const UPDATE_EVERY: Duration = Duration::from_secs(5);

/// The metrics of a run.
pub(super) struct Meters<'a> {
    metrics: Metrics,
    /// Serves the metrics until it is dropped.
    _endpoint: Option<Endpoint>,
    file: Option<PathBuf>,
    stages: Vec<StageMetrics>,
    models: HashMap<&'a str, ModelMetrics>,
    /// The tiers of each cache, in the order of the plan.
    tiers: Vec<Vec<TierMeter>>,
    services: &'a Services,
    /// When the gauges were last updated.
    updated: Instant,
}

/// The metrics of a cache's tier. The tier reports totals and the metrics take additions, so the last totals are kept.
struct TierMeter {
    metrics: CacheMetrics,
    hits: u64,
    misses: u64,
    errors: u64,
    get_ms: f64,
    put_ms: f64,
}

impl<'a> Meters<'a> {
    pub(super) fn new(
        metrics: Metrics,
        endpoint: Option<Endpoint>,
        file: Option<PathBuf>,
        plan: &'a Plan,
        services: &'a Services,
    ) -> Self {
        let tiers = plan.caches.iter().map(|cache| {
            let tiers = cache.tiers.iter().map(|tier| TierMeter {
                metrics: metrics.cache(&cache.name, &tier.extension.name),
                hits: 0,
                misses: 0,
                errors: 0,
                get_ms: 0.0,
                put_ms: 0.0,
            });
            tiers.collect()
        });
        Self {
            stages: plan.stages.iter().map(|stage| metrics.stage(&stage.name)).collect(),
            models: plan.models.iter().map(|model| (model.name.as_str(), metrics.model(&model.name))).collect(),
            tiers: tiers.collect(),
            metrics,
            _endpoint: endpoint,
            file,
            services,
            updated: Instant::now(),
        }
    }

    pub(super) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Called { stage, from_memo: true, .. } => self.stages[*stage].spared("memo", 1),
            Event::Called { stage, took, failure, .. } => {
                self.stages[*stage].call(failure.map_or("ok", |failure| failure.kind().name()), *took);
            }
            Event::Completion { completion, .. } => self.completion(completion),
            Event::ItemDone { state, in_flight, .. } => {
                self.metrics.item(state.name());
                self.metrics.items_in_flight(*in_flight as u64);
            }
            _ => {}
        }
        if self.updated.elapsed() >= UPDATE_EVERY {
            self.update_gauges();
            self.write_file();
        }
    }

    fn completion(&self, completion: &CompletionRecord) {
        let Some(model) = self.models.get(&*completion.model) else { return };
        let outcome = match (completion.failure, &completion.source) {
            (Some(kind), _) => kind.name(),
            (None, AnswerSource::Call) => "ok",
            (None, AnswerSource::Cache(_)) => "cached",
            (None, AnswerSource::Shared) => "shared",
        };
        model.call(outcome, completion.took);
        model.tokens("input", completion.usage.input);
        model.tokens("output", completion.usage.output);
        model.usd(completion.usd);
        for _ in 1..completion.tries {
            model.retry(completion.failure.map_or("healed", |kind| kind.name()));
        }
    }

    /// Updates the metrics that no event reports: the concurrency of models, and the requests to caches.
    pub(super) fn update_gauges(&mut self) {
        self.updated = Instant::now();
        for model in &self.services.models {
            if let Some(meter) = self.models.get(model.name()) {
                let (limit, in_use) = model.concurrency();
                meter.concurrency(in_use, limit);
            }
        }
        for (cache, meters) in self.services.caches.iter().zip(&mut self.tiers) {
            for (count, meter) in cache.counts().into_iter().zip(meters) {
                meter.metrics.requests("hit", count.hits - meter.hits);
                meter.metrics.requests("miss", count.misses - meter.misses);
                meter.metrics.requests("error", count.errors - meter.errors);
                let (get_ms, put_ms) = (count.get.total_ms, count.put.total_ms);
                meter.metrics.took((get_ms - meter.get_ms) / 1000.0, (put_ms - meter.put_ms) / 1000.0);
                (meter.get_ms, meter.put_ms) = (get_ms, put_ms);
                (meter.hits, meter.misses, meter.errors) = (count.hits, count.misses, count.errors);
            }
        }
    }

    /// Writes the metrics file, if there is one. It is given up after the first error.
    pub(super) fn write_file(&mut self) {
        if let Some(file) = &self.file
            && let Err(error) = self.metrics.write_textfile(file)
        {
            tracing::warn!("metrics cannot be written to `{}`: {error}", file.display());
            self.file = None;
        }
    }
}
