//! Answers that break the contract.

use insta::assert_snapshot;
use serde_json::json;

use super::{attack, lines};

#[test]
fn an_answer_that_is_none_is_told_at_the_guilty_stage() {
    let said = [
        "giant",
        "json-bomb",
        "json-wide",
        "not-utf8",
        "lies",
        "surrogate",
        "two-documents",
        "endless-number",
        "tensor-overflow",
        "tensor-short",
        "tensor-dimensions",
        "tensors-of-one-name",
        "too-many",
        "too-few",
    ]
    .map(|name| format!("{name}: {}", attack(name).stopped()));
    assert_snapshot!(lines(said), @"");
}

#[test]
fn a_plugin_that_leaves_takes_nobody_along() {
    let said = ["exit", "exit-42", "abort"].map(|name| format!("{name}: {}", attack(name).stopped()));
    assert_snapshot!(lines(said), @"");
}

#[test]
fn a_failure_of_megabytes_is_cut() {
    let said = attack("long-failure").stopped();
    assert_eq!(said.len(), "internal: ".len() + 4096);
}

#[test]
fn an_instance_that_poisoned_itself_is_never_seen_again() {
    let said = [1, 8].map(|jobs| {
        let mut attack = attack("poison").stage("batch = 1").on_all();
        attack.jobs = Some(jobs);
        let outcome = attack.run();
        let outputs: Vec<_> = outcome.outputs.into_iter().flatten().collect();
        assert_eq!(outputs, vec![json!({ "got": "call 1, saw nothing" }); 4]);
        outcome.said.expect_err("stopped")
    });
    assert_eq!(said[0], said[1]);
    assert_snapshot!(said[0], @"");
}
