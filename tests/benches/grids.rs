//! What the host takes of a batch of grid programs: the pipeline of a folder, run cold and warm with everything on the record, beside
//! the same calls of its stages by hand on one thread, JSON in and out.
//!
//! `tests/benches/grids.py` makes the folder and runs this; by itself, `cargo run --release -p jackfield-cli --example grids -- FOLDER`.
#![allow(unreachable_pub, dead_code, clippy::allow_attributes, reason = "modules of one program")]

mod measure;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use futures::FutureExt as _;
use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, Request as Asked};
use jackfield_plugin_api::{Context, Document, Instance, Request, testing::FakeHost};
use jackfield_services::open_services;
use jackfield_store::{RunFolder, RunJson, RunState};
use serde_json::{Value, json};

use crate::measure::{heading, row};

/// Runs of each kind, of which the least counts.
const ROUNDS: usize = 12;

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of a batch");
    let batch = Batch::new(Path::new(&folder));
    let cold = least(|| {
        batch.forget();
        batch.run()
    });
    let warm = least(|| batch.run());
    let calls = batch.calls();
    let by_hand = least(|| batch.by_hand(&calls));
    heading("The same batch within one process, start-up and check apart, CPU time", &["what", "CPU time"]);
    for (what, time) in [
        ("cold, everything on the record", cold),
        ("of which the stages themselves, called by hand", by_hand),
        ("the host's share", cold.saturating_sub(by_hand)),
        ("warm, everything on the record", warm),
    ] {
        row(&[what.to_owned(), format!("{:.1} ms", time.as_secs_f64() * 1e3)]);
    }
}

/// CPU time of this process, all threads, to a microsecond or so.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The least CPU time that the work takes in some rounds: what it says it took.
fn least(mut work: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| work()).min().expect("there are rounds")
}

/// A pipeline, its plugins and its folder.
struct Batch<'a> {
    folder: &'a Path,
    plan: Plan,
    registry: Registry,
}

impl<'a> Batch<'a> {
    fn new(folder: &'a Path) -> Self {
        let draft = jackfield_pipeline::parse(Asked { path: folder, set: &[], input: &[] }).expect("a draft");
        let registry = Registry::new(vec![bundled()]);
        let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        Self { folder, plan, registry }
    }

    /// What was kept is gone.
    fn forget(&self) {
        let _ = fs::remove_dir_all(self.folder.join(".jackfield"));
    }

    /// Runs the pipeline and says what it took, the opening of its stages and caches included.
    fn run(&self) -> Duration {
        let began = cpu();
        let instances = open_stages(&self.plan, &self.registry).expect("opened");
        let services = open_services(&self.plan, &self.registry).unwrap_or_else(|faults| panic!("{faults:?}"));
        let run_folder = RunFolder::create(&self.folder.join("bench"), &self.plan.name).expect("a folder");
        let path = run_folder.path().to_owned();
        let run = RunJson::new(&run_folder, &self.plan, "pipeline.toml".into(), Vec::new());
        let options = Options { jobs: 1, retry_failed: false, ..Options::default() };
        let engine =
            Engine { plan: &self.plan, registry: &self.registry, instances, services, inputs: &BundledInputs, options };
        let outcome = engine.run(run_folder, run, &Cancel::default(), &mut Silent).expect("a run");
        assert_eq!(outcome.summary.state, RunState::Complete);
        assert_eq!(outcome.summary.items.ok, outcome.summary.items.total, "{:?}", outcome.summary);
        let took = cpu() - began;
        fs::remove_dir_all(path).expect("removed");
        took
    }

    /// The input of every call of the run, by stage, in the order of the stages.
    fn calls(&self) -> Vec<(usize, Vec<Request>)> {
        let tasks: BTreeMap<String, Value> =
            serde_json::from_str(&fs::read_to_string(self.folder.join("tasks.json")).expect("tasks")).expect("JSON");
        let stage = |name: &str| self.plan.stages.iter().position(|stage| stage.name == name).expect("a stage");
        let instances = open_stages(&self.plan, &self.registry).expect("opened");
        let mut calls: BTreeMap<usize, Vec<Request>> = BTreeMap::new();
        let mut done = |name: &str, item: &str, input: Value| -> Value {
            let request = request(name, item, &input);
            let answer = answer(&*instances[stage(name)][0], std::slice::from_ref(&request));
            calls.entry(stage(name)).or_default().push(request);
            answer
        };
        for (id, task) in &tasks {
            let programs = done("candidates", id, json!({ "task": id }))["programs"].clone();
            let scores = done("score", id, json!({ "demos": task["train"], "programs": programs }))["scores"].clone();
            let reduced = json!({ "id": id, "programs": programs, "scores": scores });
            let bodies = done("canonical", id, reduced)["bodies"].clone();
            let whole = json!({ "id": id, "train": task["train"], "test": task["test"], "bodies": bodies });
            let results = done("validate", id, whole)["results"].clone();
            let ranked = json!({ "demos": task["train"], "bodies": bodies, "results": results, "scores": scores });
            let kept = done("keep", id, ranked)["kept"].clone();
            done("submit", id, json!({ "id": id, "test": task["test"], "kept": kept }));
        }
        calls.into_iter().collect()
    }

    /// Makes all calls one after the other and says what they took, the opening of the stages included.
    fn by_hand(&self, calls: &[(usize, Vec<Request>)]) -> Duration {
        let began = cpu();
        let instances = open_stages(&self.plan, &self.registry).expect("opened");
        for (stage, requests) in calls {
            for request in requests {
                std::hint::black_box(call(&*instances[*stage][0], std::slice::from_ref(request)));
            }
        }
        cpu() - began
    }
}

fn request(stage: &str, item: &str, input: &Value) -> Request {
    Request {
        document: Document::new(input.to_string()),
        context: Context { stage: stage.into(), item: item.into(), element: 0, replicate: 0, seed: 0 },
    }
}

fn call(instance: &dyn Instance, batch: &[Request]) -> Document {
    let host = FakeHost::default();
    let answers = instance.call(batch, &host).now_or_never().expect("these stages never wait");
    answers.into_iter().next().expect("an answer").unwrap_or_else(|failure| panic!("{failure}"))
}

fn answer(instance: &dyn Instance, batch: &[Request]) -> Value {
    serde_json::from_str(&call(instance, batch).json).expect("JSON")
}
