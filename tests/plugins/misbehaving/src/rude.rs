//! Analyzers that break the rules of the contract, most of them by going round its types.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_plugin_api::{
    __private::{extension_of, inventory},
    BoxFuture, Descriptor, Document, Extension, HostCalls, Instance, Kind, Registration, Request,
    prelude::*,
};
use serde_json::json;

use crate::{Echo, Text, bad};

/// Answers something other than what its schema says.
#[derive(Config)]
pub(crate) struct Lies {}

/// A count, says the schema.
#[derive(Document)]
pub(crate) struct Count {
    /// How many characters there are.
    #[schemars(with = "u64")]
    pub(crate) count: Claim,
}

/// What stands where a count should.
#[derive(Document)]
#[serde(untagged)]
pub(crate) enum Claim {
    /// A count.
    True(u64),
    /// Anything else.
    False(String),
}

impl Analyzer for Lies {
    const NAME: &str = "lies";
    type Input = Text;
    type Output = Count;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Count> {
        let count =
            if input.is_bad() { Claim::False("plenty".to_owned()) } else { Claim::True(input.text.len() as u64) };
        Ok(Count { count })
    }

    fn examples() -> Vec<Example> {
        vec![Example { output: json!({ "count": 3 }), ..bad(json!({})) }]
    }
}

/// The ways to break a rule.
#[derive(Clone, Copy)]
enum Manner {
    /// One result too many.
    Miscounts,
    /// An answer that is no JSON.
    Garbles,
    /// An answer of lists within lists, ten thousand deep.
    Nests,
    /// A tensor that is not of the shape it claims.
    Mismeasures,
    /// A panic for the whole batch. A text that comes again after that is answered in capitals.
    Crowds,
}

impl Manner {
    const fn name(self) -> &'static str {
        match self {
            Self::Miscounts => "miscounts",
            Self::Garbles => "garbles",
            Self::Nests => "nests",
            Self::Mismeasures => "mismeasures",
            Self::Crowds => "crowds",
        }
    }
}

inventory::submit! { Registration { kind: Kind::Analyzer, name: "miscounts", make: || rude(Manner::Miscounts) } }
inventory::submit! { Registration { kind: Kind::Analyzer, name: "garbles", make: || rude(Manner::Garbles) } }
inventory::submit! { Registration { kind: Kind::Analyzer, name: "nests", make: || rude(Manner::Nests) } }
inventory::submit! { Registration { kind: Kind::Analyzer, name: "mismeasures", make: || rude(Manner::Mismeasures) } }
inventory::submit! { Registration { kind: Kind::Analyzer, name: "crowds", make: || rude(Manner::Crowds) } }

/// `echo` with bad manners.
fn rude(manner: Manner) -> Arc<dyn Extension> {
    assert!(std::env::var_os("JACKFIELD_TEST_PANIC_IN_DESCRIBE").is_none(), "has nothing to offer");
    let echo = extension_of::<Echo>(env!("CARGO_PKG_VERSION"));
    let examples = vec![bad(json!({}))];
    let descriptor = Descriptor { name: manner.name().to_owned(), examples, ..echo.descriptor().clone() };
    Arc::new(Rude { descriptor, echo, manner })
}

struct Rude {
    descriptor: Descriptor,
    echo: Arc<dyn Extension>,
    manner: Manner,
}

impl Extension for Rude {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn open(&self, config: &str) -> Result<Arc<dyn Instance>> {
        Ok(Arc::new(Opened { echo: self.echo.open(config)?, manner: self.manner, seen: Mutex::default() }))
    }
}

struct Opened {
    echo: Arc<dyn Instance>,
    manner: Manner,
    /// The texts that were in a batch that failed.
    seen: Mutex<BTreeSet<Arc<str>>>,
}

impl Opened {
    /// Panics if there is a bad text in the batch; remembers the others.
    fn crowd(&self, batch: &[Request]) -> BTreeSet<Arc<str>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.iter().any(is_bad) {
            seen.extend(batch.iter().map(|request| Arc::clone(&request.document.json)));
            panic!("cannot stand one of {}", batch.len());
        }
        seen.clone()
    }
}

fn is_bad(request: &Request) -> bool {
    request.document.json.contains("\"bad\"")
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let mut results = self.echo.call(batch, host).await;
            let bad = || batch.iter().position(is_bad);
            match self.manner {
                Manner::Crowds => {
                    let seen = self.crowd(batch);
                    for (request, result) in batch.iter().zip(&mut results) {
                        if seen.contains(&request.document.json) {
                            *result =
                                Ok(Document::new(request.document.json.replace("\"text\":\"", "\"text\":\"AGAIN ")));
                        }
                    }
                }
                Manner::Miscounts => results.extend(bad().map(|_| Ok(Document::new("{}")))),
                Manner::Garbles => {
                    if let Some(bad) = bad() {
                        results[bad] = Ok(Document::new("{\"text\": bad}"));
                    }
                }
                Manner::Nests => {
                    if let Some(bad) = bad() {
                        results[bad] = Ok(Document::new("[".repeat(10_000) + &"]".repeat(10_000)));
                    }
                }
                Manner::Mismeasures => {
                    if let (Some(bad), Some(result)) = (bad(), bad().and_then(|bad| results.get_mut(bad))) {
                        let tensor =
                            Tensor { name: "weights".to_owned(), shape: vec![u64::MAX, 2], data: [0.0; 3].into() };
                        *result = Ok(Document { json: Arc::clone(&batch[bad].document.json), tensors: vec![tensor] });
                    }
                }
            }
            results
        })
    }
}
