//! Host calls on record, and calls that are made again from it.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::{
    Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry,
    sandbox::{Grants, Limits},
};
use jackfield_pipeline::{
    ExtensionRef, InputExpr, InputPlan, OnError, OutputPlan, Plan, Policy, Scope, Source, StagePlan, ViewMarks, Wire,
};
use jackfield_plugin_api::{
    BoxFuture, Descriptor, Document, HostCalls, HttpRequest, Instance, Kind, Level, Permission, Request,
    Result as CallResult, Stability,
};
use jackfield_services::{CallRecorder, RecordedAnswer, RecordedCall, Replayer, Services};
use serde_json::{Value, json};

use crate::support::{Pipeline, fixture, jackfield, run_command, tree};

/// A pipeline that asks a model and a cache, by the claims plugin in one of its forms.
fn claims(form: &str) -> Pipeline {
    let (plugin, prefix) = match form {
        "linked-in" => (String::new(), ""),
        "native" => {
            let path = fixture("jackfield_claims.so");
            let digest = Digest::of_file(&path).expect("a digest");
            (format!("[plugins.own]\npath = {path:?}\nallow_native = true\nsha256 = \"{digest}\"\n"), "own/")
        }
        _ => (format!("[plugins.own]\npath = {:?}\n", fixture("jackfield_claims.wasm")), "own/"),
    };
    let bank = crate::support::root().join("examples/claims/bank.toml");
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "claims"
{plugin}
[input]
use   = "inline"
items = [{{ claim = "Water is wet." }}]

[model.judge]
use = "mock"

[cache.kept]
tiers = [{{ use = "memory" }}]

[stages.plan]
use   = "{prefix}claim-plan"
in    = {{ claim = "input.claim" }}
with  = {{ bank = {bank:?}, slots = 2, replicates = 2 }}
model = "judge"
store = "kept"

[stages.sample]
use      = "{prefix}claim-sample"
for_each = "plan.slots"
in       = "each"
with     = {{ bank = {bank:?} }}
model    = "judge"
store    = "kept"
"#
    ))
}

/// Runs it with a record, and gives the files, sorted.
fn recorded(pipeline: &Pipeline) -> Vec<PathBuf> {
    let run = run_command(pipeline.command().arg("--record")).expect_code(0);
    let folder = run.folder().join("calls");
    assert!(run.stderr.contains(&format!("calls in {}", folder.display())), "{}", run.stderr);
    tree(&folder).into_iter().map(|(name, _)| folder.join(name)).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("read")).expect("JSON")
}

#[test]
fn a_recorded_call_has_the_same_answer_when_it_is_made_again_in_every_form() {
    let mut asked = Vec::new();
    for form in ["linked-in", "native", "wasm"] {
        let pipeline = claims(form);
        let files = recorded(&pipeline);
        let names: Vec<_> =
            files.iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
        assert_eq!(
            names,
            ["plan-1-1.json", "sample-1-1.json", "sample-1-2.json", "sample-1-3.json", "sample-1-4.json"]
        );
        let mut calls = Vec::new();
        for path in &files {
            let mut command = jackfield();
            command.args(["plugins", "replay", "--json"]).arg(path);
            if form == "native" {
                command.arg("--allow-native");
            }
            let told = run_command(&mut command).expect_code(0).json();
            assert_eq!((&told["same"], &told["answer_recorded"]), (&true.into(), &true.into()), "{told}");
            let record = read(path);
            assert_eq!(record["form"], form);
            calls.push(
                record["host_calls"]
                    .as_array()
                    .expect("calls")
                    .iter()
                    .filter_map(|entry| {
                        let call = entry["call"].as_str().expect("a name");
                        (call != "cancelled" && call != "model-name").then(|| (call.to_owned(), entry["asked"].clone()))
                    })
                    .collect::<Vec<_>>(),
            );
        }
        // Calls of one stage are under way at once: which is the first is chance. The extension's keys hold its digest alone.
        calls.sort_by_key(|calls| format!("{calls:?}"));
        assert_eq!(calls[0][0].0, "cache-get");
        assert!(calls.iter().flatten().any(|(call, _)| call == "complete"));
        asked.push(
            calls
                .iter()
                .map(|calls| calls.iter().map(|(call, _)| call.clone()).collect::<Vec<_>>())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0], asked[2]);
}

