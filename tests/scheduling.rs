//! The engine against a model of it: whatever the graph, the failures, the workers and the interruptions, the results are
//! those of a plain interpreter that runs one call after the other.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Event, Observer, Options, Silent};
use jackfield_loader::{Digest, ExtensionEntry, ExtensionFactory, Linkage, Plugin, Registry, sandbox::Limits};
use jackfield_pipeline::{
    ExtensionRef, InputExpr, InputPlan, OnError, OutputPlan, Plan, Policy, Scope, Source, StagePlan, TableEntry,
    ViewMarks, Wire,
};
use jackfield_plugin_api::{
    BoxFuture, Descriptor, Document, Failure, HostCalls, Instance, Kind, Random, Request, Result as CallResult,
    Stability,
};
use jackfield_services::Services;
use jackfield_store::{RunFolder, RunJson, RunState};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::results;

/// A stage of a made-up pipeline.
#[derive(Clone, Debug)]
struct StageSpec {
    /// Which earlier stages it reads, as a list.
    reads: Vec<bool>,
    /// Reads the first of them through a required field too.
    needs_first: bool,
    for_each: bool,
    repeat: Option<u32>,
    stops: bool,
    /// Out of 16 calls, how many fail for good.
    bad: u64,
    /// Out of 16 calls, how many fail the first time.
    shaky: u64,
    batch: u32,
    concurrency: Option<u32>,
}

#[derive(Clone, Debug)]
struct Case {
    stages: Vec<StageSpec>,
    items: u64,
    seed: u64,
    jobs: usize,
    in_flight: usize,
}

fn stage() -> impl Strategy<Value = StageSpec> {
    (
        prop::collection::vec(any::<bool>(), 6),
        any::<bool>(),
        prop::bool::weighted(0.3),
        prop::option::weighted(0.2, 1_u32..4),
        prop::bool::weighted(0.2),
        prop_oneof![3 => Just(0_u64), 2 => 1_u64..5],
        prop_oneof![2 => Just(0_u64), 1 => 1_u64..8],
        1_u32..6,
        prop::option::of(1_u32..3),
    )
        .prop_map(|(reads, needs_first, for_each, repeat, stops, bad, shaky, batch, concurrency)| StageSpec {
            reads,
            needs_first,
            for_each,
            repeat,
            stops,
            bad,
            shaky,
            batch,
            concurrency,
        })
}

fn case() -> impl Strategy<Value = Case> {
    (prop::collection::vec(stage(), 1..6), 0_u64..9, any::<u64>(), 1_usize..5, 1_usize..5)
        .prop_map(|(stages, items, seed, jobs, in_flight)| Case { stages, items, seed, jobs, in_flight })
}

// ---- the plan and the plugin --------------------------------------------------------------------------------------------

fn whole(source: Source) -> InputExpr {
    InputExpr::Wire(Wire { source, path: Vec::new() })
}

fn entry(key: &str, required: bool, value: InputExpr) -> TableEntry {
    TableEntry { key: key.to_owned(), required, value }
}

