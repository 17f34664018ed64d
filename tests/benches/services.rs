//! What models and caches cost: calls a second and CPU time a call against a server of 50 ms, a completion from the cache, the
//! bootstrap of `claims`. Everything is measured in one run, alternatives side by side, as Markdown.
//!
//! `cargo run --release -p jackfield-cli --example services`; with `PEERS_PYTHON` naming a Python that has NumPy, its bootstrap is measured
//! beside ours. `-- calls`, `-- cached` and `-- bootstrap` measure a part.
#![allow(unreachable_pub, dead_code, clippy::allow_attributes, reason = "modules of one program")]

mod measure;
#[path = "../model_server.rs"]
mod model_server;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, Request};
use jackfield_plugin_api::{Context, prelude::*};
use jackfield_services::{Caller, PendingCompletions, Services, open_services};
use jackfield_store::{RunFolder, RunJson};

use crate::{
    measure::{cpu, heading, ratio, row, shown},
    model_server::{ModelServer, Reply},
};

const LATENCY: Duration = Duration::from_millis(50);
/// Calls of a measurement, as many as the claims pipeline makes.
const QUESTIONS: u64 = 12_640;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--serve") {
        let server = ModelServer::start(LATENCY, |_| Reply::text(ANSWER));
        println!("{}", server.address);
        loop {
            std::thread::park();
        }
    }
    let part =
        |name: &str| !arguments.iter().any(|arg| !arg.starts_with('-')) || arguments.iter().any(|arg| arg == name);
    part("calls").then(calls);
    part("cached").then(cached);
    part("bootstrap").then(bootstrap);
}

const ANSWER: &str = r#"{"belief": {"prob_true": 0.4, "label": "uncertain"}, "reasons": ["one"], "assumptions": [], "uncertainties": [], "flags": {"refused": false, "off_topic": false}}"#;

/// The server in a process of its own, so that its CPU time is not ours.
struct Server(Child, String);

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .arg("--serve")
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("an address");
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The claims: those of TruthfulQA where they are there, as many made-up ones otherwise.
fn claims() -> String {
    let mut text = String::from("id,claim\n");
    let file = root().join("../shared/data/claims/truthfulqa.csv");
    if let Ok(mut reader) = csv::Reader::from_path(&file) {
        let headers = reader.headers().expect("headers").clone();
        let column = headers.iter().position(|name| name == "Best Answer").expect("a column");
        for (number, record) in reader.records().enumerate() {
            let claim = record.expect("a record")[column].replace('"', "'");
            text.push_str(&format!("{number},\"{claim}\"\n"));
        }
    } else {
        (0..790).for_each(|number| text.push_str(&format!("{number},Claim number {number} is true.\n")));
    }
    text
}

/// The example's pipeline over these claims, against this server.
fn prepared(folder: &Path, address: &str, concurrency: usize) -> (Plan, Registry, Services) {
    fs::copy(root().join("examples/claims/bank.toml"), folder.join("bank.toml")).expect("copied");
    fs::copy(root().join("examples/claims/pipeline.toml"), folder.join("pipeline.toml")).expect("copied");
    fs::write(folder.join("claims.csv"), claims()).expect("written");
    let set = format!(
        "model.judge={{ use = \"openai\", concurrency = {concurrency}, with = {{ base_url = \"http://{address}/v1\", name = \"tiny\" }}, \
         price = {{ input = 0.15, output = 0.6 }}, budget = {{ usd = 1000.0 }}, retry = {{ attempts = 5 }} }}"
    );
    opened(folder, &[set])
}

fn opened(folder: &Path, set: &[String]) -> (Plan, Registry, Services) {
    let request = Request { path: folder, set, input: &[] };
    let draft = jackfield_pipeline::parse(request).unwrap_or_else(|faults| panic!("{faults:?}"));
    let registry = Registry::new(vec![bundled()]);
    let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
    let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
    (plan, registry, services)
}

/// What `bench-ask` reads.
#[derive(Document)]
struct Question {
    text: String,
}

/// What `bench-ask` answers.
#[derive(Document)]
struct Answered {
    length: usize,
}

/// Asks once.
#[derive(Config)]
struct BenchAsk {}

impl Analyzer for BenchAsk {
    const NAME: &'static str = "bench-ask";
    type Input = Question;
    type Output = Answered;

