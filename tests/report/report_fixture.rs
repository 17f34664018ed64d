//! A pipeline with everything that a report tells of: models, caches, two routes, failures.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Observer, Options, Silent, open_stages};
use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, sandbox::Limits};
use jackfield_pipeline::Request as PipelineRequest;
use jackfield_plugin_api::{
    BoxFuture, CompletionRequest, Descriptor, Document, Failure, HostCalls, Instance, Kind, Message, Permission,
    Random, Request, Result as CallResult, Stability,
};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson, Summary};
use serde_json::{Value, json};

pub const PIPELINE: &str = r#"
[pipeline]
name = "answers"
seed = 7
max_in_flight = 16

[input]
use = "jsonl"
path = "queries.jsonl"
id = "id"

[model.small]
use = "mock"
with = { latency_ms = 1 }
cache = "explanations"
budget = { usd = 0.05 }
price = { input = 0.15, output = 0.60 }

[model.large]
use = "mock"
with = { latency_ms = 6, seed = 1 }
cache = "explanations"
price = { input = 2.5, output = 10.0 }

[cache.evidence]
tiers = [{ use = "memory", ttl = "30m" }, { use = "sqlite", with = { path = "evidence.sqlite" }, ttl = "30d" }]

[cache.explanations]
tiers = [{ use = "memory", ttl = "15m" }]

[stages.domain]
use = "report-fixture"
in = { text = "input.text", kind = "input.kind" }
with = { role = "domain" }

[stages.retrieve]
use = "report-fixture"
in = { text = "input.text", label = "domain.label" }
with = { role = "retrieve" }
route = { use = "thompson", context = "domain.label", reward = "grade.reward", arms = [{ alpha = 0.2 }, { alpha = 0.5 }, { alpha = 0.8 }] }

[stages.feedback]
use = "report-fixture"
in = { text = "input.text" }
with = { role = "feedback" }
cache = "evidence"

[stages.answer]
use = "report-fixture"
in = { text = "input.text", found = "retrieve", advice = "feedback" }
with = { role = "answer" }
model = "small"

[stages.answer.route]
use = "pareto"
with = { preference = { cost = 0.3, quality = 0.5, diversity = 0.2 }, trials = 5, epsilon = 0.1 }
context = "domain.label"
maximize = ["answer.quality", "answer.diversity"]
minimize = ["answer.cost"]
arms = [{ passages = 1 }, { passages = 3 }, { passages = 5 }, { passages = 5, wide = true }, { passages = 8 }, { passages = 8, wide = true }, { passages = 5, poor = true }]

[stages.explain]
use = "report-fixture"
in = { text = "input.text", answer = "answer" }
with = { role = "explain" }
model = "large"

[stages.grade]
use = "report-fixture"
in = { found = "retrieve", answer = "answer" }
with = { role = "grade" }
"#;

/// Opens the only extension of the fixture, whose configuration says what it does.
struct OpensRole;

struct Opened(Value);

impl ExtensionFactory for OpensRole {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        Ok(Arc::new(Opened(serde_json::from_str(config).expect("JSON"))))
    }
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        Box::pin(async move {
            let mut answers = Vec::new();
            for (place, request) in batch.iter().enumerate() {
                let answer = self.answer(place as u32, request, host).await;
                answers.push(answer.map(|answer| Document::new(answer.to_string())));
            }
            answers
        })
    }
}

