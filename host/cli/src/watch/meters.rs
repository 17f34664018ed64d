//! Metrics of a run, for Prometheus.

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

/// The least time between two writings of the metrics file, and between two looks at gauges.
const EVERY: Duration = Duration::from_secs(5);
/// The metrics of a run.
pub(super) struct Meters<'a> {
    metrics: Metrics,
    /// Serves until it is dropped.
    _endpoint: Option<Endpoint>,
    file: Option<PathBuf>,
    stages: Vec<StageMetrics>,
    models: HashMap<&'a str, ModelMetrics>,
    /// Each tier's metrics and what was counted of it so far: hits, misses, errors.
    tiers: Vec<Vec<(CacheMetrics, [u64; 3])>>,
    services: &'a Services,
    looked: Instant,
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
            cache.tiers.iter().map(|tier| (metrics.cache(&cache.name, &tier.extension.name), [0; 3])).collect()
        });
        Self {
            stages: plan.stages.iter().map(|stage| metrics.stage(&stage.name)).collect(),
            models: plan.models.iter().map(|model| (model.name.as_str(), metrics.model(&model.name))).collect(),
            tiers: tiers.collect(),
            metrics,
            _endpoint: endpoint,
            file,
            services,
            looked: Instant::now(),
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
        if self.looked.elapsed() >= EVERY {
            self.look();
            self.write();
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

    /// Looks at what is not told by events.
    pub(super) fn look(&mut self) {
        self.looked = Instant::now();
        for model in &self.services.models {
            if let Some(meter) = self.models.get(model.name()) {
                let (limit, in_use) = model.concurrency();
                meter.concurrency(in_use, limit);
            }
        }
        for (cache, meters) in self.services.caches.iter().zip(&mut self.tiers) {
            for (count, (meter, before)) in cache.counts().into_iter().zip(meters) {
                let now = [count.hits, count.misses, count.errors];
                for (at, outcome) in ["hit", "miss", "error"].into_iter().enumerate() {
                    meter.requests(outcome, now[at] - before[at]);
                }
                *before = now;
            }
        }
    }

    pub(super) fn write(&mut self) {
        if let Some(file) = &self.file
            && let Err(error) = self.metrics.write_textfile(file)
        {
            tracing::warn!("metrics cannot be written to `{}`: {error}", file.display());
            self.file = None;
        }
    }
}
