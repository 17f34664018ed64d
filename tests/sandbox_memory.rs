//! The memory that all instances of sandboxed plugins take together.

use std::{fs, process::Stdio, thread, time::Duration};

use jackfield::bundled;
use jackfield::internal::BundledInputs;
use jackfield_engine::{Cancel, Engine, Event, Observer, Options, open_stages};
use jackfield_loader::{Registry, Trust, load};
use jackfield_pipeline::Request;
use jackfield_services::open_services;
use serde_json::json;

use crate::{
    bad_plugins::component::Hand,
    support::{Pipeline, jackfield, results, root, run_command},
};

const MIB: u64 = 1 << 20;

/// A component that takes 60 MiB of memory in each call, and writes to all of it.
fn bomb() -> Vec<u8> {
    let call = "(drop (memory.grow (i32.const 960)))
        (local.set $one (i32.const 131072))
        (loop $on
          (i32.store (local.get $one) (i32.const 1))
          (local.set $one (i32.add (local.get $one) (i32.const 4096)))
          (br_if $on (i32.lt_u (local.get $one) (i32.const 62914560))))
        (i32.store offset=8 (i32.const 10000) (i32.const 512)) (i32.store offset=12 (i32.const 10000) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 10000)) (i32.store (i32.const 260) (local.get $count)) (i32.const 256)";
    Hand { call: Some(call.to_owned()), ..Hand::default() }.bytes()
}

fn bombs(memory: &str) -> Pipeline {
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "bombs"
{memory}
[plugins.hand]
path = "hand.wasm"
[input]
use   = "trials"
count = 64
[stages.bomb]
use = "hand/hand"
in = {{ n = "input.trial" }}
batch = 1
limits = {{ memory = "64MiB" }}
"#
    ))
    .with("hand.wasm", bomb())
}

#[test]
fn sixty_four_memory_bombs_stay_under_the_total() {
    // A total of two instances, for eight workers.
    let pipeline = bombs("sandbox_memory = \"128MiB\"");
    let mut command = pipeline.command();
    command.args(["--jobs", "8"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("started");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        // The system keeps the peak, so that none is missed.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.and_then(|kib| kib.parse::<u64>().ok()).map_or(peak, |kib| kib << 10);
        thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["items"], json!({ "total": 64, "ok": 64, "partial": 0, "failed": 0 }));
    // The host itself takes less than the third instance would.
    assert!(peak > 60 * MIB && peak < (128 + 160) * MIB, "{} MiB", peak / MIB);
}

#[test]
fn an_instance_larger_than_the_total_is_refused_before_anything_runs() {
    let pipeline = bombs("sandbox_memory = \"48MiB\"");
    for command in ["run", "check"] {
        let refused = run_command(jackfield().arg(command).arg(pipeline.path())).expect_code(2);
        let said = pipeline.said(&refused);
        let first = said.lines().next().unwrap_or_default();
        assert_eq!(
            first,
            "error[too-large]: an instance of stage `bomb` may take 64 MiB of memory, more than the 48 MiB that all \
             instances of sandboxed plugins may take together (`[pipeline] sandbox_memory`)"
        );
        assert!(said.contains("[folder]/pipeline.toml:14:21"), "{said}");
    }
    let raised = ["--set", "pipeline.sandbox_memory=64MiB"];
    run_command(jackfield().arg("check").arg(pipeline.path()).args(raised)).expect_code(0);
}

#[test]
fn components_that_call_a_model_that_is_one_do_not_wait_for_each_other_for_ever() {
    let fixture = root().join("tests/protocol/0.1/protocol_fixture.wasm");
    let items: Vec<String> = (0..12).map(|n| format!("{{ text = \"{n}\", question = \"who {n}\" }}")).collect();
    // Room for one caller, and for the model that it calls.
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "nested"
sandbox_memory = "256MiB"
[plugins.old]
path = {fixture:?}
grant = ["random"]
[input]
use = "inline"
items = [{items}]
[model.echo]
use = "old/witness-echo"
[cache.shelf]
tiers = [{{ use = "memory" }}]
[stages.asks]
use = "old/witness"
in = "input"
model = "echo"
store = "shelf"
"#,
        items = items.join(", ")
    ));
    let run = run_command(pipeline.command().args(["--jobs", "4"])).expect_code(0);
    let lines = results(&run.folder());
    for (n, line) in lines.iter().enumerate() {
        let asked = format!("who {n}");
        assert_eq!(line["outputs"]["asks"]["answer"], asked.chars().rev().collect::<String>(), "{line:#}");
    }
    assert_eq!(lines.len(), 12);
    // A model that leaves no room for its callers is found before the run.
    let mut check = jackfield();
    check.arg("check").arg(pipeline.path()).args(["--set", "model.echo.limits.memory=\"192MiB\""]);
    let said = pipeline.said(&run_command(&mut check).expect_code(2));
    assert_eq!(
        said.lines().next().unwrap_or_default(),
        "error[too-large]: an instance of stage `asks` may take 128 MiB of memory, more than the 256 MiB that all \
         instances of sandboxed plugins may take together (`[pipeline] sandbox_memory`) less 192 MiB for the model, \
         cache or policy that it may wait for"
    );
    assert!(
        said.contains("hint: lower its `limits.memory`, or set `[pipeline] sandbox_memory = \"320MiB\"`"),
        "{said}"
    );
}

