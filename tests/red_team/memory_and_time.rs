//! Memory, the stack, and time.

use insta::assert_snapshot;

use super::{Attack, attack, lines};
use crate::{
    bad_plugins::component::Hand,
    support::{Pipeline, results},
};

#[test]
fn a_bomb_in_memory_is_stopped_at_the_limit() {
    let said = [
        attack("memory-bomb").stopped(),
        attack("memory-bomb").limits("memory = \"64MiB\"").stopped(),
        attack("memory-grow").stopped(),
    ];
    assert_snapshot!(lines(said), @r#"
    internal: no more memory after a while
    internal: no more memory after a while
    over-budget: asked for 128.0 MiB of memory, beyond its limit of 128 MiB; `limits = { memory = "256MiB" }` in its stage allows more
    "#);
}

#[test]
fn the_stack_ends_and_nothing_else_does() {
    let said = ["recursion", "stack-overflow", "wild-pointer", "wild-call"].map(|name| attack(name).stopped());
    assert_snapshot!(lines(said), @r"
    internal: trapped: wasm trap: out of bounds memory access
    internal: trapped: wasm trap: out of bounds memory access
    internal: trapped: wasm trap: out of bounds memory access
    internal: trapped: wasm trap: undefined element: out of bounds table access
    ");
}

#[test]
fn time_is_up_wherever_it_is_spent() {
    // What computes ends by what it computes, and what sleeps by the clock on the wall.
    let brief = |name| attack(name).limits("time = \"700ms\", wall = \"10s\"");
    let sleeps = |name| attack(name).limits("time = \"5s\", wall = \"700ms\"").granted(&["clock"]);
    let said = [
        brief("loop"),
        brief("loop-in-host"),
        brief("busy-wait"),
        brief("busy-wait").granted(&["clock"]),
        sleeps("sleep"),
        sleeps("naps"),
    ]
    .map(Attack::stopped);
    assert_snapshot!(lines(said), @r#"
    over-budget: used up its CPU time of 700ms
    over-budget: used up its CPU time of 700ms
    internal: it asked for the time that passes (`wasi:clocks/monotonic-clock` `now`), and `clock` is not granted to plugin `hostile`: add `grant = ["clock"]` to `[plugins.hostile]`, or run with `--grant hostile=clock`
    over-budget: used up its CPU time of 700ms
    over-budget: no answer within its limit of 700ms, waiting included
    over-budget: no answer within its limit of 700ms, waiting included
    "#);
    let said = [brief("loop-open"), sleeps("sleep-open")].map(|attack| attack.refused());
    assert_snapshot!(lines(said), @r"
    stage `tried` cannot be set up: over-budget: used up its CPU time of 700ms
    stage `tried` cannot be set up: over-budget: no answer within its limit of 700ms, waiting included
    ");
}

#[test]
fn without_a_grant_there_is_neither_time_nor_chance() {
    assert_snapshot!(attack("clocks").granted(&["clock"]).answered(), @"time passes, and it is some day");
    assert_snapshot!(lines([attack("clocks").stopped(), attack("random").stopped()]), @r#"
    internal: it asked for the time that passes (`wasi:clocks/monotonic-clock` `now`), and `clock` is not granted to plugin `hostile`: add `grant = ["clock"]` to `[plugins.hostile]`, or run with `--grant hostile=clock`
    internal: it asked for random bytes (`wasi:random/random` `get-random-bytes`), and `random` is not granted to plugin `hostile`: add `grant = ["random"]` to `[plugins.hostile]`, or run with `--grant hostile=random`
    "#);
    let granted = || attack("random").granted(&["random"]).answered();
    assert_ne!(granted(), granted());
}

#[test]
fn a_component_that_polls_for_ever_is_stopped() {
    let sleeper = Hand {
        imports: r#"
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $alarm (canon lower (func $clock "subscribe-duration")))
  (core func $ready (canon lower (func $poll "[method]pollable.ready")))"#,
        lowered: &[("alarm", "(param i64) (result i32)"), ("ready", "(param i32) (result i32)")],
        call: Some(
            "(local.set $one (call $alarm (i64.const -1)))
             (loop $again (br_if $again (i32.eqz (call $ready (local.get $one))))) (i32.const 0)"
                .to_owned(),
        ),
        ..Hand::default()
    };
    // And one that keeps every pollable that it can get.
    let hoarder = Hand {
        call: Some("(loop $again (drop (call $alarm (i64.const 1))) (br $again)) (i32.const 0)".to_owned()),
        ..sleeper.clone()
    };
    assert_snapshot!(by_hand(&sleeper), @"over-budget: used up its CPU time of 500ms");
    // The faster the machine, the sooner the hoarder has all that there are.
    let stopped = by_hand(&hoarder);
    let ways = [
        "over-budget: used up its CPU time of 500ms",
        "internal: trapped: cannot allocate another handle: store handle limit exceeded",
    ];
    assert!(ways.contains(&stopped.as_str()), "{stopped}");
}

/// What a component made by hand fails with, within half a second.
#[track_caller]
fn by_hand(hand: &Hand) -> String {
    failed(&hand.bytes())
}

#[track_caller]
fn failed(component: &[u8]) -> String {
    let pipeline = Pipeline::new(
        r#"
[pipeline]
name = "harm"
[plugins.hand]
path = "hand.wasm"
[input]
use   = "inline"
items = [{}]
[stages.tried]
use    = "hand/hand"
in     = "input"
limits = { time = "500ms" }
"#,
    )
    .with("hand.wasm", component);
    let run = pipeline.run().expect_code(1);
    super::failure(&results(&run.folder())[0])
}

/// A component of so many core instances, each with a memory and a table of its own.
fn crowd(instances: usize, pages: usize, elements: usize) -> Vec<u8> {
    let module = format!("(core module $one (memory {pages}) (table {elements} funcref))");
    let more: String = (0..instances).map(|n| format!("(core instance $i{n} (instantiate $one))")).collect();
    let text = Hand::default().text();
    wat::parse_str(text.replacen("(component", &format!("(component {module} {more}"), 1)).expect("a component")
}

#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("crowd.wasm");
    std::fs::write(&path, bytes).expect("written");
    let error = jackfield_loader::load("crowd", &path, &Default::default()).expect_err("refused").to_string();
    error.replace(path.to_str().expect("UTF-8"), "[file]")
}

#[test]
fn many_memories_and_tables_count_as_one() {
    let said = [crowd(40, 400, 1), crowd(1, 0, 19_000_000), crowd(200, 1, 1)].map(|bytes| refused(&bytes));
    assert_snapshot!(lines(said), @r"
    `[file]` failed while being loaded: over-budget: asked for 275.0 MiB of memory, beyond its limit of 256 MiB
    `[file]` is not compiled: it is valid, and beyond what this host takes: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 19000000 which exceeds the limit of 20000
    `[file]` is not compiled: it is valid, and beyond what this host takes: The component transitively contains 201 core module instances, which exceeds the configured maximum of 64 in the pooling allocator
    ");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("crowd.wasm");
    std::fs::write(&path, crowd(20, 1, 1)).expect("written");
    jackfield_loader::load("crowd", &path, &Default::default()).expect("a few do no harm");
}

#[test]
fn a_bomb_in_a_table_is_stopped() {
    let grow = "(loop $again (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
        unreachable";
    let text = Hand { call: Some(grow.to_owned()), ..Hand::default() }.text();
    let text = text.replacen("(memory (export", "(table $t 1 funcref) (memory (export", 1);
    assert_snapshot!(failed(&wat::parse_str(text).expect("a component")), @"internal: trapped: wasm trap: wasm `unreachable` instruction executed");
}

#[test]
fn a_component_cannot_start_threads() {
    let shared =
        Hand::default().text().replacen("(memory (export \"memory\") 2)", "(memory (export \"memory\") 2 2 shared)", 1);
    let bytes = wat::parse_str(&shared).expect("a component");
    let said = refused(&bytes);
    assert!(said.contains("is not a valid component") && said.contains("threads"), "{said}");
}
