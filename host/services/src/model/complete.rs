//! One completion, from the request to the answer.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use jackfield_loader::{
    Form, escape_untrusted,
    sandbox::{Grants, QueueClock},
};
use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{
    Ability, CatchPanic, Completion, CompletionRequest, Context, Document, Failure, FailureKind, Host, Instance,
    Offers, Random, Request, Result, Usage, catch_panic, to_hex,
};
use jackfield_store::{AnswerSource, Blobs, CompletionRecord, HeldTensors, Ledger, ModelCount, sum};

use super::{
    answer_check,
    budget::Budget,
    exhausted::{Exhausted, ExhaustedResource},
    flight::Flights,
    hold::{self, Schemas},
    key::{self, Key},
    limit::Limit,
    note::Counters,
    own_tokens::OwnTokens,
    rate::Bucket,
    recording::Recording,
    request_check,
    sending::{Caller, Sending},
    tokens::Counter,
};
use crate::{Cache, Http, TensorScopes, keep_tensors, plugin_host::ServiceHost, restore_tensors, secrets::Secrets};

/// The longest delay between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// A request's own replicates are counted below this; the stage's above it.
const REPLICATES: u32 = 1 << 16;

/// A completion, with what holds its tensors.
pub(crate) type HeldCompletion = (Completion, Arc<HeldTensors>);

/// A named model, and everything around its calls.
pub struct Model {
    name: Arc<str>,
    plan: ModelPlan,
    instance: Arc<dyn Instance>,
    grants: Arc<Grants>,
    offers: Offers,
    /// What it may know and must not repeat.
    secrets: Secrets,
    http: Arc<Http>,
    cache: Option<Arc<Cache>>,
    identity: Key,
    budget: Budget,
    limit: Limit,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    flights: Flights<HeldCompletion>,
    schemas: Schemas,
    pub(super) counter: Counter,
    pub(super) own_tokens: OwnTokens,
    recording: Option<Recording>,
    counters: Counters,
    jitter: Mutex<Random>,
    /// Where what is spent is written, as long as a run with a record is at work.
    ledger: Mutex<Option<Ledger>>,
    /// The tensors of the run that is at work.
    blobs: Mutex<Arc<Blobs>>,
    /// What it said when there was not enough memory for what it was asked, if that happened.
    out_of_memory: OnceLock<String>,
    /// Whether a server answers, so that a call may cost something though this process hears of no answer.
    remote: bool,
}

impl Model {
    /// A model with its opened extension and the cache that keeps its answers.
    ///
    /// # Errors
    /// If the file of its recording cannot be opened.
    pub fn new(
        plan: &ModelPlan,
        (instance, grants): (Arc<dyn Instance>, Arc<Grants>),
        offers: Offers,
        cache: Option<Arc<Cache>>,
        http: Arc<Http>,
    ) -> std::io::Result<Self> {
        let requests = plan.rate.requests_per_second.map(|rate| Bucket::new(rate, rate.max(1.0)));
        let tokens = plan.rate.tokens_per_minute.map(|rate| Bucket::new(rate as f64 / 60.0, rate as f64 / 60.0));
        let remote = grants.asks_for_servers();
        let noise = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Ok(Self {
            name: plan.name.as_str().into(),
            instance,
            secrets: Secrets::of(&grants),
            grants,
            offers,
            http,
            cache,
            identity: key::identity(plan),
            budget: Budget::new(&plan.name, plan.budget, plan.price),
            limit: if plan.local { Limit::fixed(plan.concurrency) } else { Limit::new(plan.concurrency) },
            requests,
            tokens,
            flights: Flights::default(),
            schemas: Schemas::default(),
            counter: Counter::default(),
            own_tokens: OwnTokens::default(),
            recording: plan.record.as_deref().map(Recording::open).transpose()?,
            counters: Counters::default(),
            // Delays decide nothing but times: processes that fail together had better not retry together.
            jitter: Mutex::new(Random::new(noise.map_or(0, |since| since.as_nanos() as u64))),
            plan: plan.clone(),
            ledger: Mutex::default(),
            blobs: Mutex::new(Blobs::in_memory(u64::MAX)),
            out_of_memory: OnceLock::new(),
            remote,
        })
    }

