//! The layer of one try: it waits until the budget, the rates and the limit on concurrent calls allow a call, has it made, and
//! settles what it cost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{Completion, CompletionRequest, Failure, FailureKind, Result, Usage};
use jackfield_store::Ledger;

use super::{
    budget::{Budget, Reservation},
    concurrency::ConcurrencyLimit,
    counters::Counters,
    current_run::CurrentRun,
    extension::{Called, ModelExtension},
    in_progress::CompletionInProgress,
    own_tokens::OwnTokens,
    request_check,
    token_bucket::TokenBucket,
    token_counter::TokenCounter,
};

/// What limits the calls of a model, around the call of its extension.
pub(super) struct Attempt {
    model: Arc<str>,
    timeout: Option<Duration>,
    /// The longest wait that a server may ask for.
    longest_wait: Duration,
    budget: Budget,
    requests_per_second: Option<TokenBucket>,
    tokens_per_minute: Option<TokenBucket>,
    concurrency: ConcurrencyLimit,
    /// Counts the tokens of a text by a common vocabulary.
    pub(super) counter: TokenCounter,
    /// What is known of the model's own tokenizer.
    pub(super) own_tokens: OwnTokens,
    counters: Arc<Counters>,
    pub(super) current_run: Arc<CurrentRun>,
    pub(super) extension: Arc<ModelExtension>,
}

/// How long a request is, as far as something depends on that; 0 where nothing does.
#[derive(Clone, Copy)]
pub(super) struct RequestSize {
    /// Bytes of what is sent: no fewer than it has tokens.
    bytes: u64,
    tokens: u64,
}

/// How a try ended, and what it cost.
struct Settled {
    answer: Result<Completion>,
    usage: Usage,
    usd: f64,
}

impl Attempt {
    pub(super) fn new(
        plan: &ModelPlan,
        extension: Arc<ModelExtension>,
        counters: Arc<Counters>,
        current_run: Arc<CurrentRun>,
    ) -> Self {
        let per_minute = |rate: u64| TokenBucket::new(rate as f64 / 60.0, rate as f64 / 60.0);
        Self {
            model: plan.name.as_str().into(),
            timeout: plan.timeout,
            longest_wait: plan.longest_wait,
            budget: Budget::new(&plan.name, plan.budget, plan.price),
            requests_per_second: plan.rate.requests_per_second.map(|rate| TokenBucket::new(rate, rate.max(1.0))),
            tokens_per_minute: plan.rate.tokens_per_minute.map(per_minute),
            concurrency: if plan.local {
                ConcurrencyLimit::fixed(plan.concurrency)
            } else {
                ConcurrencyLimit::new(plan.concurrency)
            },
            counter: TokenCounter::default(),
            own_tokens: OwnTokens::default(),
            counters,
            current_run,
            extension,
        }
    }

    /// Whether the budget is used up.
    pub(super) fn is_budget_exhausted(&self) -> bool {
        self.budget.is_exhausted()
    }

    /// Counts what earlier sessions of the run spent towards the budget.
    pub(super) fn carry_over(&self, tokens: u64, usd: f64) {
        self.budget.carry_over(tokens, usd);
    }

    /// The present limit on concurrent calls, and how many are under way.
    pub(super) fn concurrency(&self) -> (usize, usize) {
        self.concurrency.now()
    }

    /// The size of a request, which is the same for all its tries.
    pub(super) fn measure(&self, request: &CompletionRequest) -> RequestSize {
        let is_bounded = self.budget.is_bounded() || self.current_run.budget().is_some();
        let needs_bytes = is_bounded || self.extension.asks_servers();
        RequestSize {
            bytes: if needs_bytes { bytes_of(request) } else { 0 },
            tokens: if self.tokens_per_minute.is_some() { self.counter.count_request(request) } else { 0 },
        }
    }

