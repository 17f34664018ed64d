//! Extensions with one flaw each, made in the test itself: no loader would take some of them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, sandbox::Limits};
use jackfield_plugin_api::{
    BoxFuture, CompletionRequest, Descriptor, Document, Example, Failure, HostCalls, HttpRequest, Instance, Kind,
    Message, PROTOCOL, Permission, Request, Result, Stability,
};
use serde_json::{Value, json};

/// What is wrong with an extension. Without any of it, it answers the text that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    // What it says of itself.
    Unnamed,
    OddPermissions,
    BrokenSchema,
    OldSchema,
    OpenConfig,
    Undescribed,
    Moody,
    NoExamples,
    WrongExample,
    MisfitExample,
    // How it opens.
    PanicsAtOpening,
    TakesAnyConfig,
    // How it answers.
    TakesAnyInput,
    FailsTogether,
    AnswersNothing,
    LosesOrder,
    CountsBatch,
    CutsBytes,
    HatesLong,
    Sulks,
    Stubborn,
    Hangs,
    UnwrapsModel,
    UnwrapsCache,
    FetchesUnasked,
    Leaks,
    Clocks,
    Remembers,
    Gluttonous,
    NeedsUngranted,
}

static COUNTER: AtomicU64 = AtomicU64::new(0);
static LEAKED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A plugin with this one extension.
pub fn plugin(flaw: Flaw, linkage: Linkage) -> Plugin {
    let descriptor = Arc::new(descriptor(flaw));
    of(descriptor, Arc::new(Flawed(flaw)), linkage)
}

pub fn of(descriptor: Arc<Descriptor>, factory: Arc<dyn ExtensionFactory>, linkage: Linkage) -> Plugin {
    Plugin {
        alias: "flawed".to_owned(),
        linkage,
        path: None,
        digest: Digest::of("flawed"),
        protocol: PROTOCOL,
        extensions: vec![ExtensionEntry { descriptor, factory, grants: Arc::default() }],
    }
}

fn descriptor(flaw: Flaw) -> Descriptor {
    let object = |properties: Value, required: Value, closed: bool| {
        let mut schema = json!({ "type": "object", "properties": properties, "required": required });
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    };
    let text = json!({ "text": { "type": "string", "description": "Any text." } });
    let mut config = json!({ "prefix": { "type": "string", "description": "Put before each text." } });
    if flaw == Flaw::Undescribed {
        config["prefix"] = json!({ "type": "string" });
    }
    let mut config = object(config, json!([]), flaw != Flaw::OpenConfig);
    let mut input = object(text.clone(), json!(["text"]), false);
    match flaw {
        Flaw::BrokenSchema => input["properties"]["text"]["type"] = json!("text"),
        Flaw::OldSchema => config["$schema"] = json!("http://json-schema.org/draft-07/schema#"),
        _ => {}
    }
    let permission = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
    let permissions = match flaw {
        Flaw::OddPermissions => {
            vec![permission("everything", "to be sure"), permission("model", " "), permission("model", "to ask")]
        }
        Flaw::UnwrapsModel => vec![permission("model", "to ask")],
        Flaw::UnwrapsCache => vec![permission("cache", "to keep")],
        _ => Vec::new(),
    };
    let answer = match flaw {
        Flaw::WrongExample => json!({ "text": "b" }),
        Flaw::MisfitExample => json!({ "txt": "a" }),
        _ => json!({ "text": "a" }),
    };
    let example =
        Example { summary: "a text".to_owned(), config: json!({}), input: json!({ "text": "a" }), output: answer };
    let moody = if flaw == Flaw::Moody { COUNTER.fetch_add(1, Ordering::Relaxed) } else { 0 };
    Descriptor {
        kind: Kind::Analyzer,
        name: if flaw == Flaw::Unnamed { "Flawed_one".to_owned() } else { "flawed".to_owned() },
        version: if flaw == Flaw::Unnamed { "v1".to_owned() } else { "0.1.0".to_owned() },
        summary: match flaw {
            Flaw::Unnamed => "Answers what it reads.".to_owned(),
            Flaw::Moody => format!("Answers for the {moody}th time"),
            _ => "Answers what it reads".to_owned(),
        },
        config,
        input,
        output: object(text, json!(["text"]), true),
        permissions,
        examples: if matches!(flaw, Flaw::NoExamples | Flaw::PanicsAtOpening) { Vec::new() } else { vec![example] },
        stability: Stability::Experimental,
    }
}

