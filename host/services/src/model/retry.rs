//! The layer that tries again what failed for a while.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jackfield_pipeline::ModelPlan;
use jackfield_plugin_api::{Completion, CompletionRequest, Random, Result, sync::lock};

use super::{attempt::Attempt, counters::Counters, in_progress::CompletionInProgress};
use crate::backoff::jittered_backoff;

/// Tries of a model's calls, around the layer of one try.
pub(super) struct Retry {
    model: Arc<str>,
    /// The most tries, the first included.
    attempts: u32,
    /// What the delay before the second try is drawn from.
    backoff: Duration,
    /// Draws delays. They decide nothing but times, so they are seeded by the clock: processes that fail together had better
    /// not retry together.
    jitter: Mutex<Random>,
    counters: Arc<Counters>,
    attempt: Arc<Attempt>,
}

impl Retry {
    pub(super) fn new(plan: &ModelPlan, attempt: Arc<Attempt>, counters: Arc<Counters>) -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        Self {
            model: plan.name.as_str().into(),
            attempts: plan.attempts,
            backoff: plan.backoff,
            jitter: Mutex::new(Random::new(clock)),
            counters,
            attempt,
        }
    }

    /// Calls the model until it answers or there is no point in going on.
    pub(super) async fn complete(
        &self,
        request: &CompletionRequest,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<Completion> {
        let size = self.attempt.measure(request);
        let mut attempt = 1;
        loop {
            progress.record.tries += 1;
            let failure = match self.attempt.run(request, size, progress).await {
                Ok(completion) => return Ok(completion),
                Err(failure) => failure,
            };
            if !failure.kind().is_retryable() || attempt >= self.attempts {
                return Err(failure);
            }
            self.counters.retries.fetch_add(1, Ordering::Relaxed);
            let delay = self.delay(attempt, failure.retry_after());
            tracing::debug!(model = &*self.model, attempt, ?delay, "tries again: {failure}");
            let _delay = progress.caller.pending.delay();
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// The delay before the next try. What the server asks to wait is waited for by every call, at the limit on concurrent
    /// calls; here only the jitter is added to it.
    fn delay(&self, attempt: u32, asked_for: Option<Duration>) -> Duration {
        asked_for.unwrap_or_default() + jittered_backoff(self.backoff, attempt, &mut lock(&self.jitter))
    }
}