#[test]
fn a_native_call_is_made_again_only_if_that_is_allowed_and_the_file_is_the_same() {
    let pipeline = claims("native");
    let path = &recorded(&pipeline)[0];
    let refused = run_command(jackfield().args(["plugins", "replay"]).arg(path)).expect_code(2);
    assert!(refused.stderr.contains("hint: if you trust it, add --allow-native"), "{}", refused.stderr);
    // A mend may come in another form; the record is the same.
    let mut command = jackfield();
    command.args(["plugins", "replay"]).arg(path).arg("--plugin").arg(fixture("jackfield_claims.wasm"));
    let told = run_command(&mut command).expect_code(0);
    assert!(told.stdout.starts_with("same answer\n"), "{told:?}");

    let mut record = read(path);
    record["sha256"] = Digest::of("another").to_string().into();
    fs::write(path, record.to_string()).expect("written");
    let mut command = jackfield();
    let changed = run_command(command.args(["plugins", "replay", "--allow-native"]).arg(path)).expect_code(2);
    assert!(
        changed.stderr.contains("hint: to make the call with the file as it is now, add `--plugin PATH`"),
        "{}",
        changed.stderr
    );
}

#[test]
fn the_first_difference_is_shown() {
    let pipeline = claims("linked-in");
    let files = recorded(&pipeline);
    // Which of the calls is recorded first is chance.
    let file = files[1..].iter().min_by_key(|path| read(path)["requests"][0]["seed"].as_u64()).expect("a file");
    let whole = read(file);
    let complete = whole["host_calls"].as_array().expect("calls").iter().position(|entry| entry["call"] == "complete");
    let complete = complete.expect("a completion");
    let replay = |change: &dyn Fn(&mut Value)| {
        let mut record = whole.clone();
        change(&mut record);
        fs::write(file, record.to_string()).expect("written");
        let told = run_command(jackfield().args(["plugins", "replay"]).arg(file)).expect_code(1);
        told.stdout
    };
    let answer = replay(&|record| record["answer"]["results"][0]["document"]["json"]["label"] = "no such label".into());
    insta::assert_snapshot!("another_answer", answer);
    // What was asked then differs from what is asked now.
    let asked = replay(&|record| record["host_calls"][complete]["asked"]["max_tokens"] = 7.into());
    let asked: String = asked.lines().take(5).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!("another_question", asked);
    let more = replay(&|record| {
        let log = json!({ "call": "log", "asked": { "level": "info", "target": "plugin", "message": "gone" } });
        record["host_calls"].as_array_mut().expect("calls").push(log);
    });
    insta::assert_snapshot!("a_call_that_is_gone", more);
    let failed = replay(&|record| {
        let entry = &mut record["host_calls"][complete];
        entry.as_object_mut().expect("an entry").remove("answer");
        entry["failure"] = json!({ "kind": "unavailable", "message": "the server is away" });
    });
    assert!(failed.contains("the answer differs at"), "{failed}");
}

#[test]
fn a_file_that_is_not_a_record_is_reported_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = String::new();
    for (name, text) in
        [("cut.json", "{\"format\": 1"), ("other.json", "{\"format\": 1}"), ("later.json", "{\"format\": 9}")]
    {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        told += &run_command(jackfield().args(["plugins", "replay"]).arg(&path)).expect_code(2).stderr;
    }
    told += &run_command(jackfield().args(["plugins", "replay"]).arg(folder.path().join("none.json")))
        .expect_code(2)
        .stderr;
    insta::assert_snapshot!(told.replace(&*folder.path().to_string_lossy(), "[folder]"));
}

#[test]
fn a_resumed_run_adds_to_the_record() {
    let pipeline = claims("linked-in");
    let into = pipeline.path().join("kept");
    for _ in 0..2 {
        run_command(pipeline.command().arg("--record").arg(&into)).expect_code(0);
    }
    assert_eq!(tree(&into).len(), 10);
    let names: Vec<PathBuf> = tree(&into).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"plan-1-2.json".into()) && names.contains(&"sample-1-8.json".into()), "{names:?}");
}

// ---- a plugin that knows secrets ----------------------------------------------------------------------------------------

/// A variable that is set wherever tests run.
const VARIABLE: &str = "PATH";

struct Gossip(String);

impl ExtensionFactory for Gossip {
    fn open(&self, _config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        Ok(Arc::new(Self(self.0.clone())))
    }
}

impl Instance for Gossip {
    fn call<'a>(&'a self, batch: &'a [Request], host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        Box::pin(async move {
            let secret = std::env::var(VARIABLE).expect("set");
            host.log(Level::Info, "plugin", &format!("it is {secret}"));
            host.progress(0, 1, Some(2), "half");
            let sleepy = host.cancelled() || batch[0].document.json.contains("wait");
            let mut request =
                HttpRequest::post(format!("{}/?{secret}", self.0), [b"\xff".as_slice(), secret.as_bytes()].concat());
            request = request.header("Authorization", "Bearer token-of-mine").header("accept", "text/plain");
            let answer = host.fetch(0, request).await;
            if sleepy {
                std::future::pending::<()>().await;
            }
            let said = answer.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
            batch
                .iter()
                .map(|_| Ok(Document::new(json!({ "said": said.clone()?, "secret": secret }).to_string())))
                .collect()
        })
    }
}