impl Opened {
    async fn answer(&self, place: u32, request: &Request, host: &dyn HostCalls) -> CallResult<Value> {
        let (config, input) = (&self.0, serde_json::from_str::<Value>(&request.document.json).expect("JSON"));
        let mut random = Random::new(request.context.seed);
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let text = input["text"].as_str().unwrap_or_default();
        match config["role"].as_str().unwrap_or_default() {
            "say" => {
                if text.contains("impossible") {
                    return Err(Failure::InvalidInput(format!("nothing is to be said of {text}")));
                }
                if config["asks"] == json!(true) {
                    let asked = vec![Message::system("Be short."), Message::user(text)];
                    host.complete(place, CompletionRequest::new(asked)).await?;
                }
                Ok(json!({ "text": format!("{} {text}", config["words"].as_str().unwrap_or_default()) }))
            }
            "judge" => {
                let letters = text.chars().count();
                let score = number(&json!(letters % 11)) / 10.0;
                Ok(json!({ "score": score, "passed": score >= 0.5, "reason": format!("{letters} letters") }))
            }
            "domain" => Ok(json!({ "label": input["kind"] })),
            "feedback" => {
                pause(300 + random.below(2_000)).await;
                Ok(json!({ "accepted": text.len() % 7 }))
            }
            "retrieve" => {
                pause(100 + random.below(random.clone().below(4_000) + 1)).await;
                // Each label is served best by another weight.
                let best = match input["label"].as_str() {
                    Some("finance") => 0.8,
                    Some("healthcare") => 0.2,
                    _ => 0.5,
                };
                Ok(json!({ "good": 0.85 - 1.1 * (number(&config["alpha"]) - best).abs() }))
            }
            "answer" => {
                let passages = number(&config["passages"]);
                let wide = config["wide"] == json!(true);
                let asked = CompletionRequest::new(vec![Message::user(format!("{config} {text}"))]);
                host.complete(place, asked).await?;
                // As dear as the same without it, and worse in everything.
                let poor = if config["poor"] == json!(true) { 0.25 } else { 0.0 };
                let noise = (random.next_f64() - 0.5) * 0.1;
                Ok(json!({
                    "cost": passages * if wide { 0.9 } else { 0.7 } + poor + noise,
                    "quality": 1.0 - 0.8 / passages - if wide { 0.12 } else { 0.0 } - poor + noise,
                    "diversity": 0.08 * passages + if wide { 0.3 } else { 0.0 } - poor + noise,
                }))
            }
            "explain" => {
                if text.contains("impossible") {
                    return Err(Failure::InvalidInput(format!(
                        "query {}: nothing explains this {}",
                        text.len(),
                        input["text"]
                    )));
                }
                if random.next_f64() < 0.02 {
                    return Err(Failure::Internal(format!("lost after {} steps", random.below(90))));
                }
                let asked = CompletionRequest::new(vec![Message::user(format!("explain {text}"))]);
                host.complete(place, asked).await?;
                Ok(json!({}))
            }
            _ => {
                let good = random.next_f64() < number(&input["found"]["good"]);
                Ok(json!({ "reward": f64::from(u8::from(good)) }))
            }
        }
    }
}

async fn pause(micros: u64) {
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

pub fn registry() -> Registry {
    let number = json!({ "type": "number" });
    let output = json!({ "type": "object", "properties": {
        "label": { "type": "string" }, "text": { "type": "string" }, "reward": number, "cost": number, "quality": number, "diversity": number,
    } });
    let descriptor = Descriptor {
        kind: Kind::Analyzer,
        name: "report-fixture".into(),
        version: "0.0.0".into(),
        summary: "Does what its configuration says".into(),
        config: json!({ "type": "object" }),
        input: json!({}),
        output,
        permissions: vec![Permission { name: "model".into(), reason: "to ask it".into() }],
        examples: Vec::new(),
        stability: Stability::Experimental,
    };
    let fixture = Plugin {
        alias: "report-fixture".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("report-fixture"),
        protocol: jackfield_plugin_api::PROTOCOL,
        extensions: vec![ExtensionEntry {
            descriptor: Arc::new(descriptor),
            factory: Arc::new(OpensRole),
            grants: Arc::default(),
        }],
    };
    Registry::new(vec![bundled(), fixture])
}

/// Queries of three kinds, each of them twice or more if there are more than `different`.
pub fn queries(count: usize, different: usize) -> String {
    let mut lines = String::new();
    for place in 0..count {
        let query = place % different;
        let kind = ["finance", "healthcare", "travel"][query % 3];
        let query =
            json!({ "id": format!("q{place}"), "text": format!("question {query} about {kind}"), "kind": kind });
        let _ = writeln!(lines, "{query}");
    }
    lines
}

/// A folder with a pipeline and its queries.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new(queries: &str) -> Self {
        Self::with_pipeline(PIPELINE, queries)
    }

    pub fn with_pipeline(pipeline: &str, queries: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("pipeline.toml"), pipeline).expect("written");
        fs::write(folder.path().join("queries.jsonl"), queries).expect("written");
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn run(&self) -> (PathBuf, Summary) {
        self.run_with(&[], &Cancel::default(), &mut Silent)
    }

    /// A new run, with changes to the pipeline.
    pub fn run_with(&self, set: &[&str], cancel: &Cancel, observer: &mut dyn Observer) -> (PathBuf, Summary) {
        let registry = registry();
        let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
        let draft = jackfield_pipeline::parse(PipelineRequest { path: self.path(), set: &set, input: &[] });
        let plan = draft
            .and_then(|draft| jackfield_pipeline::check(&draft, &registry))
            .unwrap_or_else(|faults| panic!("{faults}"));
        let folder = RunFolder::create(&self.path().join("runs"), &plan.name).expect("a folder");
        let path = folder.path().to_owned();
        let record = RunJson::new(&folder, &plan, self.path().join("pipeline.toml"), Vec::new());
        let instances = open_stages(&plan, &registry).expect("opened");
        let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
        let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
        let summary = engine.run(folder, record, cancel, observer).expect("a run").summary;
        (path, summary)
    }
}
