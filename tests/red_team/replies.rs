//! Answers that break the contract.

use insta::assert_snapshot;
use serde_json::json;

use super::{attack, lines};

#[test]
fn an_invalid_answer_is_reported_at_its_stage() {
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
    assert_snapshot!(lines(said), @r#"
    giant: over-budget: answered more than its limit of 64 MiB
    json-bomb: invalid-output: `hostile/json-bomb` broke its own output schema in stage `tried`: it is not valid JSON: recursion limit exceeded at line 1 column 128
    json-wide: invalid-output: `hostile/json-wide` broke its own output schema in stage `tried`: it is not valid JSON: expected value at line 1 column 2
    not-utf8: invalid-output: the answer is not UTF-8 text
    lies: invalid-output: `hostile/lies` broke its own output schema in stage `tried`: `/got`: [1,2,3] is not of type "string"
    surrogate: invalid-output: `hostile/surrogate` broke its own output schema in stage `tried`: it is not valid JSON: unexpected end of hex escape at line 1 column 15
    two-documents: invalid-output: `hostile/two-documents` broke its own output schema in stage `tried`: it is not valid JSON: trailing characters at line 1 column 13
    endless-number: invalid-output: `hostile/endless-number` broke its own output schema in stage `tried`: it is not valid JSON: number out of range at line 1 column 14
    tensor-overflow: invalid-output: `hostile/tensor-overflow` broke its own output schema in stage `tried`: tensor `weights` holds 0 elements, not [4294967296, 4294967296]
    tensor-short: invalid-output: `hostile/tensor-short` broke its own output schema in stage `tried`: tensor `weights` holds 3 elements, not [1000, 1000, 1000]
    tensor-dimensions: invalid-output: `hostile/tensor-dimensions` broke its own output schema in stage `tried`: tensor `weights` has 100000 dimensions, more than 8
    tensors-of-one-name: invalid-output: `hostile/tensors-of-one-name` broke its own output schema in stage `tried`: it has two tensors `weights`
    too-many: invalid-output: `hostile/too-many` answered 2 results to 1 requests
    too-few: invalid-output: `hostile/too-few` answered 0 results to 1 requests
    "#);
}

#[test]
fn a_plugin_that_exits_ends_nothing_else() {
    let said = ["exit", "exit-42", "abort"].map(|name| format!("{name}: {}", attack(name).stopped()));
    assert_snapshot!(lines(said), @r"
    exit: internal: it left with exit code 0 in the middle of a call
    exit-42: internal: it left with exit code 1 in the middle of a call
    abort: internal: trapped: wasm trap: wasm `unreachable` instruction executed
    ");
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
    assert_snapshot!(said[0], @"internal: trapped: wasm trap: wasm `unreachable` instruction executed");
}
