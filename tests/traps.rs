//! Traps of a sandboxed plugin: counted, slowed down, and at an end after so many in a row.

use std::time::Instant;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    bad_plugins::component::{Described, Hand},
    support::{CommandOutput, Pipeline, results, run_command},
};

/// A component that does this on each text that begins with a `t`, and otherwise answers `{}`.
fn shaky(bad: &str) -> Vec<u8> {
    // The input is `{"text":"..."}`; the first record of the batch begins with where its JSON is.
    let first = "(i32.load8_u offset=9 (i32.load (local.get $batch)))";
    let good =
        "(i32.store offset=8 (i32.const 40000) (i32.const 512)) (i32.store offset=12 (i32.const 40000) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 40000)) (i32.store (i32.const 260) (local.get $count)) (i32.const 256)";
    let call = format!("(if (i32.eq {first} (i32.const 116)) (then {bad})) {good}");
    let offers = vec![Described::default()];
    Hand { call: Some(call), offers, ..Hand::default() }.bytes()
}

/// One call after the other over these texts.
fn pipeline(texts: &[&str], limits: &str) -> Pipeline {
    let items: Vec<String> = texts.iter().map(|text| format!("{{ text = {text:?} }}")).collect();
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "traps"
[plugins.hand]
path = "hand.wasm"
[input]
use   = "inline"
items = [{}]
[stages.shaky]
use = "hand/hand"
in = {{ text = "input.text" }}
batch = 1
concurrency = 1
limits = {{ {limits} }}
"#,
        items.join(", ")
    ))
    .with("hand.wasm", shaky("unreachable"))
}

/// A run, and what each item came to: `ok`, or the message of its failure.
#[track_caller]
fn run(pipeline: &Pipeline) -> (CommandOutput, Vec<String>) {
    let run = run_command(pipeline.command().args(["--jobs", "1"]));
    let outcomes = outcomes(&run);
    (run, outcomes)
}

#[track_caller]
fn outcomes(run: &CommandOutput) -> Vec<String> {
    let outcome = |line: &Value| match line["failures"]["shaky"][0]["message"].as_str() {
        Some(message) => message.to_owned(),
        None => {
            assert_eq!(line["outputs"]["shaky"], json!({}), "{line:#}");
            "ok".to_owned()
        }
    };
    results(&run.folder()).iter().map(outcome).collect()
}

const TRAP: &str = "trapped: wasm trap: wasm `unreachable` instruction executed";

#[test]
fn traps_are_counted_in_the_summary() {
    let (run, said) = run(&pipeline(&["a", "t", "b", "t", "t", "c"], ""));
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.json()["stages"]["shaky"]["traps"], 3);
    assert_eq!(said, ["ok", TRAP, "ok", TRAP, TRAP, "ok"]);
}

#[test]
fn after_so_many_in_a_row_the_extension_is_in_quarantine() {
    let (run, said) = run(&pipeline(&["a", "t", "t", "t", "b", "t", "c"], "traps = 3"));
    assert_eq!(said[..4], ["ok", TRAP, TRAP, TRAP]);
    assert_snapshot!(said[4], @r"in quarantine: 3 calls in a row ended it, the last with `internal: trapped: wasm trap: wasm `unreachable` instruction executed`");
    assert_eq!(said[4..], [&*said[4]; 3], "it is called no more");
    assert_eq!(run.json()["stages"]["shaky"]["traps"], 3);
}

#[test]
fn a_success_in_between_begins_the_count_anew_and_zero_counts_none() {
    let texts = ["t", "t", "a", "t", "t", "b", "t", "t", "c"];
    let expected = [TRAP, TRAP, "ok", TRAP, TRAP, "ok", TRAP, TRAP, "ok"];
    assert_eq!(run(&pipeline(&texts, "traps = 3")).1, expected);
    assert_eq!(run(&pipeline(&texts, "traps = 0")).1, expected);
    let first = run(&pipeline(&texts, "traps = 1")).1;
    assert!(first[1..].iter().all(|said| said.starts_with("in quarantine: 1 call")), "{first:?}");
}

#[test]
fn a_limit_that_is_reached_counts_as_a_trap() {
    let pipeline = pipeline(&["t", "a", "t", "t", "b"], "traps = 2, time = \"100ms\"");
    let pipeline = pipeline.with("hand.wasm", shaky("(loop $again (br $again))"));
    let (run, said) = run(&pipeline);
    assert_eq!(run.json()["stages"]["shaky"]["traps"], 3);
    assert!(said[0] == "used up its CPU time of 100ms" && said[1] == "ok" && said[2] == said[3], "{said:?}");
    assert!(said[4].starts_with("in quarantine: 2 calls in a row ended it"), "{said:?}");
}

#[test]
fn a_healthy_plugin_is_not_slowed_down_and_a_broken_one_is() {
    let time = |texts: &[&str]| {
        let pipeline = pipeline(texts, "traps = 0");
        let began = Instant::now();
        run(&pipeline);
        began.elapsed().as_millis()
    };
    // One trap before a success is no reason to wait; eleven in a row wait for 1 + 2 + 4 + ... ms, half a second at most.
    let mixed = time(&["t", "a"].repeat(11)).min(time(&["t", "a"].repeat(11)));
    let broken = time(&["t"; 22]);
    assert!(broken > mixed + 4000, "{broken} against {mixed} ms");
    let healthy = time(&["a"; 22]);
    assert!(healthy < mixed + 1000, "{healthy} against {mixed} ms");
}
