//! Limits on the time of a sandboxed call: what it computes is counted by the CPU, however busy the machine, and what it
//! waits for is not.

use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;

use crate::{
    bad_plugins::component::Hand,
    support::{Pipeline, results, root, run_command},
};

/// A component that computes a while for each text, and for ever for one that begins with a `t`.
fn busy(iterations: u32) -> Vec<u8> {
    // The input is `{"text":"..."}`; the first record of the batch begins with where its JSON is.
    let first = "(i32.load8_u offset=9 (i32.load (local.get $batch)))";
    let answer =
        "(i32.store offset=8 (i32.const 40000) (i32.const 512)) (i32.store offset=12 (i32.const 40000) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 40000)) (i32.store (i32.const 260) (local.get $count)) (i32.const 256)";
    let call = format!(
        "(if (i32.eq {first} (i32.const 116)) (then (loop $again (br $again))))
         (local.set $left (i32.const {iterations}))
         (loop $on
           (local.set $left (i32.sub (local.get $left) (i32.const 1)))
           (br_if $on (local.get $left)))
         {answer}"
    );
    Hand { call: Some(call), ..Hand::default() }.bytes()
}

/// Keeps all processors busy meanwhile.
fn on_a_busy_machine<T>(work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        let done = work();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn on_a_busy_machine_healthy_calls_complete_and_endless_ones_end() {
    let texts: Vec<String> =
        (0..40).map(|n| if n == 5 { "too long".to_owned() } else { format!("item {n}") }).collect();
    let items: Vec<String> = texts.iter().map(|text| format!("{{ text = {text:?} }}")).collect();
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "busy"
[plugins.hand]
path = "hand.wasm"
[input]
use   = "inline"
items = [{}]
[stages.busy]
use = "hand/hand"
in = {{ text = "input.text" }}
batch = 1
limits = {{ time = "300ms" }}
"#,
        items.join(", ")
    ))
    // A tenth of the limit, or less.
    .with("hand.wasm", busy(20_000_000));
    let run = on_a_busy_machine(|| run_command(pipeline.command().args(["--jobs", "2"]))).expect_code(3);
    // By the clock, each of them takes longer than the limit: there are as many at a time as the stage has batches.
    for (line, text) in results(&run.folder()).iter().zip(&texts) {
        if text.starts_with('t') {
            assert_eq!(line["failures"]["busy"][0]["kind"], "over-budget", "{line:#}");
            assert_eq!(line["failures"]["busy"][0]["message"], "used up its CPU time of 300ms", "{line:#}");
        } else {
            assert_eq!(line["outputs"]["busy"], json!({}), "{line:#}");
        }
    }
    assert_eq!(run.json()["items"]["ok"], 39);
}

/// A component that asks a model that takes half a second.
fn asking(limits: &str) -> Pipeline {
    let fixture = root().join("tests/protocol/0.1/protocol_fixture.wasm");
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "slow"
[plugins.old]
path = {fixture:?}
grant = ["random"]
[input]
use = "inline"
items = [{{ text = "one", question = "who" }}]
[model.slow]
use = "mock"
with = {{ latency_ms = 500 }}
[cache.shelf]
tiers = [{{ use = "memory" }}]
[stages.asks]
use = "old/witness"
in = "input"
model = "slow"
store = "shelf"
limits = {{ {limits} }}
"#
    ))
}

#[test]
fn a_call_may_wait_for_a_model_longer_than_it_may_compute_but_not_for_ever() {
    let pipeline = asking("time = \"300ms\"");
    let run = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(0);
    assert!(results(&run.folder())[0]["outputs"]["asks"]["answer"].is_string());
    let pipeline = asking("time = \"300ms\", wall = \"250ms\"");
    let run = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(1);
    let failure = &results(&run.folder())[0]["failures"]["asks"][0];
    assert_eq!(failure["message"], "no answer within its limit of 250ms, waiting included");
}
