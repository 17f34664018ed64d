//! The spans of a run, for an OpenTelemetry collector.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use jackfield_engine::{Cancel, Event};
use jackfield_pipeline::Plan;
use jackfield_store::{AnswerSource, CompletionRecord, ItemState};
use jackfield_telemetry::spans::{AttributeValue, Span, SpanIds, SpanKind, Spans, names};

/// How long the collector may take to accept the last spans.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// The spans of a run.
pub(super) struct Trace<'a> {
    spans: Spans,
    ids: SpanIds,
    plan: &'a Plan,
    run: u64,
    began: SystemTime,
    clock: Instant,
    /// The spans of the items in flight, by the items' ids.
    items: HashMap<Arc<str>, u64>,
    /// Completions whose stage's call has not ended yet: its span becomes their parent.
    unparented: Vec<UnparentedCompletion>,
    stages: Vec<StageNames>,
    item_name: Arc<str>,
}

/// The span of a completion, and the stage and item whose call asked for it.
struct UnparentedCompletion {
    stage: usize,
    item: Arc<str>,
    span: Span,
}

/// The names of a stage in spans, made once.
#[derive(Clone)]
struct StageNames {
    span: Arc<str>,
    stage: Arc<str>,
    extension: Arc<str>,
}

impl<'a> Trace<'a> {
    pub(super) fn new(spans: Spans, plan: &'a Plan) -> Self {
        let ids = SpanIds::new();
        let run = ids.fresh();
        let stages = plan.stages.iter().map(|stage| {
            let name: Arc<str> = stage.name.as_str().into();
            StageNames {
                span: format!("stage {name}").into(),
                stage: name,
                extension: stage.extension.name.as_str().into(),
            }
        });
        Self {
            spans,
            run,
            ids,
            began: SystemTime::now(),
            clock: Instant::now(),
            items: HashMap::new(),
            unparented: Vec::new(),
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

    /// The span of an item, or that of the run for what belongs to no item.
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

    pub(super) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Called { stage, item, began, took, attempts, from_memo, failure } => {
                let parent = self.item(item);
                let id = self.ids.fresh();
                let StageNames { span, stage: name, extension } = self.stages[*stage].clone();
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
                    name: span,
                    kind: SpanKind::Stage,
                    start: self.at(*began),
                    took: *took,
                    attributes,
                    error: failure.map(ToString::to_string),
                });
                let belongs_to_call =
                    |completion: &mut UnparentedCompletion| completion.stage == *stage && *completion.item == **item;
                for completion in self.unparented.extract_if(.., belongs_to_call) {
                    self.spans.record(Span { parent: Some(id), ..completion.span });
                }
            }
            Event::Completion { stage, completion } => {
                let span = self.completion(completion);
                let item = Arc::clone(&completion.item);
                self.unparented.push(UnparentedCompletion { stage: *stage, item, span });
            }
            Event::ItemDone { item, state, admitted: Some(admitted), .. } => {
                let id = self.item(item);
                self.items.remove(&***item);
                self.spans.record(Span {
                    id,
                    parent: Some(self.run),
                    name: Arc::clone(&self.item_name),
                    kind: SpanKind::Item,
                    start: self.at(*admitted),
                    took: admitted.elapsed(),
                    attributes: vec![(names::ITEM, Arc::clone(item).into()), (names::OUTCOME, state.name().into())],
                    error: (*state == ItemState::Failed).then(|| "the item failed".to_owned()),
                });
            }
            _ => {}
        }
    }

    fn completion(&self, completion: &CompletionRecord) -> Span {
        let plan = self.plan.models.iter().find(|model| *model.name == *completion.model);
        let provider: Arc<str> = plan.map_or("", |model| &model.extension.name).into();
        let requested: Arc<str> = plan.and_then(|model| model.config["name"].as_str()).unwrap_or(&provider).into();
        let outcome = completion.failure.map_or("ok", |kind| kind.name());
        let cache = if completion.source == AnswerSource::Call { "miss" } else { "hit" };
        Span {
            id: self.ids.fresh(),
            parent: None,
            name: format!("chat {requested}").into(),
            kind: SpanKind::Model,
            start: self.at(completion.began),
            took: completion.took,
            attributes: vec![
                (names::MODEL, Arc::clone(&completion.model).into()),
                (names::GEN_AI_OPERATION_NAME, "chat".into()),
                (names::GEN_AI_PROVIDER_NAME, provider.into()),
                (names::GEN_AI_REQUEST_MODEL, requested.into()),
                (names::GEN_AI_USAGE_INPUT_TOKENS, (completion.usage.input as i64).into()),
                (names::GEN_AI_USAGE_OUTPUT_TOKENS, (completion.usage.output as i64).into()),
                (names::USD, completion.usd.into()),
                (names::ATTEMPTS, i64::from(completion.tries).into()),
                (names::CACHE, cache.into()),
                (names::OUTCOME, outcome.into()),
            ],
            error: completion.failure.map(|kind| kind.name().to_owned()),
        }
    }

    pub(super) fn finish(mut self, state: &'static str, cancel: &Cancel) {
        for completion in std::mem::take(&mut self.unparented) {
            self.spans.record(Span { parent: Some(self.run), ..completion.span });
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
        let counts = self.spans.finish_unless(LAST_SPANS, cancel.signal());
        if counts.lost + counts.dropped > 0 {
            tracing::warn!(
                "{} of {} spans did not reach the collector",
                counts.lost + counts.dropped,
                counts.lost + counts.dropped + counts.sent
            );
        }
    }
}
