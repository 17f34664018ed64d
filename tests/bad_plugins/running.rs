//! Plugins that load and then misbehave, in the real program: the host comes to its end by itself, the bad item says why it
//! failed, and all others come out right.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use jackfield_loader::{Digest, load, sandbox::Limits};
use jackfield_plugin_api::{Context, Document, FailureKind, Request, testing::FakeHost};
use serde_json::{Value, json};

use super::{
    component::{FOR_EVER, Hand},
    plain, trust,
};
use crate::support::{CommandOutput, Pipeline, fixture, results, run_command};

const NATIVE: &str = "misbehaving.so";
const WASM: &str = "misbehaving.wasm";
const BOTH: [&str; 2] = [NATIVE, WASM];

/// An entry of `[plugins]`, allowed and pinned where it is native.
fn entry(alias: &str, path: &Path) -> String {
    let mut entry = format!("[plugins.{alias}]\npath = {:?}\n", path.to_str().expect("UTF-8"));
    if path.extension().is_some_and(|extension| extension == "so") {
        let digest = Digest::of_file(path).expect("read");
        writeln!(entry, "allow_native = true\nsha256 = \"{digest}\"").expect("written");
    }
    entry
}

/// A pipeline over these texts; an item's id is its place among them.
fn pipeline(plugins: &str, texts: &[impl AsRef<str>], stages: &str) -> Pipeline {
    let items: Vec<String> = texts.iter().map(|text| format!("{{ text = {:?} }}", text.as_ref())).collect();
    let items = items.join(", ");
    Pipeline::new(&format!(
        "[pipeline]\nname = \"harm\"\n{plugins}\n[input]\nuse = \"inline\"\nitems = [{items}]\n{stages}"
    ))
}

const TEXTS: [&str; 5] = ["one", "bad", "three", "four", "five"];

/// The stage `tried`, as the cases write it, next to one that does no harm.
fn next_to_a_steady_one(file: &str, tried: &str) -> Pipeline {
    let stages = format!(
        "[stages.tried]\nin = {{ text = \"input.text\" }}\n{tried}\n
         [stages.steady]\nuse = \"bad/echo\"\nin = {{ text = \"input.text\" }}\n"
    );
    pipeline(&entry("bad", &fixture(file)), &TEXTS, &stages)
}

/// What the stage `tried` says of the bad one among five items, after a look at all that should not be harmed by it.
#[track_caller]
fn harm(file: &str, tried: &str) -> String {
    let pipeline = next_to_a_steady_one(file, tried);
    only_the_bad_one_failed(&pipeline.run(), |text| json!({ "text": text }))
}

/// Kind and message of the bad item's failure in the stage `tried`.
#[track_caller]
fn only_the_bad_one_failed(run: &CommandOutput, right: impl Fn(&str) -> Value) -> String {
    assert_eq!(run.code, Some(3), "{run:#?}");
    let (summary, lines) = (run.json(), results(&run.folder()));
    assert_eq!(summary["items"], json!({ "total": 5, "ok": 4, "partial": 1, "failed": 0 }), "{summary:#}");
    assert_eq!(summary["stages"]["tried"]["failed"], 1, "{summary:#}");
    let mut said = None;
    for (line, text) in lines.iter().zip(TEXTS) {
        assert_eq!(line["outputs"]["steady"], json!({ "text": text }), "{line:#}");
        if text == "bad" {
            assert_eq!(line["outputs"].get("tried"), None, "{line:#}");
            said = Some(failure(line, "tried"));
        } else {
            assert_eq!(line["outputs"]["tried"], right(text), "{line:#}");
            assert_eq!(line.get("failures"), None, "{line:#}");
        }
    }
    assert_eq!(lines.len(), TEXTS.len());
    said.expect("the bad item is among them")
}

/// Kind and message of an item's one failure in a stage.
#[track_caller]
fn failure(line: &Value, stage: &str) -> String {
    let failures = line["failures"][stage].as_array().unwrap_or_else(|| panic!("no failure in {line:#}"));
    assert_eq!(failures.len(), 1, "{line:#}");
    format!(
        "{}: {}",
        failures[0]["kind"].as_str().expect("a kind"),
        failures[0]["message"].as_str().expect("a message")
    )
}

