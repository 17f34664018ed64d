//! The kind `model`.

use std::{future::Future, sync::Arc};

use serde_json::Value;

use crate::{
    BoxFuture, Completion, CompletionRequest, Config, Descriptor, Document, Example, Extension, FromDocument, Host,
    HostCalls, Instance, IntoDocument, Kind, ModelCalls, Offers, Permission, Request, Result, Stability,
    document::input_schema,
    extension::{Erased, config_of},
};

/// Answers prompts.
///
/// The host does everything around a call (cache, limits, retries, budget, repair of answers), so a model makes one call
/// and reports by the [`Failure`](crate::Failure) that it returns how it went: `unavailable` and `rate-limited` are retried, and nothing
/// else is.
///
/// The type that implements it is the configuration (`#[derive(Config)]`), which is part of every cache key: it names the
/// variable or the file that holds a secret, and does not hold it.
pub trait Model: Config {
    /// Lower-case words joined by hyphens, unique among models.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;

    /// Prepares the instance once, before any call.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the configuration makes no sense.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// Makes one call.
    fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> impl Future<Output = Result<Completion>> + Send;

    /// What the model offers: by default, completions alone. It stands at the root of the input schema, as `"x-offers"`. A
    /// request for anything else is refused before it reaches [`complete`](Self::complete).
    #[must_use]
    fn offers() -> Offers {
        Offers::default()
    }

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }

    /// Worked examples: small, and exact.
    fn examples() -> Vec<Example> {
        Vec::new()
    }
}

/// The erased extension of a model; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of_model<M: Model>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<M>, |text| {
        let model = config_of::<M>(text)?.open()?;
        Ok(Arc::new(Opened { model, offers: M::offers(), config: serde_json::from_str(text).unwrap_or_default() }))
    })
}

fn describe<M: Model>(version: &str) -> Descriptor {
    Descriptor {
        kind: Kind::Model,
        name: M::NAME.to_owned(),
        version: version.to_owned(),
        summary: M::SUMMARY.to_owned(),
        config: input_schema::<M>(),
        input: M::offers().add_to_schema(<CompletionRequest as FromDocument>::schema()),
        output: <Completion as IntoDocument>::schema(),
        permissions: M::permissions(),
        examples: M::examples(),
        stability: M::STABILITY,
    }
}

struct Opened<M> {
    model: M,
    offers: Offers,
    /// The configuration, on which some of what is offered may depend.
    config: Value,
}

impl<M: Model> Opened<M> {
    async fn answer(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        self.offers.check_request(M::NAME, &self.config, &request)?;
        self.model.complete(request, host).await
    }
}

impl<M: Model> Instance for Opened<M> {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let mut results = Vec::with_capacity(batch.len());
            for (index, request) in batch.iter().enumerate() {
                let host = Host::new(host, &request.context, index as u32);
                results.push(match CompletionRequest::from_document(request.document.clone()) {
                    Ok(completion_request) => {
                        self.answer(completion_request, &host).await.and_then(IntoDocument::into_document)
                    }
                    Err(failure) => Err(failure),
                });
            }
            results
        })
    }

    fn as_model(&self) -> Option<&dyn ModelCalls> {
        Some(self)
    }
}

impl<M: Model> ModelCalls for Opened<M> {
    fn complete<'a>(&'a self, request: CompletionRequest, host: Host<'a>) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move { self.answer(request, &host).await })
    }
}