    /// From now on, what is spent stands on this record before anybody has an answer; or on none.
    pub fn keep_spending(&self, ledger: Option<Ledger>) {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = ledger;
    }

    /// From now on, tensors go to these and come from them.
    pub fn keep_tensors_in(&self, blobs: Arc<Blobs>) {
        *self.blobs.lock().unwrap_or_else(PoisonError::into_inner) = blobs;
    }

    pub(super) fn blobs(&self) -> Arc<Blobs> {
        Arc::clone(&self.blobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ledger(&self) -> Option<Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is: the extension that calls it, and the model's own name where its configuration has one.
    #[must_use]
    pub fn label(&self) -> String {
        let extension = &self.plan.extension.name;
        match self.plan.config["name"].as_str() {
            Some(name) => format!("{extension}/{name}"),
            None => extension.clone(),
        }
    }

    /// SHA-256 of what tells it from other models, in hexadecimal digits.
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
        let resource = match self.out_of_memory.get() {
            Some(why) => ExhaustedResource::Memory(why.clone()),
            None if self.budget.is_exhausted() => ExhaustedResource::Budget,
            None => return None,
        };
        Some(Exhausted { model: Arc::clone(&self.name), resource })
    }

    /// Counts what earlier sessions of the run spent towards the budget.
    pub fn carry_over(&self, tokens: u64, usd: f64) {
        self.budget.carry_over(tokens, usd);
    }

    /// Whether a sandboxed plugin answers for it.
    pub fn is_sandboxed(&self) -> bool {
        self.plan.extension.form == Form::Wasm
    }

    /// The present limit on calls at a time, and how many are under way.
    #[must_use]
    pub fn concurrency(&self) -> (usize, usize) {
        self.limit.now()
    }

    /// Answers a request on behalf of a stage's call.
    pub async fn complete(
        &self,
        request: CompletionRequest,
        context: &Context,
    ) -> (Result<Completion>, CompletionRecord) {
        let (answer, note) = self.complete_for(request, Caller { context, asked: &Sending::default().ask() }).await;
        (answer.map(|(completion, _)| completion), note)
    }

    /// The same, of a call that may be left before it is answered, and with its tensors, which are held.
    pub async fn complete_for(
        &self,
        mut request: CompletionRequest,
        caller: Caller<'_>,
    ) -> (Result<HeldCompletion>, CompletionRecord) {
        let context = caller.context;
        let began = Instant::now();
        let mut note = CompletionRecord {
            seq: None,
            looked_up: false,
            model: Arc::clone(&self.name),
            item: Arc::clone(&context.item),
            source: AnswerSource::Call,
            failure: None,
            tries: 0,
            usage: Usage::default(),
            usd: 0.0,
            began,
            took: Duration::ZERO,
        };
        let answer = match self.fits(&mut request, context) {
            Ok(()) => self.answer(&request, caller, &mut note).await,
            Err(failure) => Err(failure),
        };
        note.took = began.elapsed();
        note.failure = answer.as_ref().err().map(Failure::kind);
        self.counters.ended(answer.as_ref().err(), &note.source);
        (answer, note)
    }

    fn fits(&self, request: &mut CompletionRequest, context: &Context) -> Result<()> {
        request_check::check(request)?;
        let completes = (request.max_tokens != Some(0)).then_some(Ability::Complete);
        for ability in completes.into_iter().chain(request_check::abilities(request)) {
            if !self.has(ability) {
                let what = format!("model `{}` (`{}`) does not offer `{ability}`", self.name, self.plan.extension.name);
                return Err(Failure::InvalidConfig(what));
            }
        }
        if request.replicate >= REPLICATES || context.replicate >= REPLICATES {
            return Err(Failure::InvalidInput(format!("more than {REPLICATES} replicates of one request")));
        }
        request.replicate += context.replicate * REPLICATES;
        Ok(())
    }

    /// Whether it offers this as it is configured.
    pub(super) fn has(&self, ability: Ability) -> bool {
        self.offers.has(ability, &self.plan.config)
    }

    async fn answer(
        &self,
        request: &CompletionRequest,
        caller: Caller<'_>,
        note: &mut CompletionRecord,
    ) -> Result<HeldCompletion> {
        let blobs = self.blobs();
        let held = Arc::new(HeldTensors::of(&blobs));
        if !request.cached {
            return self.made(request, caller, note, &held).await.map(|completion| (completion, held));
        }
        let key = key::key(&self.identity, request);
        let name = self.cache.as_ref().map(|_| key::name(&key));
        if let Some(found) = self.cached(name.as_deref(), note, &held).await {
            return Ok((found, held));
        }
        let (answer, shared) = self
            .flights
            .one(key, || async {
                let made = self.made(request, caller, note, &held).await;
                if let (Some(cache), Some(name), Ok(completion)) = (&self.cache, &name, &made) {
                    let text = serde_json::to_string(completion).unwrap_or_default();
                    if keep_tensors(cache, &blobs, &text).await {
                        cache.put(name, text.as_bytes(), None).await;
                    }
                }
                made.map(|completion| (completion, held))
            })
            .await;
        if shared {
            note.source = AnswerSource::Shared;
            note.looked_up = true;
        }
        answer.map(|(completion, held)| {
            let completion = if shared { self.without_call(completion) } else { completion };
            (completion, held)
        })
    }

    async fn cached(&self, name: Option<&str>, note: &mut CompletionRecord, held: &HeldTensors) -> Option<Completion> {
        let cache = self.cache.as_ref()?;
        note.looked_up = true;
        let (value, tier) = cache.get(name?).await?;
        let text = std::str::from_utf8(&value).ok()?;
        let found: Completion = serde_json::from_str(text).ok()?;
        if !restore_tensors(cache, held, text).await {
            return None;
        }
        note.source = AnswerSource::Cache(tier.to_owned());
        Some(self.without_call(found))
    }

    /// A completion without a call of its own. It costs what it would have cost: who answers with it answers the same
    /// whether or not it was there.
    fn without_call(&self, completion: Completion) -> Completion {
        let usd = self.budget.price_of(completion.usage.unwrap_or_default());
        Completion { cached: true, usd, ..completion }
    }

    /// Has the model answer, and holds the answer to the schema.
    async fn made(
        &self,
        request: &CompletionRequest,
        caller: Caller<'_>,
        note: &mut CompletionRecord,
        held: &Arc<HeldTensors>,
    ) -> Result<Completion> {
        let validator = match &request.schema {
            Some(schema) if request.validate => Some(self.schemas.validator(schema)?),
            _ => None,
        };
        let mut completion = self.tried(request, caller, note, held).await?;
        let mut usage = completion.usage.unwrap_or_default();
        if let Some(validator) = validator {
            if let Err(wrong) = hold::held(&completion.text, &validator) {
                let again = hold::repair(request, &completion.text, &wrong);
                let repaired = self.tried(&again, caller, note, held).await?;
                usage = sum(usage, repaired.usage.unwrap_or_default());
                completion = hold::repaired(completion, repaired);
            }
            completion.text = hold::held(&completion.text, &validator)
                .map_err(|wrong| Failure::InvalidOutput(format!("the answer does not fit its schema: {wrong}")))?;
        }
        // Not what the note says: how many calls failed before is a matter of chance.
        completion.usage = Some(usage);
        completion.usd = self.budget.price_of(usage);
        if let Some(recording) = &self.recording {
            recording.add(request, &completion);
        }
        Ok(completion)
    }

    /// Calls the model until it answers or there is no point in going on.
    async fn tried(
        &self,
        request: &CompletionRequest,
        caller: Caller<'_>,
        note: &mut CompletionRecord,
        held: &Arc<HeldTensors>,
    ) -> Result<Completion> {
        let input = if self.tokens.is_some() { self.counter.of_request(request) } else { 0 };
        let bytes = if self.budget.is_bounded() || self.remote { bytes_of(request) } else { 0 };
        for attempt in 1.. {
            note.tries += 1;
            let failure = match self.one_try(request, (bytes, input), caller, note, held).await {
                Ok(completion) => return Ok(completion),
                Err(failure) => failure,
            };
            if !failure.kind().is_retryable() || attempt >= self.plan.attempts {
                return Err(failure);
            }
            self.counters.retries.fetch_add(1, Ordering::Relaxed);
            let delay = self.delay(attempt, failure.retry_after());
            tracing::debug!(model = &*self.name, attempt, ?delay, "tries again: {failure}");
            let _delay = caller.asked.delay();
            tokio::time::sleep(delay).await;
        }
        unreachable!("the loop ends with an answer or a failure")
    }

    /// Exponential back-off with full jitter (Brooker 2015). A delay that the server names is waited for by every call, at
    /// the limit; here only the jitter is added.
    fn delay(&self, attempt: u32, after: Option<Duration>) -> Duration {
        let longest = self.plan.backoff.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_BACKOFF);
        let drawn = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).next_f64();
        after.unwrap_or_default() + longest.mul_f64(drawn)
    }

    async fn one_try(
        &self,
        request: &CompletionRequest,
        (bytes, input): (u64, u64),
        caller: Caller<'_>,
        note: &mut CompletionRecord,
        held: &Arc<HeldTensors>,
    ) -> Result<Completion> {
        let count = || self.counter.of_request(request);
        let mut reservation = self.budget.reserve(bytes, request.max_tokens, count).await?;
        if let Some(bucket) = &self.requests {
            bucket.wait(1.0).await;
        }
        if let Some(bucket) = &self.tokens {
            bucket.wait(input as f64).await;
        }
        let permit = self.limit.acquire(caller.asked).await;
        // What is done on this machine alone costs nothing that would have to be paid again: the call may be left.
        if !self.stays_here() {
            caller.asked.begin().await;
        }
        let ledger = self.ledger();
        let before = (note.usage, note.usd);
        let estimate = reservation.estimate();
        note.charge(estimate, self.budget.price_of(estimate));
        if let Some(ledger) = ledger.as_ref().filter(|_| self.remote) {
            ledger.write(&caller.context.stage, note).await.map_err(|_| unwritten())?;
        }
        reservation.sent();
        let began = Instant::now();
        let (answered, queued) = self.within_timeout(self.call(request, held)).await;
        // Who has waited for too long knows nothing: the call may be answered and charged all the same.
        let unknown = answered.is_none();
        let answered = answered.unwrap_or_else(|| {
            let timeout = humantime::format_duration(self.plan.timeout.unwrap_or_default());
            Err(Failure::Unavailable(format!("model `{}` gave no answer within {timeout}", self.name)))
        });
        let (usage, usd, answered) = match answered {
            Ok(mut completion) => {
                self.limit.answered(began.elapsed().saturating_sub(queued));
                let usage = self.usage_of(request, &completion).await;
                if let Some(bucket) = &self.tokens {
                    bucket.correct(usage.input.saturating_add(usage.output) as f64 - input as f64);
                }
                completion.cached = false;
                completion.usage = Some(usage);
                (usage, reservation.settle(usage), Ok(completion))
            }
            Err(failure) => {
                let usage = match failure.kind() {
                    FailureKind::RateLimited => {
                        if self.limit.refused(failure.retry_after()) {
                            let pause = humantime::format_duration(failure.retry_after().unwrap_or_default());
                            tracing::warn!(
                                model = &*self.name,
                                "the server limits the rate and asks to wait {pause} before the next call: waiting"
                            );
                        }
                        reservation.not_charged()
                    }
                    kind => {
                        if kind == FailureKind::Unavailable {
                            self.limit.refused(None);
                        }
                        // An answer that is no use was made all the same.
                        if unknown || kind == FailureKind::InvalidOutput {
                            reservation.was_answered(count())
                        } else {
                            reservation.was_read()
                        }
                    }
                };
                (usage, self.budget.price_of(usage), Err(failure))
            }
        };
        drop(permit);
        (note.usage, note.usd) = before;
        note.charge(usage, usd);
        self.counters.paid(usage, usd);
        // Before the answer is kept or handed over: a killed process must not forget what it paid.
        if let Some(ledger) = &ledger {
            ledger.write(&caller.context.stage, note).await.map_err(|_| unwritten())?;
        }
        answered
    }

    /// The answer if it comes in time, and what a sandboxed model queued meanwhile, which counts for nothing.
    pub(super) async fn within_timeout<T>(&self, call: impl Future<Output = T>) -> (Option<T>, Duration) {
        let Some(timeout) = self.plan.timeout else { return (Some(call.await), Duration::ZERO) };
        if !self.is_sandboxed() {
            return (tokio::time::timeout(timeout, call).await.ok(), Duration::ZERO);
        }
        let clock = QueueClock::within_current();
        let mut call = pin!(call);
        let call = poll_fn(|context| clock.during(|| call.as_mut().poll(context)));
        (clock.timeout(timeout, call).await, clock.queued())
    }

    /// The call itself, without the keys that the model may know: a server may repeat them.
    pub(super) async fn call(&self, request: &CompletionRequest, held: &Arc<HeldTensors>) -> Result<Completion> {
        match self.called(request, held).await {
            Ok(completion) => {
                answer_check::check(&self.name, request, &completion)?;
                Ok(self.secrets.scrub(completion))
            }
            Err(failure) => Err(self.secrets.scrub_failure(failure)),
        }
    }

    /// Whether it is a local model that asks no server.
    fn stays_here(&self) -> bool {
        self.plan.local && !self.remote
    }

    /// Whether a failure says that there is not enough memory in this process. What sandboxes and limits on tensors refuse is
    /// a matter of the one call.
    fn is_out_of_memory(&self, failure: &Failure, tensors: &TensorScopes<'_>) -> bool {
        let runs_in_process = self.stays_here() && !self.is_sandboxed();
        runs_in_process && failure.kind() == FailureKind::OverBudget && !tensors.was_over_budget()
    }

    /// A panic in the model is a failure of the model.
    async fn called(&self, request: &CompletionRequest, held: &Arc<HeldTensors>) -> Result<Completion> {
        let tensors = TensorScopes::of_model(held, request, self.plan.limits.tensors);
        let completion = self.called_with(request, &tensors).await.inspect_err(|failure| {
            if self.is_out_of_memory(failure, &tensors) {
                let why = self.secrets.scrub_failure(failure.clone());
                self.out_of_memory.get_or_init(|| escape_untrusted(why.message()).into_owned());
            }
        })?;
        tensors
            .check_completion(&completion)
            .map_err(|wrong| Failure::InvalidOutput(format!("the answer of model `{}` {wrong}", self.name)))?;
        Ok(completion)
    }

    async fn called_with(&self, request: &CompletionRequest, tensors: &TensorScopes<'_>) -> Result<Completion> {
        // Not whose call it is: equal requests have one answer, whoever asks, and draw from one seed.
        let nobody: Arc<str> = Arc::from("");
        let (stage, item, seed) = (Arc::clone(&nobody), nobody, request_check::seed(request));
        let context = &Context { stage, item, element: 0, replicate: 0, seed };
        let host = ServiceHost {
            service: &self.name,
            grants: &self.grants,
            secrets: &self.secrets,
            http: &self.http,
            most: self.plan.limits.output,
            tensors: Some(tensors),
        };
        if let Some(model) = self.instance.as_model() {
            let call = catch_panic("complete", || model.complete(request.clone(), Host::new(&host, context, 0)))?;
            return CatchPanic::new("complete", call).await?;
        }
        let json = serde_json::to_string(request).map_err(|error| Failure::InvalidInput(error.to_string()))?;
        let batch = [Request { document: Document::new(json), context: context.clone() }];
        let call = catch_panic("complete", || self.instance.call(&batch, &host))?;
        let mut answers = CatchPanic::new("complete", call).await?;
        let (Some(answer), true) = (answers.pop(), answers.is_empty()) else {
            return Err(Failure::InvalidOutput(format!(
                "model `{}` answered {} results to one request",
                self.name,
                answers.len()
            )));
        };
        serde_json::from_str(&answer?.json)
            .map_err(|error| Failure::InvalidOutput(format!("model `{}` answered no completion: {error}", self.name)))
    }
}

/// The length of what a request says, in bytes: no fewer than it has tokens.
fn bytes_of(request: &CompletionRequest) -> u64 {
    let messages: usize = request.messages.iter().map(|message| message.content.len() + 16).sum();
    let reply = request_check::reply_of(request).map_or(0, str::len);
    let mut schema = Length(0);
    let _ = request.schema.as_ref().map(|value| serde_json::to_writer(&mut schema, value));
    (messages + reply + schema.0) as u64
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A call is not made, or its answer not handed over, without a record of what it costs.
fn unwritten() -> Failure {
    Failure::Cancelled("the record of the run can no longer be written".to_owned())
}
