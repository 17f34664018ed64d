//! The layer that spares calls: an answer that the model's cache has is not made again, and of equal requests at one time one
//! is made.

use std::sync::Arc;

use jackfield_pipeline::Price;
use jackfield_plugin_api::{Completion, CompletionRequest, Result};
use jackfield_store::AnswerSource;

use super::{
    attempt::Attempt,
    budget::price_of,
    in_progress::{CompletionInProgress, HeldCompletion},
    key::{self, Key},
    single_flight::SingleFlight,
    structured_output::StructuredOutput,
};
use crate::{Cache, Forecaster, keep_tensors, restore_tensors};

/// The cache of a model, around the layer that has answers made.
pub(super) struct CacheLayer {
    /// What of the model can change an answer.
    identity: Key,
    cache: Option<Arc<Cache>>,
    single_flight: SingleFlight<HeldCompletion>,
    price: Option<Price>,
    structured_output: StructuredOutput,
    /// Counts requests, for a forecast.
    forecast: Option<CountedRequests>,
}

/// What counts the requests of a forecast.
pub(super) struct CountedRequests {
    pub(super) forecaster: Arc<Forecaster>,
    pub(super) attempt: Arc<Attempt>,
    /// Whether the tokens of a request are counted as the model itself counts them.
    pub(super) counts_itself: bool,
}

/// Where the answer to a request is kept.
struct CacheEntry<'a> {
    cache: &'a Cache,
    name: String,
}

impl CacheLayer {
    pub(super) fn new(
        identity: Key,
        cache: Option<Arc<Cache>>,
        price: Option<Price>,
        structured_output: StructuredOutput,
        forecast: Option<CountedRequests>,
    ) -> Self {
        Self { identity, cache, single_flight: SingleFlight::default(), price, structured_output, forecast }
    }

    /// Answers from the cache, with the answer to an equal request that is under way, or by a call.
    pub(super) async fn complete(
        &self,
        request: &CompletionRequest,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<HeldCompletion> {
        if let Some(forecast) = &self.forecast {
            return self.forecast(forecast, request, progress).await;
        }
        if !request.cached {
            return self.make(request, progress).await;
        }
        let key = key::key(&self.identity, request);
        let entry = self.cache.as_deref().map(|cache| CacheEntry { cache, name: key::name(&key) });
        if let Some(entry) = &entry
            && let Some(found) = self.look_up(entry, progress).await
        {
            return Ok(found);
        }
        let (answer, is_shared) = self
            .single_flight
            .run(key, || async {
                let made = self.make(request, progress).await;
                if let (Some(entry), Ok(made)) = (&entry, &made) {
                    keep(entry, made).await;
                }
                made
            })
            .await;
        if !is_shared {
            return answer;
        }
        progress.record.source = AnswerSource::Shared;
        progress.record.looked_up = true;
        answer.map(|held| HeldCompletion { completion: self.without_call(held.completion), ..held })
    }

    /// Counts a request, and answers it from the cache or with an answer that is made up.
    async fn forecast(
        &self,
        forecast: &CountedRequests,
        request: &CompletionRequest,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<HeldCompletion> {
        let CountedRequests { forecaster, attempt, counts_itself } = forecast;
        let (model, context) = (Arc::clone(&progress.record.model), progress.caller.context);
        if let Some(cache) = self.cache.as_deref().filter(|_| request.cached) {
            let key = key::key(&self.identity, request);
            if let Some(found) = self.look_up(&CacheEntry { cache, name: key::name(&key) }, progress).await {
                forecaster.note_cached(&model, context);
                return Ok(found);
            }
            // An equal one was made before: by then, its answer is in the cache.
            if !forecaster.is_new(key) {
                forecaster.note_cached(&model, context);
                return self.make(request, progress).await;
            }
        }
        let own_count = if *counts_itself { attempt.own_count_of_request(request).await } else { None };
        let tokens_in = own_count.unwrap_or_else(|| attempt.counter.count_request(request));
        forecaster.note_call(&model, context, request, tokens_in);
        self.make(request, progress).await
    }

    /// Has the answer made by the layers below.
    async fn make(
        &self,
        request: &CompletionRequest,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<HeldCompletion> {
        let completion = self.structured_output.complete(request, progress).await?;
        Ok(HeldCompletion { completion, tensors: Arc::clone(&progress.held) })
    }

    async fn look_up(&self, entry: &CacheEntry<'_>, progress: &mut CompletionInProgress<'_>) -> Option<HeldCompletion> {
        progress.record.looked_up = true;
        let (value, tier) = entry.cache.get(&entry.name).await?;
        let text = std::str::from_utf8(&value).ok()?;
        let found: Completion = serde_json::from_str(text).ok()?;
        if !restore_tensors(entry.cache, &progress.held, text).await {
            return None;
        }
        progress.record.source = AnswerSource::Cache(tier.to_owned());
        Some(HeldCompletion { completion: self.without_call(found), tensors: Arc::clone(&progress.held) })
    }

    /// A completion without a call of its own. It costs what it would have cost: who answers with it answers the same
    /// whether or not it was there.
    fn without_call(&self, completion: Completion) -> Completion {
        let usd = price_of(self.price, completion.usage.unwrap_or_default());
        Completion { cached: true, usd, ..completion }
    }
}

/// Keeps an answer with its tensors, unless one of those cannot be read.
async fn keep(entry: &CacheEntry<'_>, held: &HeldCompletion) {
    let text = serde_json::to_string(&held.completion).unwrap_or_default();
    if keep_tensors(entry.cache, held.tensors.blobs(), &text).await {
        entry.cache.put(&entry.name, text.as_bytes(), None).await;
    }
}