fn gossip(server: String) -> Registry {
    let permission = |name: &str| Permission { name: name.to_owned(), reason: "to tell".to_owned() };
    let descriptor = Descriptor {
        kind: Kind::Analyzer,
        name: "gossip".into(),
        version: "1.0.0".into(),
        summary: "tells what it knows".into(),
        config: json!(true),
        input: json!(true),
        output: json!(true),
        permissions: vec![permission(&format!("env:{VARIABLE}")), permission("http")],
        examples: Vec::new(),
        stability: Stability::Stable,
    };
    let grants = Arc::new(Grants::all("gossip", &descriptor));
    Registry::new(vec![Plugin {
        alias: "gossip".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("gossip"),
        protocol: jackfield_plugin_api::PROTOCOL,
        extensions: vec![ExtensionEntry {
            descriptor: Arc::new(descriptor),
            factory: Arc::new(Gossip(server)),
            grants,
        }],
    }])
}

fn plan(item: &str, timeout: Option<Duration>) -> Plan {
    let stage = StagePlan {
        name: "tell".into(),
        extension: ExtensionRef {
            plugin: "gossip".into(),
            linkage: Linkage::LinkedIn,
            kind: Kind::Analyzer,
            name: "gossip".into(),
            version: "1.0.0".into(),
            digest: Digest::of("gossip"),
        },
        config: json!({}),
        paths: BTreeMap::new(),
        input: InputExpr::Wire(Wire { source: Source::Input, path: Vec::new() }),
        scope: Scope::Item,
        for_each: None,
        repeat: None,
        when: None,
        reads: Vec::new(),
        policy: Policy {
            timeout,
            attempts: 1,
            backoff: Duration::ZERO,
            longest_wait: Duration::from_secs(120),
            on_error: OnError::Continue,
            concurrency: None,
            batch: 1,
        },
        limits: Limits::default(),
        model: None,
        cache: None,
        store: None,
        deferred: false,
        route: None,
        views: ViewMarks::default(),
        output: None,
    };
    Plan {
        name: "gossip".into(),
        digest: Digest::of("plan"),
        seed: 0,
        input: InputPlan::Inline { items: vec![json!(item)], id: None },
        output: OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() },
        max_in_flight: 1,
        sandbox_memory: None,
        tensor_storage: None,
        keep_runs: None,
        max_usd: None,
        recorded_calls: Default::default(),
        columns: Vec::new(),
        requirements: Vec::new(),
        search: None,
        item_views: ViewMarks::default(),
        exports: Vec::new(),
        variables: Vec::new(),
        models: Vec::new(),
        caches: Vec::new(),
        stages: vec![stage],
    }
}

/// Answers each request with a cookie and some bytes.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 65536];
            let _ = stream.read(&mut bytes);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nset-cookie: session-of-mine\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
            );
        }
    });
    format!("http://{address}")
}

fn record(plan: &Plan, registry: &Registry, into: &Path) -> PathBuf {
    let services =
        Services { calls: Some(Arc::new(CallRecorder::new(into).expect("a folder"))), ..Services::default() };
    let options = Options { jobs: 1, retry_failed: false, ..Options::default() };
    let instances = open_stages(plan, registry).expect("opened");
    let engine = Engine { plan, registry, instances, services, inputs: &BundledInputs, options };
    engine.run_unrecorded(&Cancel::default(), &mut Silent).expect("a run");
    into.join("tell-1-1.json")
}

#[test]
fn no_secret_reaches_the_record_and_the_call_can_be_made_again() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), server());
    let registry = gossip(server.clone());
    let path = record(&plan("go", None), &registry, folder.path());
    let text = fs::read_to_string(&path).expect("a record");
    for secret in [std::env::var(VARIABLE).expect("set").as_str(), "token-of-mine", "session-of-mine"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let shown = text.replace(&server, "[server]").replace(env!("CARGO_PKG_VERSION"), "[version]");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown["host_calls"]).expect("JSON"));

    let call = RecordedCall::parse(&text).expect("a record");
    let requests = call.to_requests().expect("requests");
    let replayer = Replayer::new(&call, &registry.plugins()[0].extensions[0].grants);
    let instance = Gossip(server);
    let answered = futures_block(instance.call(&requests, &replayer));
    let now = replayer.as_recorded(&RecordedAnswer::from_results(&Ok(answered)));
    assert_eq!(now, serde_json::to_value(&call.answer).expect("JSON"));
    assert_eq!(replayer.divergences(), []);
}

#[test]
fn a_call_that_nobody_waits_for_is_recorded_without_an_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = gossip(server());
    let path = record(&plan("wait", Some(Duration::from_millis(300))), &registry, folder.path());
    // It is written when the call is dropped, which the end of the run need not wait for.
    for _ in 0..400 {
        if path.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let record = read(&path);
    assert_eq!(record["answer"], Value::Null);
    assert_eq!(record["host_calls"].as_array().expect("calls").last().expect("one")["call"], "fetch");
}

fn futures_block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