    async fn analyze(&self, question: Question, host: &Host<'_>) -> Result<Answered> {
        let answer = host.complete(CompletionRequest::new(vec![Message::user(question.text)])).await?;
        Ok(Answered { length: answer.text.len() })
    }
}

export_plugin!(BenchAsk);

/// A pipeline of one stage that asks once an item, as many items as the claims pipeline makes calls.
fn questions(folder: &Path, address: &str, concurrency: usize) -> (Plan, Registry, Services) {
    let mut items = String::new();
    let filler = "Is it so, and how likely is it, judging by what is commonly known? ".repeat(8);
    for number in 0..QUESTIONS {
        items.push_str(&format!("{{\"text\": \"Question {number}: {filler}\"}}\n"));
    }
    fs::write(folder.join("items.jsonl"), items).expect("written");
    let toml = format!(
        "[pipeline]\nname = \"questions\"\nmax_in_flight = 1024\n[input]\nuse = \"jsonl\"\npath = \"items.jsonl\"\n\
         [model.judge]\nuse = \"openai\"\nconcurrency = {concurrency}\nwith = {{ base_url = \"http://{address}/v1\", name = \"tiny\" }}\n\
         price = {{ input = 0.15, output = 0.6 }}\nbudget = {{ usd = 1000.0 }}\ncache = \"kept\"\n\
         [cache.kept]\ntiers = [{{ use = \"memory\" }}]\n\
         [stages.ask]\nuse = \"bench-ask\"\nin = {{ text = \"input.text\" }}\nmodel = \"judge\"\n"
    );
    fs::write(folder.join("pipeline.toml"), toml).expect("written");
    opened(folder, &[])
}

fn calls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start();
    let latency = latency(&server.1);
    let one = latency.as_secs_f64() * 1e3;
    heading(
        &format!("Completions against a server of {one:.1} ms: cache keys, budget, retries and record on"),
        &[
            "what",
            "concurrency",
            "calls",
            "wall",
            "against calls x latency / concurrency",
            "calls a second",
            "CPU a call",
            "CPU against bare",
        ],
    );
    for concurrency in [64, 256] {
        let at = (concurrency, latency);
        let folder = tempfile::tempdir().expect("a folder");
        let pipeline = questions(folder.path(), &server.1, concurrency);
        let alone = bare(&server.1, at);
        run("jackfield, a question an item", pipeline, folder.path(), at, alone);
        let folder = tempfile::tempdir().expect("a folder");
        let pipeline = prepared(folder.path(), &server.1, concurrency);
        run("jackfield, the claims pipeline, estimates and all", pipeline, folder.path(), at, alone);
    }
}

/// Runs a pipeline with everything on the record, and tells what its calls cost.
fn run(
    what: &str,
    (plan, registry, services): (Plan, Registry, Services),
    folder: &Path,
    (concurrency, latency): (usize, Duration),
    bare: Duration,
) {
    let instances = open_stages(&plan, &registry).expect("opened");
    let run_folder = RunFolder::create(folder, &plan.name).expect("a folder");
    let run = RunJson::new(&run_folder, &plan, PathBuf::new(), Vec::new());
    let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
    let engine = Engine {
        plan: &plan,
        registry: &registry,
        instances,
        services: services.clone(),
        inputs: &BundledInputs,
        options,
    };
    let (began, used) = (Instant::now(), cpu());
    let outcome = engine.run(run_folder, run, &Cancel::default(), &mut Silent).expect("a run");
    let (wall, used) = (began.elapsed(), cpu() - used);
    let count = services.models[0].count();
    assert_eq!(outcome.summary.items.ok, outcome.summary.items.total, "{:?}", outcome.summary);
    told(what, (concurrency, latency), count.calls, (wall, used), Some(bare));
}