/// How many items were in flight when the first was done. Nothing more is done then.
struct AtFirst<'a>(Option<usize>, &'a Cancel);

impl Observer for AtFirst<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::ItemDone { in_flight, .. } = event
            && self.0.is_none()
        {
            self.0 = Some(*in_flight);
            self.1.request();
            self.1.request();
        }
    }
}

#[test]
fn no_more_items_are_taken_in_while_calls_wait_for_memory() {
    const ITEMS: usize = 100_000;
    // A call takes long enough for all of the items to be taken in meanwhile.
    let call = "(local.set $left (i32.const 2000000000))
        (loop $on
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $on (local.get $left)))
        (i32.store offset=8 (i32.const 40000) (i32.const 512)) (i32.store offset=12 (i32.const 40000) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 40000)) (i32.store (i32.const 260) (local.get $count)) (i32.const 256)";
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "many"
max_in_flight = {ITEMS}
sandbox_memory = "4MiB"
[plugins.hand]
path = "hand.wasm"
[input]
use   = "trials"
count = {ITEMS}
[stages.slow]
use = "hand/hand"
in = {{ n = "input.trial" }}
batch = 1
limits = {{ memory = "4MiB" }}
"#
    ))
    .with("hand.wasm", Hand { call: Some(call.to_owned()), ..Hand::default() }.bytes());
    let plugin = load("hand", &pipeline.path().join("hand.wasm"), &Trust::default()).expect("loaded");
    let registry = Registry::new(vec![bundled(), plugin]);
    let file = pipeline.path().join("pipeline.toml");
    let draft = jackfield_pipeline::parse(Request { path: &file, set: &[], input: &[] }).expect("a draft");
    let plan = jackfield_pipeline::check(&draft, &registry).unwrap_or_else(|faults| panic!("{:?}", faults.records()));
    let services = open_services(&plan, &registry).unwrap_or_else(|_| panic!("no services"));
    let instances = open_stages(&plan, &registry).unwrap_or_else(|_| panic!("no stages"));
    let options = Options { jobs: 2, retry_failed: false, ..Options::default() };
    let engine = Engine { plan: &plan, registry: &registry, instances, services, inputs: &BundledInputs, options };
    let cancel = Cancel::default();
    let mut first = AtFirst(None, &cancel);
    engine.run_unrecorded(&cancel, &mut first).expect("a run");
    let in_work = first.0.expect("one was done");
    // Some come in before the first calls have begun; without the bound it would be all of them.
    assert!(in_work < ITEMS / 2, "{in_work}");
}