/// The faults of a pipeline that was not run: line, message and hint.
#[track_caller]
fn faults(pipeline: &Pipeline) -> String {
    let run = pipeline.run().expect_code(2);
    assert!(!pipeline.out().exists(), "something was run");
    let faults = run.json()["faults"].as_array().expect("faults").clone();
    let one = |fault: &Value| {
        let hint = fault["hint"].as_str().map_or_else(String::new, |hint| format!("\n   hint: {hint}"));
        plain(&format!("{}: {}{hint}", fault["line"], fault["message"].as_str().expect("a message")))
    };
    faults.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// A stage of a component made by hand, which fails for every item: what it says.
#[track_caller]
fn by_hand(hand: Hand, more: &str) -> String {
    let stages = format!("[stages.tried]\nuse = \"hand/hand\"\nin = {{ text = \"input.text\" }}\n{more}\n");
    let plugin = "[plugins.hand]\npath = \"hand.wasm\"\n";
    let pipeline = pipeline(plugin, &["one", "two", "three"], &stages).with("hand.wasm", hand.bytes());
    let run = pipeline.run().expect_code(1);
    let lines = results(&run.folder());
    assert_eq!(lines.len(), 3);
    let said = failure(&lines[0], "tried");
    lines.iter().for_each(|line| assert_eq!(failure(line, "tried"), said));
    said
}

fn calling(body: &str) -> Hand {
    Hand { call: Some(body.to_owned()), ..Hand::default() }
}

// ---- panics ----------------------------------------------------------------------------------------------------------

#[test]
fn a_panic_in_a_method_fails_the_item_with_the_words_of_the_panic() {
    let tried = "use = \"bad/panics\"\nwith = { at = \"method\" }";
    assert_snapshot!(harm(NATIVE, tried), @r#"internal: panicked in call: cannot stand "bad""#);
    let said = harm(WASM, tried);
    assert!(said.starts_with("internal: panicked at ") && said.ends_with("cannot stand \"bad\""), "{said}");
}

#[test]
fn a_panic_of_a_native_future_fails_the_item_wherever_it_happens() {
    let at = |place: &str| harm(NATIVE, &format!("use = \"bad/panics\"\nwith = {{ at = \"{place}\" }}"));
    assert_snapshot!([at("future"), at("held"), at("payload")].join("\n"), @r#"
    internal: panicked in call: cannot stand "bad" after a wait
    internal: panicked in call: dropped the held value
    internal: panicked in call: no message
    "#);
}

#[test]
fn a_panic_while_a_cancelled_call_is_dropped_reaches_nobody() {
    assert_snapshot!(harm(NATIVE, "use = \"bad/panics\"\nwith = { at = \"cancel\" }\ntimeout = \"200ms\""), @"timed-out: no answer within 200ms");
}

#[test]
fn a_panic_in_the_drop_of_an_instance_is_logged_and_harms_no_result() {
    let run = next_to_a_steady_one(NATIVE, "use = \"bad/panics\"\nwith = { at = \"drop\" }").run().expect_code(0);
    assert_eq!(run.json()["items"]["ok"], 5);
    assert!(run.stderr.contains("internal: panicked in drop: dropped the instance"), "{}", run.stderr);
}

#[test]
fn a_panicking_constructor_is_a_fault_of_the_stage_before_anything_runs() {
    let pipeline =
        |file, place| next_to_a_steady_one(file, &format!("use = \"bad/panics\"\nwith = {{ at = \"{place}\" }}"));
    assert_snapshot!(faults(&pipeline(NATIVE, "open")), @"14: stage `tried` cannot be set up: internal: panicked in open: cannot be opened");
    assert_snapshot!(faults(&pipeline(NATIVE, "open-payload")), @"14: stage `tried` cannot be set up: internal: panicked in open: no message");
    let said = faults(&pipeline(WASM, "open"));
    assert!(
        said.contains("stage `tried` cannot be set up: internal: panicked at ") && said.contains("cannot be opened"),
        "{said}"
    );
}

#[test]
fn a_component_that_waits_for_what_cannot_come_fails_the_item() {
    assert_snapshot!(harm(WASM, "use = \"bad/panics\"\nwith = { at = \"future\" }"), @"internal: waits for something other than the host");
}

// ---- too much --------------------------------------------------------------------------------------------------------

#[test]
fn an_endless_loop_in_a_component_ends_with_its_time_or_its_fuel() {
    assert_snapshot!(harm(WASM, "use = \"bad/loops\"\nlimits = { time = \"500ms\" }"), @"over-budget: used up its CPU time of 500ms");
    assert_snapshot!(harm(WASM, "use = \"bad/loops\"\nlimits = { fuel = 20_000_000 }"), @"over-budget: used up its fuel of 20000000 instructions");
}

#[test]
fn an_endless_loop_in_the_constructor_of_a_component_is_a_fault_of_the_stage() {
    let tried = "use = \"bad/loops\"\nwith = { at = \"open\" }\nlimits = { time = \"300ms\" }";
    let said = faults(&next_to_a_steady_one(WASM, tried));
    assert!(said.ends_with("stage `tried` cannot be set up: over-budget: used up its CPU time of 300ms"), "{said}");
}

#[test]
fn an_endless_loop_fails_the_item_at_the_timeout_of_its_stage() {
    for file in BOTH {
        assert_eq!(
            harm(file, "use = \"bad/loops\"\ntimeout = \"300ms\""),
            "timed-out: no answer within 300ms",
            "{file}"
        );
    }
}

#[test]
fn an_endless_loop_in_native_code_leaves_the_only_worker_replaceable_and_the_program_able_to_end() {
    let pipeline = next_to_a_steady_one(NATIVE, "use = \"bad/loops\"\ntimeout = \"300ms\"");
    let run = run_command(pipeline.command().args(["--jobs", "1"]));
    let said = only_the_bad_one_failed(&run, |text| json!({ "text": text }));
    assert_eq!(said, "timed-out: no answer within 300ms");
    assert!(run.stderr.contains("its thread is written off and replaced"), "{}", run.stderr);
}

#[test]
fn a_component_that_sleeps_is_stopped_though_it_computes_nothing() {
    let sleeper = Hand {
        imports: r#"
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $alarm (canon lower (func $clock "subscribe-duration")))
  (core func $wait (canon lower (func $poll "[method]pollable.block")))"#,
        lowered: &[("alarm", "(param i64) (result i32)"), ("wait", "(param i32)")],
        ..calling("(call $wait (call $alarm (i64.const 60000000000))) (i32.const 0)")
    };
    assert_snapshot!(by_hand(sleeper, "limits = { wall = \"300ms\" }"), @"over-budget: no answer within its limit of 300ms, waiting included");
}

#[test]
fn ten_gigabytes_of_memory_are_refused_at_the_limit() {
    let hoards = "use = \"bad/hoards\"\nwith = { bytes = 10_000_000_000 }";
    let by_default = harm(WASM, hoards);
    assert!(by_default.starts_with("over-budget: asked for 12"), "{by_default}");
    let advice = "of memory, beyond its limit of 128 MiB; `limits = { memory = \"256MiB\" }` in its stage allows more";
    assert!(by_default.ends_with(advice), "{by_default}");
    let by_limit = harm(WASM, &format!("{hoards}\nlimits = {{ memory = \"16MiB\" }}"));
    assert!(by_limit.contains(" MiB of memory, beyond its limit of 16 MiB; "), "{by_limit}");
    // All at once, and more than there are addresses.
    let at_once = "(if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable)) (i32.const 0)";
    assert_snapshot!(by_hand(calling(at_once), ""), @r#"over-budget: asked for 4.0 GiB of memory, beyond its limit of 128 MiB; `limits = { memory = "8GiB" }` in its stage allows more"#);
}

#[test]
fn an_answer_beyond_the_limit_is_refused_before_it_is_copied() {
    let gushes = "use = \"bad/gushes\"\nwith = { bytes = 70_000_000 }\nlimits = { memory = \"1GiB\" }";
    assert_snapshot!(harm(WASM, gushes), @"over-budget: answered more than its limit of 64 MiB");
    let gigabyte = "(drop (memory.grow (i32.const 16384)))
        (i32.store (i32.const 256) (i32.const 4096)) (i32.store (i32.const 260) (local.get $count))
        (i32.store (i32.const 4104) (i32.const 65536)) (i32.store (i32.const 4108) (i32.const 1073741824)) (i32.const 256)";
    assert_snapshot!(by_hand(calling(gigabyte), "limits = { memory = \"2GiB\" }"), @"over-budget: answered more than its limit of 64 MiB");
    // Ten million results, each of them small.
    let results = "(drop (memory.grow (i32.const 6200)))
        (i32.store (i32.const 256) (i32.const 65536)) (i32.store (i32.const 260) (i32.const 10000000)) (i32.const 256)";
    assert_snapshot!(by_hand(calling(results), "limits = { memory = \"512MiB\" }"), @"over-budget: answered more than its limit of 64 MiB");
}

#[test]
fn a_flood_of_host_calls_ends_at_the_limit_whatever_is_called() {
    for call in ["log", "progress", "cancelled"] {
        let tried = format!("use = \"bad/floods\"\nwith = {{ calls = 1_000_000_000, call = \"{call}\" }}");
        assert_eq!(harm(WASM, &tried), "over-budget: made more than 100000 host calls", "{call}");
        let tried = format!("{tried}\nlimits = {{ host_calls = 1000 }}");
        assert_eq!(harm(WASM, &tried), "over-budget: made more than 1000 host calls", "{call}");
    }
}

#[test]
fn endless_recursion_in_a_component_ends_with_its_stack() {
    let said = harm(WASM, "use = \"bad/recurses\"");
    assert!(
        ["over-budget: used up its stack", "internal: trapped: "].iter().any(|start| said.starts_with(start)),
        "{said}"
    );
    assert_snapshot!(by_hand(calling("(call $deeper) (i32.const 0)"), ""), @"over-budget: used up its stack");
}

// ---- answers that break the contract ---------------------------------------------------------------------------------

#[test]
fn a_wrong_number_of_results_is_an_invalid_output() {
    for file in BOTH {
        assert_eq!(
            harm(file, "use = \"bad/miscounts\""),
            "invalid-output: `bad/miscounts` answered 2 results to 1 requests",
            "{file}"
        );
    }
    let none = "(i32.store (i32.const 260) (i32.const 0)) (i32.const 256)";
    assert_eq!(by_hand(calling(none), ""), "invalid-output: `hand/hand` answered 0 results to 1 requests");
}

#[test]
fn an_answer_that_breaks_its_own_schema_is_an_invalid_output_of_the_guilty_stage() {
    let said = BOTH.map(|file| {
        let pipeline = next_to_a_steady_one(file, "use = \"bad/lies\"");
        only_the_bad_one_failed(&pipeline.run(), |text| json!({ "count": text.len() }))
    });
    assert_eq!(said[0], said[1]);
    assert_snapshot!(said[0], @r#"invalid-output: `bad/lies` broke its own output schema in stage `tried`: `/count`: "plenty" is not of type "integer""#);
}

#[test]
fn an_answer_that_is_no_document_is_an_invalid_output() {
    for (analyzer, what) in [
        ("garbles", "it is not valid JSON: expected value at line 1 column 10"),
        ("nests", "it is not valid JSON: recursion limit exceeded at line 1 column 128"),
        ("mismeasures", "tensor `weights` holds 3 elements, not [18446744073709551615, 2]"),
    ] {
        for file in BOTH {
            let wanted =
                format!("invalid-output: `bad/{analyzer}` broke its own output schema in stage `tried`: {what}");
            assert_eq!(harm(file, &format!("use = \"bad/{analyzer}\"")), wanted, "{file}");
        }
    }
    let answering = |answer| by_hand(Hand { answer, ..Hand::default() }, "");
    assert_snapshot!([answering(b""), answering(b"\xff\xfe"), answering(b"[]")].join("\n"), @r#"
    invalid-output: `hand/hand` broke its own output schema in stage `tried`: it is not valid JSON: EOF while parsing a value at line 1 column 0
    invalid-output: the answer is not UTF-8 text
    invalid-output: `hand/hand` broke its own output schema in stage `tried`: the answer: [] is not of type "object"
    "#);
}

#[test]
fn a_component_that_traps_or_answers_from_outside_its_memory_fails_its_items() {
    assert_snapshot!(by_hand(calling("unreachable"), ""), @"internal: trapped: wasm trap: wasm `unreachable` instruction executed");
    let beyond =
        "(i32.store (i32.const 256) (i32.const -64)) (i32.store (i32.const 260) (i32.const 1)) (i32.const 256)";
    for body in ["(i32.const -4)", "(i32.const 257)", beyond] {
        let said = by_hand(calling(body), "");
        assert!(said.starts_with("internal: trapped: "), "{said}");
    }
    let said = by_hand(calling(FOR_EVER), "limits = { time = \"200ms\" }");
    assert!(said.ends_with("used up its CPU time of 200ms"), "{said}");
}

#[test]
fn a_constructor_that_answers_nonsense_is_a_fault_of_the_stage() {
    let stages = "[stages.tried]\nuse = \"hand/hand\"\nin = { text = \"input.text\" }\n";
    let hand =
        Hand { open: Some("(i32.store8 (i32.const 320) (i32.const 7)) (i32.const 320)".to_owned()), ..Hand::default() };
    let pipeline = pipeline("[plugins.hand]\npath = \"hand.wasm\"\n", &["one"], stages).with("hand.wasm", hand.bytes());
    let said = faults(&pipeline);
    assert!(said.contains("stage `tried` cannot be set up: internal: trapped: "), "{said}");
}

// ---- bad ones among good ones ----------------------------------------------------------------------------------------

/// Five hundred texts, every tenth of them bad.
fn crowd() -> Vec<String> {
    (0..500).map(|n| if n % 10 == 7 { "bad".to_owned() } else { format!("number {n}") }).collect()
}

#[test]
fn the_good_items_of_a_batch_that_fails_as_a_whole_come_out_right() {
    for file in BOTH {
        let stages =
            "[stages.tried]\nuse = \"bad/panics\"\nwith = { at = \"method\" }\nin = { text = \"input.text\" }\n";
        let plugin = entry("bad", &fixture(file));
        let pipeline = pipeline(&plugin, &crowd(), stages);
        let run = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(3);
        assert_eq!(run.json()["items"], json!({ "total": 500, "ok": 450, "partial": 0, "failed": 50 }), "{file}");
        for (line, text) in results(&run.folder()).iter().zip(crowd()) {
            if text == "bad" {
                assert!(failure(line, "tried").contains("cannot stand \"bad\""), "{line:#}");
            } else {
                assert_eq!(line["outputs"]["tried"], json!({ "text": text }), "{file}");
            }
        }
    }
}

#[test]
fn a_batch_that_fails_as_a_whole_answers_each_of_its_requests() {
    let request = |text: &str| {
        let document = Document::new(json!({ "text": text }).to_string());
        Request {
            document,
            context: Context { stage: "s".into(), item: text.into(), element: 0, replicate: 0, seed: 0 },
        }
    };
    let batch = TEXTS.map(request);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for (file, place) in [(NATIVE, "method"), (NATIVE, "future"), (WASM, "method"), (WASM, "future")] {
        let path = fixture(file);
        let plugin = load("bad", &path, &trust(&fs::read(&path).expect("read"))).expect("loaded");
        let entry = plugin.extensions.iter().find(|entry| entry.descriptor.name == "panics").expect("offered");
        let config = json!({ "at": place }).to_string();
        let instance = entry.factory.open(&config, &Limits::default()).expect("opened");
        let results = runtime.block_on(instance.call(&batch, &FakeHost::default()));
        assert_eq!(results.len(), batch.len(), "{file}, {place}");
        let first = results[0].as_ref().expect_err("the batch failed");
        assert_eq!(first.kind(), FailureKind::Internal, "{file}, {place}: {first}");
        assert!(results.iter().all(|result| result.as_ref() == Err(first)), "{file}, {place}: {results:?}");
        let alone = runtime.block_on(instance.call(&batch[..1], &FakeHost::default()));
        assert_eq!(alone, [Ok(batch[0].document.clone())], "{file}, {place}");
    }
}

#[test]
fn a_batch_that_panicked_is_made_again_one_by_one() {
    let stages = "[stages.tried]\nuse = \"bad/crowds\"\nin = { text = \"input.text\" }\n";
    let pipeline = pipeline(&entry("bad", &fixture(NATIVE)), &crowd(), stages);
    let run = run_command(pipeline.command().args(["--jobs", "1"])).expect_code(3);
    let mut again = 0;
    for (line, text) in results(&run.folder()).iter().zip(crowd()) {
        if text == "bad" {
            // Alone, at last.
            assert_eq!(failure(line, "tried"), "internal: panicked in call: cannot stand one of 1");
        } else if line["outputs"]["tried"]["text"] == format!("AGAIN {text}") {
            again += 1;
        } else {
            assert_eq!(line["outputs"]["tried"], json!({ "text": text }));
        }
    }
    assert!(again > 0, "no batch held a bad item and a good one: the test says nothing");
}

#[test]
fn a_bad_plugin_among_good_ones_fails_its_own_stage_and_what_reads_it() {
    let plugins =
        entry("native", &fixture(NATIVE)) + &entry("wasm", &fixture(WASM)) + "[plugins.hand]\npath = \"hand.wasm\"\n";
    let stages = "
        [stages.one]\nuse = \"native/echo\"\nin = { text = \"input.text\" }
        [stages.two]\nuse = \"wasm/echo\"\nin = \"one\"
        [stages.trap]\nuse = \"hand/hand\"\nin = \"one\"
        [stages.reader]\nuse = \"native/echo\"\nin = { text = \"trap.text\" }
        [stages.three]\nuse = \"transcript\"\nin = { text = \"two.text\" }\n";
    let output = br#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#;
    let mut hand = calling("unreachable");
    hand.offers[0].output = output;
    let texts = ["Ann: we go on Monday.", "Bob: agreed."];
    let pipeline = pipeline(&plugins, &texts, stages).with("hand.wasm", hand.bytes());
    let run = pipeline.run().expect_code(3);
    assert_eq!(run.json()["items"], json!({ "total": 2, "ok": 0, "partial": 2, "failed": 0 }));
    for (line, text) in results(&run.folder()).iter().zip(texts) {
        assert_eq!(line["outputs"]["two"], json!({ "text": text }));
        assert!(line["outputs"]["three"].is_object(), "{line:#}");
        assert!(failure(line, "trap").starts_with("internal: trapped: "), "{line:#}");
        assert_eq!(failure(line, "reader"), "skipped: `trap` has no result");
    }
}

#[test]
fn every_plugin_that_cannot_be_loaded_is_named_at_its_entry_and_nothing_runs() {
    let good = fixture(WASM);
    let text = [
        "path = \"missing.so\"",
        "path = \"notes.txt\"",
        "path = \"native.so\"",
        "path = \"native.so\"\nallow_native = true",
        "path = \"short.wasm\"",
        &format!("path = {:?}\nsha256 = \"{}\"", good.to_str().expect("UTF-8"), "0".repeat(64)),
        &format!("path = {:?}", good.to_str().expect("UTF-8")),
    ];
    let plugins: String = text.iter().enumerate().map(|(n, text)| format!("[plugins.p{n}]\n{text}\n")).collect();
    let stages = "[stages.tried]\nuse = \"p6/echo\"\nin = { text = \"input.text\" }\n";
    let bytes: PathBuf = fixture(NATIVE);
    let pipeline = pipeline(&plugins, &TEXTS, stages)
        .with("notes.txt", "not a plugin")
        .with("native.so", fs::read(bytes).expect("a library"))
        .with("short.wasm", &fs::read(&good).expect("a component")[..6]);
    let said = faults(&pipeline).replace(&"0".repeat(64), "[pinned]");
    assert_snapshot!(said, @r#"
    4: plugin `p0` cannot be loaded: cannot read `[file]`: No such file or directory (os error 2)
    6: plugin `p1` cannot be loaded: `[file]` is not a plugin: it is text
       hint: a plugin is a native library or a WebAssembly component made with jackfield-plugin-api
    8: plugin `p2` cannot be loaded: `[file]` is native code, which runs with the host's full rights, and is not allowed
       hint: if you trust it, add to its entry: allow_native = true, sha256 = "[sha256]"
    10: plugin `p3` cannot be loaded: `[file]` is native code, which runs with the host's full rights, and is not allowed
       hint: if you trust it, add to its entry: allow_native = true, sha256 = "[sha256]"
    13: plugin `p4` cannot be loaded: `[file]` is damaged: it ends after 6 bytes
       hint: build or download it again
    15: plugin `p5` cannot be loaded: `[file]` has sha256 [sha256], the pipeline pins [pinned]
       hint: if the change is yours, pin the new file: sha256 = "[sha256]"
    "#);
}