    /// Calls the model once, and adds what that cost to the completion's record.
    pub(super) async fn run(
        &self,
        request: &CompletionRequest,
        size: RequestSize,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<Completion> {
        let count = || self.counter.count_request(request);
        let mut reservation = self.budget.reserve(size.bytes, request.max_tokens, count).await?;
        let mut run_reservation = match self.current_run.budget() {
            Some(budget) => {
                // As long as the request allows an answer to be: the bound of the run holds whatever is answered.
                let output = request.max_tokens.map_or_else(|| reservation.estimate().output, u64::from);
                let most = |input| self.budget.most_of(Usage::new(input, output));
                Some(budget.reserve(most(size.bytes), || most(count())).await?)
            }
            None => None,
        };
        self.wait_for_rates(size).await;
        let permit = self.concurrency.acquire(progress.caller.pending).await;
        // What is done on this machine alone costs nothing that would have to be paid again: the call may be abandoned.
        if !self.extension.stays_here() {
            progress.caller.pending.mark_called().await;
        }
        let ledger = self.current_run.ledger();
        let spent_before = (progress.record.usage, progress.record.usd);
        let estimate = reservation.estimate();
        let estimated_usd = self.budget.most_of(estimate);
        progress.record.charge(estimate, estimated_usd);
        if let Some(ledger) = ledger.as_ref().filter(|_| self.extension.asks_servers()) {
            write_spending(ledger, progress).await?;
        }
        reservation.sent();
        run_reservation.iter_mut().for_each(|reservation| reservation.sent(estimated_usd));
        let began = Instant::now();
        let (called, queued) = self.extension.within_timeout(self.extension.call(request, &progress.held)).await;
        let settled = match called {
            Some(Called { answer: Ok(completion), .. }) => {
                self.concurrency.answered(began.elapsed().saturating_sub(queued));
                self.settle_answer(request, size, completion, reservation).await
            }
            Some(Called { answer: Err(failure), reached_nobody }) => {
                self.settle_failure(request, failure, reached_nobody, reservation)
            }
            None => self.settle_timeout(request, reservation),
        };
        drop(permit);
        let Settled { answer, usage, usd } = settled;
        (progress.record.usage, progress.record.usd) = spent_before;
        progress.record.charge(usage, usd);
        self.counters.count_spending(usage, usd);
        if let Some(reservation) = run_reservation {
            reservation.settle(usd);
        }
        // Before the answer is kept or handed over: a killed process must not forget what it paid.
        if let Some(ledger) = &ledger {
            write_spending(ledger, progress).await?;
        }
        answer
    }

    async fn wait_for_rates(&self, size: RequestSize) {
        if let Some(bucket) = &self.requests_per_second {
            bucket.wait(1.0).await;
        }
        if let Some(bucket) = &self.tokens_per_minute {
            bucket.wait(size.tokens as f64).await;
        }
    }

    async fn settle_answer(
        &self,
        request: &CompletionRequest,
        size: RequestSize,
        mut completion: Completion,
        reservation: Reservation<'_>,
    ) -> Settled {
        let usage = self.usage_of(request, &completion).await;
        if let Some(bucket) = &self.tokens_per_minute {
            bucket.correct(usage.input.saturating_add(usage.output) as f64 - size.tokens as f64);
        }
        completion.cached = false;
        completion.usage = Some(usage);
        // The reasoning was paid for as well.
        Settled { answer: self.extension.without_reasoning(completion), usage, usd: reservation.settle(usage) }
    }

    fn settle_failure(
        &self,
        request: &CompletionRequest,
        failure: Failure,
        reached_nobody: bool,
        reservation: Reservation<'_>,
    ) -> Settled {
        let failure = match failure.retry_after().filter(|wait| *wait > self.longest_wait) {
            Some(wait) => {
                // Whoever asks in the meantime hears the same, and at once.
                self.concurrency.refused(None);
                let usage = reservation.not_charged();
                let answer = Err(self.too_long_a_wait(&failure, wait));
                return Settled { usd: self.budget.price_of(usage), usage, answer };
            }
            None => failure,
        };
        let usage = match failure.kind() {
            FailureKind::RateLimited => {
                if self.concurrency.refused(failure.retry_after()) {
                    let pause = humantime::format_duration(failure.retry_after().unwrap_or_default());
                    tracing::warn!(
                        model = &*self.model,
                        "the server limits the rate and asks to wait {pause} before the next call: waiting"
                    );
                }
                reservation.not_charged()
            }
            FailureKind::Unavailable => {
                self.concurrency.refused(None);
                if reached_nobody { reservation.not_charged() } else { reservation.was_read() }
            }
            // An answer that is no use was made all the same.
            FailureKind::InvalidOutput => reservation.was_answered(self.counter.count_request(request)),
            // What a server refuses, for a key or a request that it does not take, it does not charge.
            FailureKind::InvalidConfig | FailureKind::InvalidInput => reservation.not_charged(),
            _ => reservation.was_read(),
        };
        Settled { usd: self.budget.price_of(usage), usage, answer: Err(failure) }
    }

    /// The failure that says how long a server asks to wait, which is longer than may be waited.
    fn too_long_a_wait(&self, failure: &Failure, wait: Duration) -> Failure {
        let whole_seconds = Duration::from_secs(wait.as_secs_f64().ceil() as u64);
        Failure::OverBudget(format!(
            "{} (it asks to wait {} before the next call; model `{}` waits no longer than `retry.longest_wait`, {})",
            failure.message(),
            humantime::format_duration(whole_seconds),
            self.model,
            humantime::format_duration(self.longest_wait),
        ))
    }

    /// There was no answer in time. Whoever has waited for too long knows nothing: the call may be answered and charged all the
    /// same.
    fn settle_timeout(&self, request: &CompletionRequest, reservation: Reservation<'_>) -> Settled {
        let timeout = humantime::format_duration(self.timeout.unwrap_or_default());
        let failure = Failure::Unavailable(format!("model `{}` gave no answer within {timeout}", self.model));
        self.concurrency.refused(None);
        let usage = reservation.was_answered(self.counter.count_request(request));
        Settled { usd: self.budget.price_of(usage), usage, answer: Err(failure) }
    }
}

/// A call is not made, or its answer not handed over, without a record of what it costs.
async fn write_spending(ledger: &Ledger, progress: &mut CompletionInProgress<'_>) -> Result<()> {
    let written = ledger.write(&progress.caller.context.stage, &mut progress.record).await;
    written.map_err(|_| Failure::Cancelled("the record of the run can no longer be written".to_owned()))
}

/// The length of what a request says, in bytes: no fewer than it has tokens.
fn bytes_of(request: &CompletionRequest) -> u64 {
    let messages: usize = request.messages.iter().map(|message| message.content.len() + 16).sum();
    let reply = request_check::reply_of(request).map_or(0, str::len);
    let mut schema = ByteCount(0);
    if let Some(value) = request.schema.as_deref() {
        serde_json::to_writer(&mut schema, value).expect("a JSON value is written, and counting never fails");
    }
    (messages + reply + schema.0) as u64
}

/// Counts the bytes that are written to it.
struct ByteCount(usize);

impl std::io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