fn plan(case: &Case) -> Plan {
    let stages = case.stages.iter().enumerate().map(|(index, spec)| {
        let reads: Vec<usize> = (0..index).filter(|earlier| spec.reads[*earlier % spec.reads.len()]).collect();
        let mut input = vec![
            entry("item", true, whole(Source::Input)),
            entry("found", true, InputExpr::List(reads.iter().map(|read| whole(Source::Stage(*read))).collect())),
        ];
        if let Some(first) = reads.first().filter(|_| spec.needs_first) {
            input.push(entry("first", true, whole(Source::Stage(*first))));
        }
        if spec.for_each {
            input.push(entry("each", true, whole(Source::Each)));
        }
        let parts = Wire { source: Source::Input, path: vec![jackfield_pipeline::Step::Field("parts".into())] };
        StagePlan {
            name: format!("s{index}"),
            extension: ExtensionRef {
                plugin: "model".into(),
                linkage: Linkage::LinkedIn,
                kind: Kind::Analyzer,
                name: "model".into(),
                version: "0.0.0".into(),
                digest: Digest::of("model"),
            },
            config: json!({ "bad": spec.bad, "shaky": spec.shaky }),
            paths: BTreeMap::new(),
            input: InputExpr::Table(input),
            scope: Scope::Item,
            for_each: spec.for_each.then_some(parts),
            repeat: spec.repeat,
            when: None,
            reads,
            policy: Policy {
                timeout: None,
                attempts: 3,
                backoff: Duration::from_micros(50),
                longest_wait: Duration::from_secs(120),
                on_error: if spec.stops { OnError::Fail } else { OnError::Continue },
                concurrency: spec.concurrency,
                batch: spec.batch,
            },
            limits: Limits::default(),
            model: None,
            cache: None,
            store: None,
            deferred: false,
            route: None,
            views: ViewMarks::default(),
            output: None,
        }
    });
    Plan {
        name: "model".into(),
        digest: Digest::of("plan"),
        seed: case.seed,
        input: InputPlan::Inline { items: (0..case.items).map(item).collect(), id: Some("id".into()) },
        output: OutputPlan { item_files: false, files: Vec::new(), merged: Vec::new(), show: Vec::new() },
        max_in_flight: case.in_flight,
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
        stages: stages.collect(),
    }
}

fn item(index: u64) -> Value {
    json!({ "id": format!("i{index}"), "parts": (0..index % 4).collect::<Vec<_>>() })
}

/// Whether a call fails: decided by its seed, so that both sides agree without speaking to each other.
fn draw(seed: u64, salt: u64) -> u64 {
    Random::new(seed ^ salt).below(16)
}

struct Model;

impl ExtensionFactory for Model {
    fn open(&self, config: &str, _limits: &Limits) -> CallResult<Arc<dyn Instance>> {
        let config: Value = serde_json::from_str(config).expect("a config");
        Ok(Arc::new(Opened {
            bad: config["bad"].as_u64().expect("a number"),
            shaky: config["shaky"].as_u64().expect("a number"),
            tried: std::sync::Mutex::default(),
        }))
    }
}

struct Opened {
    bad: u64,
    shaky: u64,
    tried: std::sync::Mutex<BTreeMap<u64, u32>>,
}

