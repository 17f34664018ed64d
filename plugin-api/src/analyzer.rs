//! The kind `analyzer`.

use std::{future::Future, sync::Arc};

use crate::{
    BoxFuture, Config, Descriptor, Document, Example, Extension, Failure, FromDocument, Host, HostCalls, Instance,
    IntoDocument, Kind, Permission, Request, Result, Stability,
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

    /// Answers several documents, one result per document, in order.
    ///
    /// A host hands documents over in batches. By default each is answered in turn by [`Analyzer::analyze`]; an extension
    /// that can work on several at once for less than one after the other (a model that runs in the process, an index)
    /// overrides this, and gives each document the answer that `analyze` gives it. `hosts` has one host per document. A
    /// batch of one document may go to `analyze`.
    fn analyze_batch(
        &self,
        inputs: Vec<Self::Input>,
        hosts: &[Host<'_>],
    ) -> impl Future<Output = Vec<Result<Self::Output>>> + Send {
        async move {
            let mut results = Vec::with_capacity(inputs.len());
            for (input, host) in inputs.into_iter().zip(hosts) {
                results.push(self.analyze(input, host).await);
            }
            results
        }
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
            if let [request] = batch {
                let host = Host::new(host, &request.context, 0);
                let answer = match A::Input::from_document(request.document.clone()) {
                    Ok(input) => self.0.analyze(input, &host).await.and_then(IntoDocument::into_document),
                    Err(failure) => Err(failure),
                };
                return vec![answer];
            }
            let (mut inputs, mut hosts) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
            let mut results: Vec<Option<Result<Document>>> = Vec::with_capacity(batch.len());
            for (index, request) in batch.iter().enumerate() {
                results.push(match A::Input::from_document(request.document.clone()) {
                    Ok(input) => {
                        inputs.push(input);
                        hosts.push(Host::new(host, &request.context, index as u32));
                        None
                    }
                    Err(failure) => Some(Err(failure)),
                });
            }
            let input_count = inputs.len();
            let answers = if input_count == 0 { Vec::new() } else { self.0.analyze_batch(inputs, &hosts).await };
            if answers.len() != input_count {
                let (name, answered) = (A::NAME, answers.len());
                let failure =
                    Failure::Internal(format!("`{name}` answered {answered} of {input_count} documents of a batch"));
                return results.into_iter().map(|refusal| refusal.unwrap_or_else(|| Err(failure.clone()))).collect();
            }
            let mut answers = answers.into_iter().map(|answer| answer.and_then(IntoDocument::into_document));
            results
                .into_iter()
                .map(|refusal| refusal.unwrap_or_else(|| answers.next().expect("every input has an answer")))
                .collect()
        })
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::task::{Context as TaskContext, Poll, Waker};

    use super::*;
    use crate::testing::{FakeHost, test_context};

    /// Counts how many documents came together; a batch with the number 13 in it loses an answer.
    struct Together;

    impl<'de> serde::Deserialize<'de> for Together {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
            Ok(Self)
        }
    }

    impl schemars::JsonSchema for Together {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Together".into()
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "object" })
        }
    }

    impl Config for Together {
        const SUMMARY: &'static str = "counts";
    }

    impl Analyzer for Together {
        const NAME: &'static str = "together";
        type Input = u64;
        type Output = (u64, u64);

        async fn analyze(&self, input: u64, _: &Host<'_>) -> Result<(u64, u64)> {
            Ok((input, 1))
        }

        async fn analyze_batch(&self, inputs: Vec<u64>, hosts: &[Host<'_>]) -> Vec<Result<(u64, u64)>> {
            assert_eq!(inputs.len(), hosts.len());
            let of = inputs.len() as u64;
            inputs.iter().filter(|&&input| input != 13).map(|&input| Ok((input, of))).collect()
        }
    }

    fn answers(documents: &[&str]) -> Vec<Result<String>> {
        let request = |json: &&str| Request { document: Document::new(*json), context: test_context() };
        let batch: Vec<Request> = documents.iter().map(request).collect();
        let (opened, host) = (Opened(Together), FakeHost::default());
        let Poll::Ready(answers) =
            opened.call(&batch, &host).as_mut().poll(&mut TaskContext::from_waker(Waker::noop()))
        else {
            panic!("nothing to wait for");
        };
        answers.into_iter().map(|answer| answer.map(|document| document.json.to_string())).collect()
    }

    #[test]
    fn a_batch_is_answered_at_once_and_in_order_around_documents_that_cannot_be_read() {
        let found = answers(&["1", "\"one\"", "2"]);
        assert_eq!(found[0].as_deref(), Ok("[1,2]"));
        assert!(matches!(&found[1], Err(Failure::InvalidInput(_))), "{found:?}");
        assert_eq!(found[2].as_deref(), Ok("[2,2]"));
        assert_eq!(answers(&["5"]), [Ok("[5,1]".to_owned())]);
    }

    #[test]
    fn a_batch_that_loses_an_answer_fails_rather_than_mixing_answers_up() {
        for answer in answers(&["1", "13", "2"]) {
            assert!(matches!(&answer, Err(Failure::Internal(why)) if why.contains("2 of 3")), "{answer:?}");
        }
    }
}
