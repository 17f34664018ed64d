//! Searches with one flaw each.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jackfield_loader::Plugin;
use jackfield_plugin_api as api;
use jackfield_plugin_api::{
    __private::extension_of_search, BoxFuture, Descriptor, Document, Domain, Extension, Failure, HostCalls, Instance,
    Outcome, Request, Result, SearchPolicy, SearchQuestion, Study, Values, step_value,
};
use serde_json::{Value, json};

use super::flawed_services::plugin;

/// Goes wherever the seed leads.
#[derive(api::prelude::Config)]
struct Wanderer {
    #[config(default)]
    flaw: String,
}

static MOOD: AtomicU64 = AtomicU64::new(0);

impl SearchPolicy for Wanderer {
    const NAME: &str = "wanderer";

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        if self.flaw == "strict" && known.iter().any(|outcome| outcome.objectives.is_empty()) {
            return Err(Failure::InvalidInput("a trial came to nothing".to_owned()));
        }
        let mood = if self.flaw == "moody" { MOOD.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let turn = question.seed.wrapping_add(known.len() as u64).wrapping_add(mood) % 97;
        let mut values = Values::new();
        for dimension in study.space.iter() {
            let value = match dimension.domain()? {
                Domain::Choices(choices) => choices[turn as usize % choices.len()].clone(),
                Domain::Float { min, max, .. } => json!(min + (max - min) * turn as f64 / 97.0),
                Domain::LogIntegers { min, max } => json!(min + turn as i64 % (max - min + 1)),
                Domain::Steps { min, step, count, integer: true } => json!(step_value(min, step, turn % count) as i64),
                Domain::Steps { min, step, count, .. } => json!(step_value(min, step, turn % count)),
            };
            if dimension.applies(&values) {
                values.insert(dimension.name.clone(), value);
            }
        }
        Ok(values)
    }
}

/// A search whose answers are changed before anyone sees them.
struct Changed(Arc<dyn Extension>);

struct ChangedInstance {
    inner: Arc<dyn Instance>,
    flaw: String,
}

impl Extension for Changed {
    fn descriptor(&self) -> &Descriptor {
        self.0.descriptor()
    }

    fn open(&self, config: &str) -> Result<Arc<dyn Instance>> {
        let inner = self.0.open(config)?;
        let config: Value = serde_json::from_str(config).expect("a configuration");
        Ok(Arc::new(ChangedInstance { inner, flaw: config["flaw"].as_str().unwrap_or_default().to_owned() }))
    }
}

impl ChangedInstance {
    fn change(&self, request: &Request, document: Document) -> Document {
        let asked: Value = serde_json::from_str(&request.document.json).expect("a request");
        let mut answer: Value = serde_json::from_str(&document.json).expect("an answer");
        let known = asked["state"].as_array().map_or(0, Vec::len);
        let entries = answer.get_mut("append").and_then(Value::as_array_mut);
        let entries = entries.into_iter().flatten().enumerate();
        match self.flaw.as_str() {
            "forgetful" => entries.for_each(|(at, entry)| entry["context"] = json!(at.to_string())),
            "diary" => entries.for_each(|(at, entry)| entry["context"] = json!("so it went. ".repeat(known + at))),
            "beyond" | "talkative" => {
                let decisions = answer.get_mut("decisions").and_then(Value::as_array_mut);
                for (decision, question) in
                    decisions.into_iter().flatten().zip(asked["decide"].as_array().into_iter().flatten())
                {
                    if question["reports"].is_array() == (self.flaw == "talkative") {
                        decision["values"]["elsewhere"] = json!(1);
                    }
                }
            }
            _ => return document,
        }
        Document { json: answer.to_string().into(), ..document }
    }
}

impl Instance for ChangedInstance {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let answers = self.inner.call(batch, host).await;
            let changed = answers.into_iter().zip(batch);
            changed.map(|(answer, request)| answer.map(|document| self.change(request, document))).collect()
        })
    }
}

pub fn search(flaw: &'static str) -> Plugin {
    plugin(Arc::new(Changed(extension_of_search::<Wanderer>("0.1.0"))), flaw)
}