impl Instance for Opened {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<CallResult<Document>>> {
        Box::pin(async move {
            // Some calls wait, others answer at once.
            if batch.iter().any(|request| draw(request.context.seed, 3) < 4) {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            batch.iter().map(|request| self.one(request)).collect()
        })
    }
}

impl Opened {
    fn one(&self, request: &Request) -> CallResult<Document> {
        let seed = request.context.seed;
        let tries = {
            let mut tried = self.tried.lock().expect("a lock");
            let tries = tried.entry(seed).or_insert(0);
            *tries += 1;
            *tries
        };
        if draw(seed, 1) < self.bad {
            return Err(Failure::InvalidInput("bad".into()));
        }
        if draw(seed, 2) < self.shaky && tries == 1 {
            return Err(Failure::Unavailable("shaky".into()));
        }
        Ok(Document::new(answer(&request.document.json, seed)))
    }
}

fn answer(input: &str, seed: u64) -> String {
    format!("{{\"seed\":{seed},\"read\":{}}}", input.len())
}

fn registry() -> Registry {
    let descriptor = Descriptor {
        kind: Kind::Analyzer,
        name: "model".into(),
        version: "0.0.0".into(),
        summary: "Answers by its seed".into(),
        config: json!({}),
        input: json!({}),
        output: json!({ "type": "object", "required": ["seed", "read"] }),
        permissions: Vec::new(),
        examples: Vec::new(),
        stability: Stability::Experimental,
    };
    Registry::new(vec![Plugin {
        alias: "model".into(),
        linkage: Linkage::LinkedIn,
        path: None,
        digest: Digest::of("model"),
        protocol: jackfield_plugin_api::PROTOCOL,
        extensions: vec![ExtensionEntry {
            descriptor: Arc::new(descriptor),
            factory: Arc::new(Model),
            grants: Arc::default(),
        }],
    }])
}

fn run(case: &Case, plan: &Plan, folder: RunFolder, cancel: &Cancel, observer: &mut dyn Observer) -> RunState {
    let registry = registry();
    let instances = jackfield_engine::open_stages(plan, &registry).expect("opened");
    let record = RunJson::new(&folder, plan, "model".into(), Vec::new());
    let options = Options { jobs: case.jobs, retry_failed: false, ..Options::default() };
    let engine =
        Engine { plan, registry: &registry, instances, services: Services::default(), inputs: &BundledInputs, options };
    engine.run(folder, record, cancel, observer).expect("a run").summary.state
}

// ---- the plain interpreter ----------------------------------------------------------------------------------------------

/// What `results.jsonl` must say of each item: state, outputs, and the kinds of failure by stage.
type Expected = Vec<(String, &'static str, Value, BTreeMap<String, Vec<String>>)>;

fn interpret(case: &Case, plan: &Plan, seeds: &BTreeMap<(String, String, u32), u64>) -> Expected {
    (0..case.items).map(|index| interpret_item(case, plan, &item(index), seeds)).collect()
}

fn interpret_item(
    case: &Case,
    plan: &Plan,
    item: &Value,
    seeds: &BTreeMap<(String, String, u32), u64>,
) -> (String, &'static str, Value, BTreeMap<String, Vec<String>>) {
    let id = item["id"].as_str().expect("an id").to_owned();
    let parts = item["parts"].as_array().expect("parts");
    // The text of each stage's result, and how it went.
    let mut done: Vec<Option<String>> = Vec::new();
    let mut outputs = serde_json::Map::new();
    let mut failures = BTreeMap::<String, Vec<String>>::new();
    let (mut well, mut ill, mut stopped) = (0, 0, false);
    for (stage, spec) in plan.stages.iter().zip(&case.stages) {
        let found: Vec<&str> = stage.reads.iter().filter_map(|read| done[*read].as_deref()).collect();
        let first = stage.reads.first().filter(|_| spec.needs_first).map(|read| done[*read].clone());
        let base = format!("{{\"item\":{item},\"found\":[{}]", found.join(","));
        let mut calls: Vec<Option<String>> = Vec::new();
        for each in if spec.for_each { parts.iter().map(Some).collect() } else { vec![None] } {
            let mut input = base.clone();
            match &first {
                Some(Some(text)) => input.push_str(&format!(",\"first\":{text}")),
                Some(None) => {
                    calls.extend((0..spec.repeat.unwrap_or(1)).map(|_| None));
                    continue;
                }
                None => {}
            }
            if let Some(each) = each {
                input.push_str(&format!(",\"each\":{each}"));
            }
            input.push('}');
            calls.extend((0..spec.repeat.unwrap_or(1)).map(|_| Some(input.clone())));
        }
        let mut answers = Vec::new();
        for (call, input) in calls.iter().enumerate() {
            match input {
                None => failures.entry(stage.name.clone()).or_default().push("skipped".into()),
                Some(input) => {
                    let seed = seeds[&(id.clone(), stage.name.clone(), call as u32)];
                    if draw(seed, 1) < spec.bad {
                        failures.entry(stage.name.clone()).or_default().push("invalid-input".into());
                    } else {
                        answers.push(answer(input, seed));
                    }
                }
            }
        }
        let flawed = answers.len() < calls.len();
        let skipped = !calls.is_empty() && calls.iter().all(Option::is_none);
        let result = if stage.is_list() {
            (!answers.is_empty() || calls.is_empty()).then(|| format!("[{}]", answers.join(",")))
        } else {
            answers.first().cloned()
        };
        if !answers.is_empty() || calls.is_empty() {
            let values: Vec<Value> = answers.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
            outputs.insert(stage.name.clone(), if stage.is_list() { Value::from(values) } else { values[0].clone() });
        }
        well += u32::from(result.is_some());
        ill += u32::from(flawed);
        done.push(result);
        if flawed && !skipped && spec.stops {
            stopped = true;
            break;
        }
    }
    let state = match (stopped, well, ill) {
        (true, ..) => "failed",
        (false, _, 0) => "ok",
        (false, 0, _) => "failed",
        _ => "partial",
    };
    (id, state, Value::Object(outputs), failures)
}

/// The seeds that the calls got, by item, stage and call, from the record: they are the engine's to choose, and are checked
/// to be the same in every run.
fn seeds(folder: &Path) -> BTreeMap<(String, String, u32), u64> {
    let mut seeds = BTreeMap::new();
    for line in results(folder) {
        for (stage, output) in line["outputs"].as_object().expect("outputs") {
            let many = output.as_array().cloned().unwrap_or_else(|| vec![output.clone()]);
            for (call, answer) in many.iter().enumerate() {
                let key = (line["item"].as_str().expect("an id").to_owned(), stage.clone(), call as u32);
                seeds.insert(key, answer["seed"].as_u64().expect("a seed"));
            }
        }
    }
    seeds
}

/// The seeds of all calls, learned from a run in which none fails.
fn learn(case: &Case) -> BTreeMap<(String, String, u32), u64> {
    let mut calm = case.clone();
    for stage in &mut calm.stages {
        (stage.bad, stage.shaky) = (0, 0);
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = RunFolder::create(out.path(), "model").expect("a run folder");
    let path = folder.path().to_owned();
    assert_eq!(run(&calm, &plan(&calm), folder, &Cancel::default(), &mut Silent), RunState::Complete);
    seeds(&path)
}

fn assert_as_expected(folder: &Path, expected: &Expected) {
    let found: Vec<_> = results(folder)
        .into_iter()
        .map(|line| {
            let failures = line["failures"].as_object().cloned().unwrap_or_default();
            let kinds = failures.into_iter().map(|(stage, list)| {
                let list = list.as_array().expect("a list").iter();
                (stage, list.map(|failure| failure["kind"].as_str().expect("a kind").to_owned()).collect::<Vec<_>>())
            });
            let state = line["state"].as_str().expect("a state").to_owned();
            (
                line["item"].as_str().expect("an id").to_owned(),
                state,
                line["outputs"].clone(),
                kinds.collect::<BTreeMap<_, _>>(),
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, state, outputs, kinds)| (id.clone(), (*state).to_owned(), outputs.clone(), kinds.clone()))
        .collect();
    assert_eq!(found, expected);
}

/// Aborts a run after some number of things happened.
struct Impatient {
    left: usize,
    cancel: Cancel,
    happened: Arc<AtomicUsize>,
}

impl Observer for Impatient {
    fn on(&mut self, _event: &Event<'_>) {
        self.happened.fetch_add(1, Ordering::Relaxed);
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.cancel.request();
            self.cancel.request();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_run_ends_as_a_plain_interpreter_would(case in case()) {
        let seeds = learn(&case);
        let plan = plan(&case);
        let out = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::create(out.path(), "model").expect("a run folder");
        let path = folder.path().to_owned();
        run(&case, &plan, folder, &Cancel::default(), &mut Silent);
        assert_as_expected(&path, &interpret(&case, &plan, &seeds));
    }

    #[test]
    fn any_run_that_is_aborted_and_resumed_ends_as_an_undisturbed_one(case in case(), aborts in prop::collection::vec(1_usize..20, 1..4)) {
        let seeds = learn(&case);
        let plan = plan(&case);
        let out = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::create(out.path(), "model").expect("a run folder");
        let path = folder.path().to_owned();
        let mut made = Some(folder);
        for after in aborts {
            let cancel = Cancel::default();
            let mut observer = Impatient { left: after, cancel: cancel.clone(), happened: Arc::default() };
            let open = || RunFolder::open(out.path(), path.to_str().expect("UTF-8")).expect("the run");
            let folder = made.take().unwrap_or_else(open);
            run(&case, &plan, folder, &cancel, &mut observer);
        }
        let folder = RunFolder::open(out.path(), path.to_str().expect("UTF-8")).expect("the run");
        run(&case, &plan, folder, &Cancel::default(), &mut Silent);
        assert_as_expected(&path, &interpret(&case, &plan, &seeds));
    }
}
