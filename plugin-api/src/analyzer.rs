//! The kind `analyzer`.

use std::{future::Future, sync::Arc};

use crate::{
    BoxFuture, Config, Descriptor, Document, Example, Extension, FromDocument, Host, HostCalls, Instance, IntoDocument,
    Kind, Permission, Request, Result, Stability,
    document::input_schema,
    extension::{Erased, config_of},
};

/// Answers one document per document.
///
/// The type that implements it is the configuration (`#[derive(Config)]`), made anew from each stage's `with` table and
/// then shared by every call of that stage.
pub trait Analyzer: Config {
    /// Lower-case words joined by hyphens, unique among analyzers.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;
    /// What it reads.
    type Input: FromDocument;
    /// What it answers.
    type Output: IntoDocument;

    /// Prepares the instance once, before any call: checks what a schema cannot say, compiles what is used often.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`](crate::Failure::InvalidConfig) if the configuration makes no sense.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// Answers one document.
    fn analyze(&self, input: Self::Input, host: &Host) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }

    /// Worked examples: small, and exact.
    fn examples() -> Vec<Example> {
        Vec::new()
    }
}

/// The erased extension of an analyzer; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of<A: Analyzer>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<A>, |config| Ok(Arc::new(Opened(config_of::<A>(config)?.open()?))))
}

fn describe<A: Analyzer>(version: &str) -> Descriptor {
    Descriptor {
        kind: Kind::Analyzer,
        name: A::NAME.to_owned(),
        version: version.to_owned(),
        summary: A::SUMMARY.to_owned(),
        config: input_schema::<A>(),
        input: A::Input::schema(),
        output: A::Output::schema(),
        permissions: A::permissions(),
        examples: A::examples(),
        stability: A::STABILITY,
    }
}

struct Opened<A>(A);

impl<A: Analyzer> Instance for Opened<A> {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let mut results = Vec::with_capacity(batch.len());
            for (index, request) in batch.iter().enumerate() {
                let host = Host::new(host, &request.context, index as u32);
                results.push(match A::Input::from_document(request.document.clone()) {
                    Ok(input) => self.0.analyze(input, &host).await.and_then(IntoDocument::into_document),
                    Err(failure) => Err(failure),
                });
            }
            results
        })
    }
}
