//! The engine: a diamond of four stages that do nothing, over many items.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Options, Silent, open_stages};
use jackfield_loader::Registry;
use jackfield_pipeline::{Plan, Request};
use jackfield_plugin_api::prelude::*;
use jackfield_services::Services;
use jackfield_store::{RunFolder, RunJson, RunState};

use crate::measure::{again, cpu_per_unit, heading, peak_mib, ratio, row, shown};

/// What the stages pass on.
#[derive(Document)]
pub struct Number {
    /// Any number.
    pub n: u64,
}

/// Passes a number on.
#[derive(Config)]
pub struct Pass {}

impl Analyzer for Pass {
    const NAME: &str = "bench-pass";
    type Input = Number;
    type Output = Number;

    async fn analyze(&self, input: Number, _host: &Host<'_>) -> Result<Number> {
        Ok(input)
    }
}

/// What the last stage of the diamond reads.
#[derive(Document)]
pub struct Two {
    /// One side.
    pub left: Number,
    /// The other.
    pub right: Number,
}

/// Joins two numbers.
#[derive(Config)]
pub struct Join {}

impl Analyzer for Join {
    const NAME: &str = "bench-join";
    type Input = Two;
    type Output = Number;

    async fn analyze(&self, input: Two, _host: &Host<'_>) -> Result<Number> {
        Ok(Number { n: input.left.n + input.right.n })
    }
}

export_plugin!(Pass, Join);

const STAGES: u64 = 4;
const DIAMOND: &str = r#"
[pipeline]
name = "diamond"
[input]
use = "jsonl"
path = "items.jsonl"
[stages.top]
use = "bench-pass"
in = "input"
[stages.left]
use = "bench-pass"
in = "top"
[stages.right]
use = "bench-pass"
in = "top"
[stages.bottom]
use = "bench-join"
in = { left = "left", right = "right" }
"#;

struct Diamond {
    folder: tempfile::TempDir,
    plan: Plan,
    registry: Registry,
}

impl Diamond {
    fn new(items: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lines: String = (0..items).map(|n| format!("{{\"n\":{n}}}\n")).collect();
        std::fs::write(folder.path().join("items.jsonl"), lines).expect("written");
        let path = folder.path().join("pipeline.toml");
        std::fs::write(&path, DIAMOND).expect("written");
        let registry = Registry::new(vec![bundled()]);
        let draft = jackfield_pipeline::parse(Request { path: &path, set: &[], input: &[] }).expect("a draft");
        let plan = jackfield_pipeline::check(&draft, &registry).expect("a plan");
        Self { folder, plan, registry }
    }

    fn engine(&self) -> Engine<'_> {
        let instances = open_stages(&self.plan, &self.registry).expect("opened");
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Engine {
            plan: &self.plan,
            registry: &self.registry,
            instances,
            services: Services::default(),
            inputs: &BundledInputs,
            options: Options { jobs, retry_failed: false, ..Options::default() },
        }
    }

    fn unrecorded(&self) {
        let outcome = self.engine().run_unrecorded(&Cancel::default(), &mut Silent).expect("a run");
        assert_eq!(outcome.summary.state, RunState::Complete);
    }

    fn recorded(&self) {
        let folder = RunFolder::create(&self.folder.path().join("runs"), "diamond").expect("a run folder");
        let path = folder.path().to_owned();
        let run = RunJson::new(&folder, &self.plan, "pipeline.toml".into(), Vec::new());
        let outcome = self.engine().run(folder, run, &Cancel::default(), &mut Silent).expect("a run");
        assert_eq!(outcome.summary.state, RunState::Complete);
        std::fs::remove_dir_all(path).expect("removed");
    }
}

/// The least there is: typed calls, JSON in and out at each, joined in place on one thread.
fn by_hand(items: u64) {
    let pass = |text: &str| -> String {
        let number: Number = serde_json::from_str(text).expect("a number");
        serde_json::to_string(&number).expect("text")
    };
    for n in 0..items {
        let top = pass(&format!("{{\"n\":{n}}}"));
        let (left, right) = (pass(&top), pass(&top));
        let two: Two = serde_json::from_str(&format!("{{\"left\":{left},\"right\":{right}}}")).expect("two numbers");
        std::hint::black_box(serde_json::to_string(&Number { n: two.left.n + two.right.n }).expect("text"));
    }
}

/// A task a node, as an async program would have it.
fn tokio_tasks(items: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let pass = |text: std::sync::Arc<str>| async move {
        let number: Number = serde_json::from_str(&text).expect("a number");
        std::sync::Arc::<str>::from(serde_json::to_string(&number).expect("text"))
    };
    runtime.block_on(async {
        for n in 0..items {
            let top = tokio::spawn(pass(format!("{{\"n\":{n}}}").into())).await.expect("a task");
            let (left, right) = (tokio::spawn(pass(top.clone())), tokio::spawn(pass(top)));
            let (left, right) = (left.await.expect("a task"), right.await.expect("a task"));
            let bottom = tokio::spawn(async move {
                let two: Two =
                    serde_json::from_str(&format!("{{\"left\":{left},\"right\":{right}}}")).expect("two numbers");
                serde_json::to_string(&Number { n: two.left.n + two.right.n }).expect("text")
            });
            std::hint::black_box(bottom.await.expect("a task"));
        }
    });
}

/// CPU time a node of the same diamond in a Python program, which prints microseconds, or why it cannot.
fn python(peer: &str) -> Result<Duration, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/benches/peers.py");
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output =
        Command::new(python).args([script, peer]).stderr(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let micros: f64 =
        text.parse().map_err(|_| if text.is_empty() { "not installed".to_owned() } else { text.clone() })?;
    Ok(Duration::from_secs_f64(micros / 1e6))
}

pub fn table() {
    const ITEMS: u64 = 10_000;
    heading(
        "CPU time per node execution: a diamond of four stages that do nothing, 10,000 items",
        &["what", "CPU time", "against jackfield"],
    );
    let diamond = Diamond::new(ITEMS);
    let bare = cpu_per_unit(ITEMS * STAGES, || diamond.unrecorded());
    let recorded = cpu_per_unit(ITEMS * STAGES, || diamond.recorded());
    let mut rows = vec![
        ("jackfield, linked in, schemas checked".to_owned(), Ok(bare)),
        (
            "jackfield, the same with every result on the record (SQLite), results.jsonl written".to_owned(),
            Ok(recorded),
        ),
        ("plain Rust by hand, one thread, same JSON".to_owned(), Ok(cpu_per_unit(ITEMS * STAGES, || by_hand(ITEMS)))),
        ("tokio, a task a node, same JSON".to_owned(), Ok(cpu_per_unit(ITEMS * STAGES, || tokio_tasks(ITEMS)))),
    ];
    for peer in ["asyncio", "haystack", "langgraph", "dask", "prefect"] {
        rows.push((format!("Python: {peer}"), python(peer)));
    }
    for (what, time) in rows {
        match time {
            Ok(time) => row(&[what, shown(time), ratio(time, bare)]),
            Err(why) => row(&[what, why, "-".to_owned()]),
        }
    }

    heading("Resident memory, recorded run of the same diamond", &["items", "peak"]);
    for items in ["10000", "1000000"] {
        row(&[items.to_owned(), format!("{} MiB", again(&["--resident", items]))]);
    }
}

/// Prints the peak memory of a recorded run.
pub fn resident(items: u64) {
    let diamond = Diamond::new(items);
    let before = peak_mib();
    diamond.recorded();
    println!("{:.0} (of which {before:.0} before the run)", peak_mib());
}
