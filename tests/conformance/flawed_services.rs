//! Models and caches with one flaw each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use jackfield_loader::{ExtensionFactory, Linkage, Plugin, sandbox::Limits};
use jackfield_plugin_api as api;
use jackfield_plugin_api::{
    __private::{extension_of_cache, extension_of_model},
    Ability, CacheBackend, CacheEntry, CacheSize, CacheValue, Completion, CompletionRequest, Descriptor, Extension,
    Failure, FinishReason, Host, Instance, Model, Offers, Result, Token, Usage,
};

use super::flawed::of;

/// Opens an extension whose flaw stands in its configuration.
struct WithFlaw {
    extension: Arc<dyn Extension>,
    flaw: &'static str,
}

impl ExtensionFactory for WithFlaw {
    fn open(&self, config: &str, _limits: &Limits) -> Result<Arc<dyn Instance>> {
        self.extension.open(&config.replacen('{', &format!("{{\"flaw\":\"{}\"", self.flaw), 1))
    }
}

pub(super) fn plugin(extension: Arc<dyn Extension>, flaw: &'static str) -> Plugin {
    let mut descriptor: Descriptor = extension.descriptor().clone();
    // The flaw is none of the examiner's business.
    descriptor.config["properties"] = serde_json::json!({});
    of(Arc::new(descriptor), Arc::new(WithFlaw { extension, flaw }), Linkage::LinkedIn)
}

/// Answers with the first words of the question.
#[derive(api::prelude::Config)]
struct Parrot {
    #[config(default)]
    flaw: String,
}

impl Model for Parrot {
    const NAME: &str = "parrot";

    fn offers() -> Offers {
        Offers::always(&[Ability::Complete, Ability::Tokenize])
    }

    async fn complete(&self, request: CompletionRequest, host: &Host<'_>) -> Result<Completion> {
        let wrong = |what: &str| self.flaw == what;
        if wrong("picky") && request.seed.is_some() {
            return Err(Failure::InvalidInput("no seeds, please".to_owned()));
        }
        if wrong("away") {
            panic!("no server");
        }
        let read = request.messages.iter().map(|message| message.content.len() as u64).sum::<u64>() / 4 + 1;
        let mut text = match &request.schema {
            Some(_) if wrong("chatty") => "Here it is: {}".to_owned(),
            Some(_) => r#"{"quote":"the train","time":"morning","sure":true}"#.to_owned(),
            None => "the train leaves at nine, or so they say in the station".to_owned(),
        };
        if !wrong("deaf") && request.schema.is_none() {
            if let Some(end) = request.stop.iter().filter_map(|stop| text.find(stop)).min() {
                text.truncate(end);
            }
            if let Some(most) = request.max_tokens {
                text = text.split_whitespace().take(most as usize).collect::<Vec<_>>().join(" ");
            }
        }
        let output = if wrong("boastful") { 1_000_000 } else { text.len() as u64 / 4 + 1 };
        let usage = Some(Usage::new(read, output));
        let usd = if wrong("greedy") { 0.5 } else { 0.0 };
        if wrong("mute") {
            text.clear();
        }
        if wrong("gossips") {
            text.push_str(&host.context().stage);
        }
        // What is offered, and asked for.
        let tokens = (request.tokenize && !wrong("coy"))
            .then(|| text.split(' ').zip(1..).map(|(word, id)| Token { id, text: word.to_owned() }).collect());
        Ok(Completion { tokens, text, usage, finish: FinishReason::Stop, usd, ..Completion::default() })
    }
}

pub fn model(flaw: &'static str) -> Plugin {
    plugin(extension_of_model::<Parrot>("0.1.0"), flaw)
}

/// Keeps values in a map.
#[derive(api::prelude::Config)]
struct Shelf {
    #[config(default)]
    flaw: String,
    #[serde(skip)]
    kept: Mutex<BTreeMap<String, (CacheValue, Option<Instant>)>>,
}

impl Shelf {
    fn is(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, (CacheValue, Option<Instant>)>) -> T) -> T {
        let mut kept = self.kept.lock().expect("a lock");
        if !self.is("hoards") {
            kept.retain(|_, (_, until)| until.is_none_or(|until| until > Instant::now()));
        }
        work(&mut kept)
    }
}

impl CacheBackend for Shelf {
    const NAME: &str = "shelf";

    async fn get(&self, key: &str, _: &Host<'_>) -> Result<Option<CacheValue>> {
        Ok(self.with(|kept| kept.get(key).map(|(value, _)| Arc::clone(value))))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, _: &Host<'_>) -> Result<()> {
        let value: CacheValue =
            if self.is("texts") { String::from_utf8_lossy(&value).as_bytes().into() } else { value };
        let until = ttl.map(|ttl| Instant::now() + ttl);
        if self.is("races") {
            // Reads, and writes all of it back.
            let mut all = self.with(|kept| kept.clone());
            thread::sleep(Duration::from_micros(200));
            all.insert(key.to_owned(), (value, until));
            self.with(|kept| *kept = all);
        } else {
            self.with(|kept| kept.insert(key.to_owned(), (value, until)));
        }
        Ok(())
    }

    async fn remove(&self, key: &str, _: &Host<'_>) -> Result<()> {
        self.with(|kept| kept.retain(|name, _| name != key && !(self.is("sweeps") && name.starts_with(&key[..20]))));
        Ok(())
    }

    async fn clear(&self, prefix: &str, _: &Host<'_>) -> Result<u64> {
        Ok(self.with(|kept| {
            let before = kept.len();
            kept.retain(|name, _| !name.starts_with(prefix));
            (before - kept.len()) as u64
        }))
    }

    async fn size(&self, prefix: &str, _: &Host<'_>) -> Result<CacheSize> {
        Ok(self.with(|kept| CacheSize {
            entries: kept.keys().filter(|name| name.starts_with(prefix)).count() as u64,
            bytes: 0,
        }))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, _: &Host<'_>) -> Result<Vec<CacheEntry>> {
        let limit = if self.is("lists") { usize::MAX } else { limit };
        let wanted = |name: &str| name.starts_with(prefix) && after.is_none_or(|after| name > after);
        Ok(self.with(|kept| {
            let entries = kept.iter().filter(|(name, _)| wanted(name)).take(limit);
            let entry = |(key, (value, _)): (&String, &(CacheValue, _))| CacheEntry {
                key: key.clone(),
                value: Arc::clone(value),
                ttl: None,
            };
            let mut entries: Vec<_> = entries.map(entry).collect();
            if self.is("lists") {
                entries.reverse();
            }
            entries
        }))
    }

    fn is_durable(&self) -> bool {
        false
    }
}

pub fn cache(flaw: &'static str) -> Plugin {
    plugin(extension_of_cache::<Shelf>("0.1.0"), flaw)
}
