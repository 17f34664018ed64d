//! A model as its pipeline names it: the outermost layer, which checks a request and counts what came of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_loader::sandbox::Grants;
use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{Ability, CompletionRequest, Context, Failure, Instance, Offers, Result, Usage, to_hex};
use jackfield_store::{AnswerSource, Blobs, CompletionRecord, HeldTensors, Ledger, ModelCount};

use super::{
    attempt::Attempt,
    cache_layer::{CacheLayer, CountedRequests},
    counters::Counters,
    current_run::CurrentRun,
    exhausted::{Exhausted, ExhaustedResource},
    extension::ModelExtension,
    in_progress::{Caller, CompletionInProgress, HeldCompletion},
    key::{self, Key},
    recording::Recording,
    request_check,
    retry::Retry,
    run_budget::RunBudget,
    structured_output::StructuredOutput,
};
use crate::{Cache, Forecaster, Http, secrets::KnownSecret};

/// A request's own replicates are counted below this; those of its stage above it.
const MOST_REPLICATES: u32 = 1 << 16;

/// What a model is made of, besides its plan.
pub struct ModelParts {
    /// The opened extension.
    pub instance: Arc<dyn Instance>,
    /// What the extension may do.
    pub grants: Arc<Grants>,
    /// What the extension offers.
    pub offers: Offers,
    /// The cache that keeps its answers, if one does.
    pub cache: Option<Arc<Cache>>,
    /// The servers that it talks to.
    pub http: Arc<Http>,
    /// The secrets that the host sends for it.
    pub(crate) secrets: Vec<Arc<KnownSecret>>,
}

/// A named model, and everything around its calls.
pub struct Model {
    name: Arc<str>,
    label: String,
    identity: Key,
    /// The next layer, which holds all further ones.
    cache_layer: CacheLayer,
    /// The layer of one try, which knows the budget and the limit on concurrent calls. The layers above it call it.
    attempt: Arc<Attempt>,
    /// The innermost layer.
    extension: Arc<ModelExtension>,
    current_run: Arc<CurrentRun>,
    counters: Arc<Counters>,
}

impl Model {
    /// A model of this plan. No model is called.
    ///
    /// # Errors
    /// If the file of its recording cannot be opened.
    pub fn new(plan: &ModelPlan, parts: ModelParts) -> std::io::Result<Self> {
        let recording = plan.record.as_deref().map(Recording::open).transpose()?;
        Ok(Self::with(plan, parts, recording, None))
    }

    /// A model that makes answers up in place of another, whose requests it counts. `plan` is its own; `forecast_of` that of the
    /// other.
    pub(crate) fn for_forecast(
        plan: &ModelPlan,
        parts: ModelParts,
        forecast_of: &ModelPlan,
        forecaster: &Arc<Forecaster>,
    ) -> Self {
        Self::with(plan, parts, None, Some((forecast_of, forecaster)))
    }

    fn with(
        plan: &ModelPlan,
        parts: ModelParts,
        recording: Option<Recording>,
        forecast: Option<(&ModelPlan, &Arc<Forecaster>)>,
    ) -> Self {
        let ModelParts { instance, grants, offers, cache, http, secrets } = parts;
        let stands_for = forecast.map_or(plan, |(forecast_of, _)| forecast_of);
        let identity = key::identity(stands_for);
        let (counters, current_run) = (Arc::new(Counters::default()), Arc::new(CurrentRun::none()));
        let extension = Arc::new(ModelExtension::new(plan, instance, grants, offers, http, secrets));
        let attempt = Attempt::new(plan, Arc::clone(&extension), Arc::clone(&counters), Arc::clone(&current_run));
        let attempt = Arc::new(attempt);
        let forecast = forecast.map(|(forecast_of, forecaster)| CountedRequests {
            forecaster: Arc::clone(forecaster),
            attempt: Arc::clone(&attempt),
            counts_itself: forecast_of.extension == plan.extension,
        });
        let retry = Retry::new(plan, Arc::clone(&attempt), Arc::clone(&counters));
        let structured_output = StructuredOutput::new(plan.price, recording, retry);
        Self {
            label: label_of(stands_for),
            name: plan.name.as_str().into(),
            identity,
            cache_layer: CacheLayer::new(identity, cache, plan.price, structured_output, forecast),
            attempt,
            extension,
            current_run,
            counters,
        }
    }

    /// From now on, what is spent is written to this record before anybody has an answer; or to none.
    pub fn keep_spending(&self, ledger: Option<Ledger>) {
        self.current_run.set_ledger(ledger);
    }