/// The server's latency as a client sees it that asks one thing after the other: the median of a few calls.
fn latency(address: &str) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().expect("a client");
    let url = format!("http://{address}/v1/chat/completions");
    let mut times: Vec<Duration> = (0..41)
        .map(|_| {
            let began = Instant::now();
            runtime.block_on(async {
                let sent = client.post(&url).body("{}").send().await.expect("sent");
                sent.bytes().await.expect("a body");
            });
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Tells what so many calls took, and their CPU time against that of a bare call.
fn told(
    what: &str,
    (concurrency, latency): (usize, Duration),
    calls: u64,
    (wall, used): (Duration, Duration),
    bare: Option<Duration>,
) -> Duration {
    let ideal = latency.mul_f64(calls as f64 / concurrency as f64);
    let each = used / calls as u32;
    row(&[
        what.to_owned(),
        concurrency.to_string(),
        calls.to_string(),
        format!("{:.2} s", wall.as_secs_f64()),
        ratio(wall, ideal),
        format!("{:.0}", calls as f64 / wall.as_secs_f64()),
        shown(each),
        bare.map_or_else(String::new, |bare| ratio(each, bare)),
    ]);
    each
}

/// The same calls by the HTTP client alone: one body, sent again and again, the answer read as JSON. The CPU time of one.
fn bare(address: &str, (concurrency, latency): (usize, Duration)) -> Duration {
    let calls = QUESTIONS;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().expect("a client");
    let body = serde_json::json!({ "model": "tiny", "messages": [{ "role": "user", "content": "x".repeat(1400) }] })
        .to_string();
    let url = format!("http://{address}/v1/chat/completions");
    let (began, used) = (Instant::now(), cpu());
    runtime.block_on(async {
        let left = Arc::new(std::sync::atomic::AtomicI64::new(calls as i64));
        let tasks = (0..concurrency).map(|_| {
            let (client, body, url, left) = (client.clone(), body.clone(), url.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                while left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                    let sent =
                        client.post(&url).header("content-type", "application/json").body(body.clone()).send().await;
                    let bytes = sent.expect("sent").bytes().await.expect("a body");
                    serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON");
                }
            })
        });
        futures::future::join_all(tasks.collect::<Vec<_>>()).await;
    });
    told("bare reqwest, nothing else", (concurrency, latency), calls, (began.elapsed(), cpu() - used), None)
}

fn cached() {
    heading("A completion from the model's cache, key and all", &["tier", "prompt", "time"]);
    for (tier, tiers) in [("memory", "[{ use = \"memory\" }]"), ("sqlite", "[{ use = \"sqlite\" }]")] {
        for size in [100, 10_000] {
            let folder = tempfile::tempdir().expect("a folder");
            let toml = format!(
                "[pipeline]\nname = \"cached\"\n[input]\nuse = \"inline\"\nitems = [{{ text = \"A: hello.\" }}]\n\
                 [model.judge]\nuse = \"mock\"\ncache = \"kept\"\n[cache.kept]\ntiers = {tiers}\n\
                 [stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n"
            );
            fs::write(folder.path().join("pipeline.toml"), toml).expect("written");
            let draft =
                jackfield_pipeline::parse(Request { path: folder.path(), set: &[], input: &[] }).expect("a draft");
            let registry = Registry::new(vec![bundled()]);
            let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
            let services = open_services(&plan, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
            let context = Context { stage: "bench".into(), item: "one".into(), element: 0, replicate: 0, seed: 0 };
            let request = CompletionRequest::new(vec![Message::user("x".repeat(size))]);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let rounds = 5000;
            let time = runtime.block_on(async {
                let pending = PendingCompletions::default();
                let complete = async || {
                    let in_progress = pending.begin();
                    let caller = Caller { context: &context, pending: &in_progress };
                    services.models[0].complete(request.clone(), caller).await.0.expect("an answer").completion
                };
                complete().await;
                let began = Instant::now();
                for _ in 0..rounds {
                    assert!(complete().await.cached);
                }
                began.elapsed() / rounds
            });
            row(&[tier.to_owned(), format!("{size} B"), shown(time)]);
        }
    }
}

fn bootstrap() {
    println!("\n### The bootstrap of `claims`\n\n```text");
    let rust = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "-p", "jackfield-claims", "--example", "bootstrap"])
        .current_dir(root())
        .output()
        .expect("started");
    print!("jackfield\n{}", String::from_utf8_lossy(&rust.stdout));
    match std::env::var("PEERS_PYTHON") {
        Ok(python) => {
            let script = root().join("plugins/claims/bench/bootstrap.py");
            let output = Command::new(python).arg(script).output().expect("started");
            print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        Err(_) => println!("PEERS_PYTHON is not set: NumPy is not measured"),
    }
    println!("```");
}
