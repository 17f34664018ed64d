//! The innermost layer: the call of a model's extension, linked in or by documents, and the check of what it answered.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jackfield_loader::{
    Linkage, escape_untrusted,
    sandbox::{Grants, QueueClock},
};
use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{
    Ability, AnswerText, CatchPanic, Completion, CompletionRequest, Context, Document, Failure, FailureKind, Host,
    Instance, Offers, Request, Result, catch_panic,
};
use jackfield_store::HeldTensors;

use super::{answer_check, request_check};
use crate::{
    Http, TensorScopes,
    http::FetchTrace,
    plugin_host::ServiceHost,
    secrets::{KnownSecret, Secrets},
};

/// How long an answer of a server may take, where the model has no time limit.
const LONGEST_FETCH: Duration = Duration::from_secs(24 * 60 * 60);
/// How much longer than its time limit: who waits is told of that limit, and not of this one.
const FETCH_MARGIN: Duration = Duration::from_secs(2);

/// What came of a call.
pub(super) struct Called {
    pub(super) answer: Result<Completion>,
    /// Whether it asked servers, and no connection to any was made: then it cost nothing.
    pub(super) reached_nobody: bool,
}

/// The opened extension of a model, and what it may know and do.
pub(super) struct ModelExtension {
    plan: ModelPlan,
    instance: Arc<dyn Instance>,
    grants: Arc<Grants>,
    offers: Offers,
    /// What it may know and must not repeat.
    secrets: Secrets,
    http: Arc<Http>,
    /// What it answered when there was not enough memory for what it was asked, if that happened.
    out_of_memory: OnceLock<String>,
    /// Whether a server answers, so that a call may cost something though this process hears of no answer.
    asks_servers: bool,
}

impl ModelExtension {
    pub(super) fn new(
        plan: &ModelPlan,
        instance: Arc<dyn Instance>,
        grants: Arc<Grants>,
        offers: Offers,
        http: Arc<Http>,
        secrets: Vec<Arc<KnownSecret>>,
    ) -> Self {
        Self {
            plan: plan.clone(),
            instance,
            secrets: Secrets::of_grants(&grants).with_sent(secrets),
            asks_servers: grants.asks_for_servers(),
            grants,
            offers,
            http,
            out_of_memory: OnceLock::new(),
        }
    }

    /// Name of the extension.
    pub(super) fn name(&self) -> &str {
        &self.plan.extension.name
    }

    /// A request without the secrets that it may know.
    pub(super) fn redact_request(&self, request: CompletionRequest) -> CompletionRequest {
        self.secrets.redact_request(request)
    }

    /// Whether it offers this as it is configured.
    pub(super) fn has(&self, ability: Ability) -> bool {
        self.offers.has(ability, &self.plan.config)
    }

    /// Whether its plugin runs in the sandbox.
    pub(super) fn is_sandboxed(&self) -> bool {
        self.plan.extension.linkage == Linkage::Wasm
    }

    /// Whether a server answers, so that a call may cost something though this process hears of no answer.
    pub(super) const fn asks_servers(&self) -> bool {
        self.asks_servers
    }

    /// Whether it is a local model that asks no server.
    pub(super) const fn stays_here(&self) -> bool {
        self.plan.local && !self.asks_servers
    }

    /// What it answered when there was not enough memory for what it was asked, if that happened.
    pub(super) fn out_of_memory(&self) -> Option<&str> {
        self.out_of_memory.get().map(String::as_str)
    }

    /// The answer if it comes in time, and how long a sandboxed model queued meanwhile, which does not count.
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

    /// Calls the model and checks its answer, which comes without the keys that the model may know: a server may repeat them.
    pub(super) async fn call(&self, request: &CompletionRequest, held: &Arc<HeldTensors>) -> Called {
        let trace = FetchTrace::default();
        let answer = match self.call_with_tensors(request, held, &trace).await {
            Ok(completion) => answer_check::check(&self.plan.name, request, &completion)
                .map(|()| self.secrets.redact_completion(completion)),
            Err(failure) => Err(self.secrets.redact_failure(trace.with_proxy(failure))),
        };
        Called { answer, reached_nobody: trace.reached_nobody() }
    }

    /// An answer whose text has no reasoning in it.
    ///
    /// # Errors
    /// If it ends within its reasoning. What a local model generated so far may be what is looked at: it stays.
    pub(super) fn without_reasoning(&self, mut completion: Completion) -> Result<Completion> {
        let AnswerText { reasoning, answer, is_cut_off } = AnswerText::split(&completion.text);
        if is_cut_off && !self.plan.local {
            return Err(Failure::InvalidOutput(format!(
                "model `{}` gave no answer: its text ends within its reasoning; allow it more tokens",
                self.plan.name
            )));
        }
        if answer.len() < completion.text.len() && !is_cut_off {
            let known = completion.reasoning.as_deref().filter(|known| !known.is_empty());
            let all: Vec<&str> = known.into_iter().chain(reasoning).collect();
            completion.reasoning = (!all.is_empty()).then(|| all.join("\n"));
            completion.text = answer.to_owned();
        }
        Ok(completion)
    }

    /// Calls the model with the tensors that the request names, and notes if there was not enough memory.
    async fn call_with_tensors(
        &self,
        request: &CompletionRequest,
        held: &Arc<HeldTensors>,
        trace: &FetchTrace,
    ) -> Result<Completion> {
        let tensors = TensorScopes::of_model(held, request, self.plan.limits.tensors);
        let completion = self.call_instance(request, &tensors, trace).await.inspect_err(|failure| {
            if self.is_out_of_memory(failure, &tensors) {
                let why = self.secrets.redact_failure(failure.clone());
                self.out_of_memory.get_or_init(|| escape_untrusted(why.message()).into_owned());
            }
        })?;
        tensors
            .check_completion(&completion)
            .map_err(|wrong| Failure::InvalidOutput(format!("the answer of model `{}` {wrong}", self.plan.name)))?;
        Ok(completion)
    }

    /// Whether a failure says that there is not enough memory in this process. What sandboxes and limits on tensors refuse is
    /// a matter of the one call.
    fn is_out_of_memory(&self, failure: &Failure, tensors: &TensorScopes<'_>) -> bool {
        let runs_in_process = self.stays_here() && !self.is_sandboxed();
        runs_in_process && failure.kind() == FailureKind::OverBudget && !tensors.was_over_budget()
    }

    /// Calls the instance. A panic in the model is a failure of the model.
    async fn call_instance(
        &self,
        request: &CompletionRequest,
        tensors: &TensorScopes<'_>,
        trace: &FetchTrace,
    ) -> Result<Completion> {
        // The model does not learn whose call it is: equal requests have one answer, whoever asks, and draw from one seed.
        let empty: Arc<str> = Arc::from("");
        let context = &Context {
            stage: Arc::clone(&empty),
            item: empty,
            element: 0,
            replicate: 0,
            seed: request_check::seed(request),
        };
        let host = ServiceHost {
            service: &self.plan.name,
            grants: &self.grants,
            secrets: &self.secrets,
            http: &self.http,
            max_response_bytes: self.plan.limits.output,
            longest_fetch: self.plan.timeout.map_or(LONGEST_FETCH, |timeout| timeout + FETCH_MARGIN),
            trace: Some(trace),
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
                self.plan.name,
                answers.len()
            )));
        };
        serde_json::from_str(&answer?.json).map_err(|error| {
            Failure::InvalidOutput(format!("model `{}` answered no completion: {error}", self.plan.name))
        })
    }
}
