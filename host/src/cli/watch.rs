//! A run, watched by machines: spans for an OpenTelemetry collector, metrics for Prometheus.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    engine::{Event, ItemState, Observer},
    pipeline::Plan,
    service::{AnswerSource, CallNote, Services},
    telemetry::{
        metrics::{CacheMetrics, Endpoint, Metrics, ModelMetrics, StageMetrics},
        spans::{AttributeValue, Span, SpanIds, SpanKind, Spans, names},
        terminal,
    },
};

/// The least time between two writings of the metrics file, and between two looks at gauges.
const EVERY: Duration = Duration::from_secs(5);
/// How long the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct WatchArgs {
    /// Serve metrics in Prometheus' form on this address while the run lasts: `127.0.0.1:9464`.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    /// Write metrics in Prometheus' form to this file, every few seconds and at the end.
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
}

/// Reports a run to whoever asked for it.
pub(super) struct Watch<'a> {
    metrics: Option<Meters<'a>>,
    trace: Option<Trace<'a>>,
}

impl<'a> Watch<'a> {
    /// Sets up what the command line and the environment ask for.
    ///
    /// # Errors
    /// What is wrong with it, as a message.
    pub(super) fn new(args: &WatchArgs, run: &str, plan: &'a Plan, services: &'a Services) -> Result<Self, String> {
        let metrics = (args.metrics.is_some() || args.metrics_file.is_some()).then(Metrics::new);
        let endpoint = match (args.metrics, &metrics) {
            (Some(address), Some(metrics)) => {
                let endpoint =
                    metrics.serve(address).map_err(|error| format!("cannot serve metrics on {address}: {error}"))?;
                terminal().say(format!("metrics on http://{}/metrics", endpoint.addr()));
                Some(endpoint)
            }
            _ => None,
        };
        let metrics = metrics.map(|metrics| Meters::new(metrics, endpoint, args.metrics_file.clone(), plan, services));
        let spans = Spans::from_env(run).map_err(|error| error.to_string())?;
        let trace = spans.map(|spans| Trace::new(spans, plan));
        Ok(Self { metrics, trace })
    }

    /// The run is over.
    pub(super) fn finish(mut self, state: &'static str) {
        if let Some(meters) = &mut self.metrics {
            meters.look();
            meters.write();
        }
        if let Some(trace) = self.trace {
            trace.finish(state);
        }
    }
}

impl Observer for Watch<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if let Some(meters) = &mut self.metrics {
            meters.on(event);
        }
        if let Some(trace) = &mut self.trace {
            trace.on(event);
        }
    }
}

/// Two observers of one run.
pub(super) struct Both<'a>(pub(super) &'a mut dyn Observer, pub(super) &'a mut dyn Observer);

impl Observer for Both<'_> {
    fn on(&mut self, event: &Event<'_>) {
        self.0.on(event);
        self.1.on(event);
    }
}

/// The metrics of a run.
struct Meters<'a> {
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
    fn new(
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

    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Called { stage, from_memo: true, .. } => self.stages[*stage].spared("memo", 1),
            Event::Called { stage, took, failure, .. } => {
                self.stages[*stage].call(failure.map_or("ok", |failure| failure.kind().name()), *took);
            }
            Event::Completion { note, .. } => self.completion(note),
            Event::ItemDone { state, in_work, .. } => {
                self.metrics.item(state.name());
                self.metrics.items_in_flight(*in_work as u64);
            }
            _ => {}
        }
        if self.looked.elapsed() >= EVERY {
            self.look();
            self.write();
        }
    }

    fn completion(&self, note: &CallNote) {
        let Some(model) = self.models.get(&*note.model) else { return };
        let outcome = match (note.failure, &note.source) {
            (Some(kind), _) => kind.name(),
            (None, AnswerSource::Call) => "ok",
            (None, AnswerSource::Cache(_)) => "cached",
            (None, AnswerSource::Shared) => "shared",
        };
        model.call(outcome, note.took);
        model.tokens("input", note.usage.input);
        model.tokens("output", note.usage.output);
        model.usd(note.usd);
        for _ in 1..note.tries {
            model.retry(note.failure.map_or("healed", |kind| kind.name()));
        }
    }

    /// Looks at what is not told by events.
    fn look(&mut self) {
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

    fn write(&mut self) {
        if let Some(file) = &self.file
            && let Err(error) = self.metrics.write_textfile(file)
        {
            tracing::warn!("metrics cannot be written to `{}`: {error}", file.display());
            self.file = None;
        }
    }
}

/// The spans of a run.
struct Trace<'a> {
    spans: Spans,
    ids: SpanIds,
    plan: &'a Plan,
    run: u64,
    began: SystemTime,
    clock: Instant,
    /// Ids of the items in work.
    items: HashMap<Arc<str>, u64>,
    /// Completions whose stage's call is not answered yet.
    waiting: Vec<(usize, Span, Arc<str>)>,
    stages: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    item_name: Arc<str>,
}

impl<'a> Trace<'a> {
    fn new(spans: Spans, plan: &'a Plan) -> Self {
        let ids = SpanIds::new();
        let run = ids.fresh();
        let stages = plan.stages.iter().map(|stage| {
            let name: Arc<str> = stage.name.as_str().into();
            (format!("stage {name}").into(), name, stage.extension.name.as_str().into())
        });
        Self {
            spans,
            run,
            ids,
            began: SystemTime::now(),
            clock: Instant::now(),
            items: HashMap::new(),
            waiting: Vec::new(),
            stages: stages.collect(),
            item_name: "item".into(),
            plan,
        }
    }

