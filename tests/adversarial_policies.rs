//! Routing policies that misbehave, in files: what the item says, and that no other item is harmed.

use std::fs;

use serde_json::{Value, json};

use crate::{
    bad_plugins::component::{Described, Hand},
    support::{CommandOutput, Pipeline, fixture, jackfield, results, run_command},
};

const TOPICS: [&str; 5] = ["good", "bad", "good", "good", "good"];
const FORMS: [&str; 2] = ["so", "wasm"];
/// How every failure of a decision begins.
const BY: &str = "the policy `invalid-policy` of the route of stage `read`: ";

/// A stage whose policy misbehaves like this where the topic is `bad`.
fn pipeline(form: &str, does: &str) -> Pipeline {
    let file = fixture(&format!("jackfield_test_invalid_plugin.{form}"));
    let native = if form == "so" { "allow_native = true" } else { "" };
    let items = TOPICS.map(|topic| format!("{{ topic = \"{topic}\", text = \"Ann: Good morning to all of you.\" }}"));
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "invalid-policy"
[plugins.odd]
path = {:?}
{native}
[input]
use = "inline"
items = [{}]
[stages.read]
use = "transcript"
in = {{ text = "input.text" }}
route = {{ use = "odd/invalid-policy", with = {{ does = "{does}" }}, context = "input.topic", arms = [{{ merge = false }}, {{ merge = true }}], state = "read", in_flight = 1 }}
[stages.steady]
use = "transcript"
in = {{ text = "input.text" }}
"#,
        file.to_str().expect("UTF-8"),
        items.join(", ")
    ));
    run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    pipeline
}

/// Kind and message of the bad item's failure, after a look at all that should not be harmed by it.
#[track_caller]
fn only_the_bad_one_failed(pipeline: &Pipeline) -> String {
    let run = pipeline.run().expect_code(3);
    assert_eq!(run.json()["items"], json!({ "total": 5, "ok": 4, "partial": 1, "failed": 0 }));
    let lines = results(&run.folder());
    let mut said = None;
    for (line, topic) in lines.iter().zip(TOPICS) {
        assert!(line["outputs"]["steady"].is_object(), "{line:#}");
        if topic == "bad" {
            assert!(line["outputs"].get("read").is_none(), "{line:#}");
            let failures = line["failures"]["read"].as_array().expect("failures");
            assert_eq!(failures.len(), 1, "{line:#}");
            let text = |key: &str| failures[0][key].as_str().expect("a text").to_owned();
            said = Some(format!("{}: {}", text("kind"), text("message")));
        } else {
            assert!(line["outputs"]["read"].is_object(), "{line:#}");
            assert_eq!(line.get("failures"), None, "{line:#}");
        }
    }
    // What came of the others is learned.
    assert_eq!(learned(pipeline)["state"]["outcomes"], 4);
    assert_eq!(run.json()["routes"]["read"]["outcomes"], 4);
    said.expect("the bad one is among them")
}

/// What the route keeps.
#[track_caller]
fn learned(pipeline: &Pipeline) -> Value {
    let text = fs::read_to_string(pipeline.path().join(".jackfield/routes/read.json")).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_decision_that_panics_or_traps_fails_its_item_alone() {
    let native = only_the_bad_one_failed(&pipeline("so", "panic"));
    assert!(native.starts_with(&format!("internal: {BY}panicked")) && native.contains("a decision panics"), "{native}");
    let component = only_the_bad_one_failed(&pipeline("wasm", "panic"));
    assert!(
        component.starts_with(&format!("internal: {BY}")) && component.contains("a decision panics"),
        "{component}"
    );
}

#[test]
fn a_decision_that_fails_is_reported_in_the_words_of_the_policy() {
    for form in FORMS {
        let said = only_the_bad_one_failed(&pipeline(form, "fail"));
        assert_eq!(said, format!("invalid-input: {BY}the policy refuses this context"), "{form}");
    }
}

#[test]
fn an_arm_that_there_is_not_fails_its_item_alone() {
    for form in FORMS {
        let said = only_the_bad_one_failed(&pipeline(form, "out-of-range"));
        assert_eq!(said, format!("internal: {BY}the policy `invalid-policy` picked arm 9 of 2"), "{form}");
    }
}

#[test]
fn an_arm_that_was_tried_before_fails_its_item_alone() {
    for form in FORMS {
        let said = only_the_bad_one_failed(&pipeline(form, "again"));
        assert_eq!(
            said,
            format!("internal: {BY}the policy `invalid-policy` picked arm 0 again, which failed"),
            "{form}"
        );
    }
}

#[test]
fn a_decision_that_never_comes_ends_at_the_limit_of_a_component() {
    let said = only_the_bad_one_failed(&pipeline("wasm", "loop"));
    assert!(said.starts_with(&format!("over-budget: {BY}")), "{said}");
    assert!(said.ends_with("used up its CPU time of 5s"), "{said}");
}

/// A run in which one outcome is not learned from.
#[track_caller]
fn all_but_one_learned(form: &str, does: &str) -> CommandOutput {
    let pipeline = pipeline(form, does);
    let run = pipeline.run().expect_code(0);
    assert_eq!(run.json()["items"]["ok"], 5, "{form}");
    assert_eq!(learned(&pipeline)["state"]["outcomes"], 4, "{form}: the state is as it was before");
    let warning = "the policy of its route does not learn from an outcome: ";
    assert!(run.stderr.contains(warning) && run.stderr.contains("read"), "{form}: {}", run.stderr);
    run
}

#[test]
fn an_outcome_that_cannot_be_learned_from_leaves_the_state_as_it_was() {
    for form in FORMS {
        let run = all_but_one_learned(form, "learn-panic");
        assert!(run.stderr.contains("an outcome panics"), "{form}: {}", run.stderr);
        let run = all_but_one_learned(form, "learn-no-json");
        assert!(run.stderr.contains("this state cannot be written as JSON"), "{form}: {}", run.stderr);
    }
}

#[test]
fn a_policy_whose_answer_is_not_json_is_refused_before_anything_runs() {
    let policy = Described {
        kind: b"routing-policy",
        input: br#"{"x-learns":"nothing"}"#,
        output: b"{}",
        ..Described::default()
    };
    let hands: [&'static [u8]; 3] = [b"{\"state\": {]", b"\"a state\"", b"{\"decisions\": []}"];
    for answer in hands {
        let hand = Hand { offers: vec![policy.clone()], answer, ..Hand::default() };
        let pipeline = Pipeline::new(
            r#"
[pipeline]
name = "hand"
[plugins.hand]
path = "hand.wasm"
[input]
use = "inline"
items = ["one"]
[stages.read]
use = "transcript"
in = { text = "input" }
route = { use = "hand/hand", arms = [{ merge = false }, { merge = true }] }
"#,
        )
        .with("hand.wasm", hand.bytes());
        let run = pipeline.run();
        assert!(matches!(run.code, Some(1 | 2)), "{run:#?}");
        assert!(!pipeline.out().exists(), "something was run");
        let said = format!("{}{}", run.stdout, run.stderr);
        let start =
            "the policy `hand` of the route of stage `read` cannot be set up: invalid-output: its answer is none: ";
        assert!(said.contains(start), "{said}");
    }
}