    /// From now on, what is spent counts towards this bound, and no call is made that does not fit; or towards none.
    pub fn share_budget(&self, budget: Option<Arc<RunBudget>>) {
        self.current_run.set_budget(budget);
    }

    /// From now on, tensors go to these and come from them.
    pub fn keep_tensors_in(&self, blobs: Arc<Blobs>) {
        self.current_run.set_blobs(blobs);
    }

    /// Its name in the pipeline.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is: the extension that calls it, and the model's own name where its configuration has one.
    #[must_use]
    pub fn label(&self) -> String {
        self.label.clone()
    }

    /// SHA-256 of what distinguishes it from other models, in hexadecimal digits.
    #[must_use]
    pub fn identity(&self) -> String {
        to_hex(&self.identity)
    }

    /// Its counts so far.
    #[must_use]
    pub fn count(&self) -> ModelCount {
        self.counters.count()
    }

    /// What it has no more of, if that stops the run: its budget is used up, or there was not enough memory for what it
    /// was asked.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        let resource = match self.extension.out_of_memory() {
            Some(why) => ExhaustedResource::Memory(why.to_owned()),
            None if self.attempt.is_budget_exhausted() => ExhaustedResource::Budget,
            None => return None,
        };
        Some(Exhausted { model: Arc::clone(&self.name), resource })
    }

    /// Counts what earlier sessions of the run spent towards the budget.
    pub fn carry_over(&self, tokens: u64, usd: f64) {
        self.attempt.carry_over(tokens, usd);
    }

    /// Whether a sandboxed plugin answers for it.
    pub fn is_sandboxed(&self) -> bool {
        self.extension.is_sandboxed()
    }

    /// The present limit on concurrent calls, and how many are under way.
    #[must_use]
    pub fn concurrency(&self) -> (usize, usize) {
        self.attempt.concurrency()
    }

    /// A request without the secrets that the model's plugin may know.
    #[must_use]
    pub fn without_secrets(&self, request: CompletionRequest) -> CompletionRequest {
        self.extension.redact_request(request)
    }

    /// Answers a request on behalf of a stage's call, which may be abandoned before it is answered. The tensors of the answer
    /// are held.
    pub async fn complete(
        &self,
        mut request: CompletionRequest,
        caller: Caller<'_>,
    ) -> (Result<HeldCompletion>, CompletionRecord) {
        let began = Instant::now();
        let record = CompletionRecord {
            seq: None,
            looked_up: false,
            model: Arc::clone(&self.name),
            item: Arc::clone(&caller.context.item),
            source: AnswerSource::Call,
            failure: None,
            tries: 0,
            usage: Usage::default(),
            usd: 0.0,
            began,
            took: Duration::ZERO,
        };
        let held = Arc::new(HeldTensors::of(&self.current_run.blobs()));
        let mut progress = CompletionInProgress { caller, record, held };
        let answer = match self.check_request(&mut request, caller.context) {
            Ok(()) => self.cache_layer.complete(&request, &mut progress).await,
            Err(failure) => Err(failure),
        };
        let mut record = progress.record;
        record.took = began.elapsed();
        record.failure = answer.as_ref().err().map(Failure::kind);
        self.counters.count_ended(answer.as_ref().err(), &record.source);
        (answer, record)
    }

    /// Whether the request makes sense, and the model offers all that it asks for. The replicates of the stage and of the
    /// request become one number in it.
    fn check_request(&self, request: &mut CompletionRequest, context: &Context) -> Result<()> {
        request_check::check(request)?;
        let completes = (request.max_tokens != Some(0)).then_some(Ability::Complete);
        for ability in completes.into_iter().chain(request_check::abilities(request)) {
            if !self.extension.has(ability) {
                let extension = self.extension.name();
                let what = format!("model `{}` (`{extension}`) does not offer `{ability}`", self.name);
                return Err(Failure::InvalidConfig(what));
            }
        }
        if request.replicate >= MOST_REPLICATES || context.replicate >= MOST_REPLICATES {
            return Err(Failure::InvalidInput(format!("more than {MOST_REPLICATES} replicates of one request")));
        }
        request.replicate += context.replicate * MOST_REPLICATES;
        Ok(())
    }
}

/// Name of the extension, and the model's own name where its configuration has one.
fn label_of(plan: &ModelPlan) -> String {
    let extension = &plan.extension.name;
    match plan.config["name"].as_str() {
        Some(name) => format!("{extension}/{name}"),
        None => extension.clone(),
    }
}