    /// The time of day at a moment of this run.
    fn at(&self, then: Instant) -> SystemTime {
        match then.checked_duration_since(self.clock) {
            Some(after) => self.began + after,
            None => self.began - self.clock.duration_since(then),
        }
    }

    fn item(&mut self, id: &str) -> u64 {
        if id.is_empty() {
            return self.run;
        }
        match self.items.get(id) {
            Some(span) => *span,
            None => {
                let span = self.ids.fresh();
                self.items.insert(id.into(), span);
                span
            }
        }
    }

    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Called { stage, item, began, took, attempts, from_memo, failure } => {
                let parent = self.item(item);
                let id = self.ids.fresh();
                let (span_name, name, extension) = self.stages[*stage].clone();
                let outcome = failure.map_or("ok", |failure| failure.kind().name());
                let mut attributes: Vec<(&'static str, AttributeValue)> = vec![
                    (names::STAGE, name.into()),
                    (names::EXTENSION, extension.into()),
                    (names::OUTCOME, outcome.into()),
                    (names::ATTEMPTS, i64::from(*attempts).into()),
                ];
                if !item.is_empty() {
                    attributes.push((names::ITEM, Arc::<str>::from(*item).into()));
                }
                if *from_memo {
                    attributes.push((names::CACHE, "hit".into()));
                }
                self.spans.record(Span {
                    id,
                    parent: Some(parent),
                    name: span_name,
                    kind: SpanKind::Stage,
                    start: self.at(*began),
                    took: *took,
                    attributes,
                    error: failure.map(ToString::to_string),
                });
                let mine = |(of, _, asked): &mut (usize, Span, Arc<str>)| of == stage && **asked == **item;
                for (_, mut span, _) in self.waiting.extract_if(.., mine) {
                    span.parent = Some(id);
                    self.spans.record(span);
                }
            }
            Event::Completion { stage, note } => {
                let span = self.completion(note);
                self.waiting.push((*stage, span, Arc::clone(&note.item)));
            }
            Event::ItemDone { item, state, taken: Some(taken), .. } => {
                let id = self.item(item);
                self.items.remove(&***item);
                self.spans.record(Span {
                    id,
                    parent: Some(self.run),
                    name: Arc::clone(&self.item_name),
                    kind: SpanKind::Item,
                    start: self.at(*taken),
                    took: taken.elapsed(),
                    attributes: vec![(names::ITEM, Arc::clone(item).into()), (names::OUTCOME, state.name().into())],
                    error: (*state == ItemState::Failed).then(|| "the item failed".to_owned()),
                });
            }
            _ => {}
        }
    }

    fn completion(&self, note: &CallNote) -> Span {
        let plan = self.plan.models.iter().find(|model| *model.name == *note.model);
        let provider: Arc<str> = plan.map_or("", |model| &model.extension.name).into();
        let asked: Arc<str> = plan.and_then(|model| model.config["name"].as_str()).unwrap_or(&provider).into();
        let outcome = note.failure.map_or("ok", |kind| kind.name());
        let found = if note.source == AnswerSource::Call { "miss" } else { "hit" };
        Span {
            id: self.ids.fresh(),
            parent: None,
            name: format!("chat {asked}").into(),
            kind: SpanKind::Model,
            start: self.at(note.began),
            took: note.took,
            attributes: vec![
                (names::MODEL, Arc::clone(&note.model).into()),
                (names::GEN_AI_OPERATION_NAME, "chat".into()),
                (names::GEN_AI_PROVIDER_NAME, provider.into()),
                (names::GEN_AI_REQUEST_MODEL, asked.into()),
                (names::GEN_AI_USAGE_INPUT_TOKENS, (note.usage.input as i64).into()),
                (names::GEN_AI_USAGE_OUTPUT_TOKENS, (note.usage.output as i64).into()),
                (names::USD, note.usd.into()),
                (names::ATTEMPTS, i64::from(note.tries).into()),
                (names::CACHE, found.into()),
                (names::OUTCOME, outcome.into()),
            ],
            error: note.failure.map(|kind| kind.name().to_owned()),
        }
    }

    fn finish(mut self, state: &'static str) {
        for (_, span, _) in std::mem::take(&mut self.waiting) {
            self.spans.record(Span { parent: Some(self.run), ..span });
        }
        self.spans.record(Span {
            id: self.run,
            parent: None,
            name: "run".into(),
            kind: SpanKind::Run,
            start: self.began,
            took: self.clock.elapsed(),
            attributes: vec![
                (names::PIPELINE, Arc::<str>::from(self.plan.name.as_str()).into()),
                (names::OUTCOME, state.into()),
            ],
            error: (state == "failed").then(|| "the run failed".to_owned()),
        });
        let counts = self.spans.finish(LAST_SPANS);
        if counts.lost + counts.dropped > 0 {
            tracing::warn!(
                "{} of {} spans did not reach the collector",
                counts.lost + counts.dropped,
                counts.lost + counts.dropped + counts.sent
            );
        }
    }
}