struct Flawed(Flaw);

impl ExtensionFactory for Flawed {
    fn open(&self, config: &str, _limits: &Limits) -> Result<Arc<dyn Instance>> {
        if self.0 == Flaw::PanicsAtOpening {
            panic!("cannot be opened");
        }
        let bad = |what: &str| Err(Failure::InvalidConfig(what.to_owned()));
        let object = serde_json::from_str::<Value>(config).unwrap_or_default();
        let prefix = match object.as_object() {
            _ if self.0 == Flaw::TakesAnyConfig => "",
            None => return bad("it is no object"),
            Some(map) if map.keys().any(|key| key != "prefix") => return bad("unknown key"),
            Some(map) => match map.get("prefix") {
                None => "",
                Some(Value::String(prefix)) => prefix,
                Some(_) => return bad("`prefix` is no text"),
            },
        };
        if self.0 == Flaw::Leaks {
            LEAKED.lock().expect("a lock").push(vec![1; 1 << 20]);
        }
        Ok(Arc::new(Opened { flaw: self.0, prefix: prefix.to_owned(), last: Mutex::default() }))
    }
}

struct Opened {
    flaw: Flaw,
    prefix: String,
    last: Mutex<Option<String>>,
}

impl Opened {
    async fn one(&self, index: usize, batch: &[Request], host: &dyn HostCalls) -> Result<Document> {
        let read = serde_json::from_str::<Value>(&batch[index].document.json);
        let text = read.ok().and_then(|value| value["text"].as_str().map(str::to_owned));
        let Some(mut text) = text.or_else(|| (self.flaw == Flaw::TakesAnyInput).then(String::new)) else {
            return Err(Failure::InvalidInput("it has no `text`".to_owned()));
        };
        match self.flaw {
            Flaw::CountsBatch => text.push_str(&batch.len().to_string()),
            Flaw::CutsBytes if text.len() > 1 => text = text[1..].to_owned(),
            Flaw::HatesLong if text.len() > 40 => return Err(Failure::Internal("too much".to_owned())),
            Flaw::Sulks if host.cancelled() => panic!("nobody wants me"),
            Flaw::Stubborn | Flaw::Hangs => {
                while self.flaw == Flaw::Hangs || host.cancelled() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            Flaw::UnwrapsModel => {
                let request = CompletionRequest::new(vec![Message::user(text)]);
                text = host.complete(index as u32, request).await.expect("an answer").text;
            }
            Flaw::UnwrapsCache => {
                let kept = host.cache_get(index as u32, "key").await.expect("a cache");
                assert!(kept.is_none() || kept.as_deref() == Some(b"value"));
                host.cache_put(index as u32, "key", b"value".as_slice().into(), None).await.expect("a cache");
            }
            Flaw::FetchesUnasked => {
                let _ = host.fetch(index as u32, HttpRequest::get("https://example.org/")).await;
            }
            Flaw::NeedsUngranted => {
                let answer = host.fetch(index as u32, HttpRequest::get("https://example.org/")).await;
                text = answer.map_or_else(|_| "none".to_owned(), |_| text);
            }
            Flaw::Clocks => text.push_str(&COUNTER.fetch_add(1, Ordering::Relaxed).to_string()),
            Flaw::Remembers => {
                let before = self.last.lock().expect("a lock").replace(text.clone());
                text.push_str(before.as_deref().unwrap_or_default());
            }
            Flaw::Gluttonous => return Err(Failure::OverBudget("asked for more than there is".to_owned())),
            _ => {}
        }
        Ok(Document::new(json!({ "text": format!("{}{text}", self.prefix) }).to_string()))
    }
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let mut results = Vec::new();
            for index in 0..batch.len() {
                results.push(self.one(index, batch, host).await);
            }
            match self.flaw {
                Flaw::FailsTogether => {
                    if let Some(failed) = results.iter().find(|result| result.is_err()).cloned() {
                        results.fill(failed);
                    }
                }
                Flaw::AnswersNothing if batch.is_empty() => results.push(Ok(Document::new("{}"))),
                Flaw::LosesOrder if batch.len() > 60 => results.reverse(),
                _ => {}
            }
            results
        })
    }
}
