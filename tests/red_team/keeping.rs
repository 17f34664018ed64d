//! Caches and models.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use super::{attack, lines};
use crate::support::{Pipeline, fixture, results};

const MEMORY: &str = "[cache.kept]\ntiers = [{ use = \"memory\" }]\n";
const FILE: &str = "[cache.kept]\ntiers = [{ use = \"sqlite\", with = { path = \"kept.sqlite\" } }]\n";

#[test]
fn a_cache_and_a_model_are_for_those_that_ask_and_are_given_one() {
    let said = [
        attack("cache-unasked").tables(MEMORY).stopped(),
        attack("cache-peek").stopped(),
        attack("model-unasked").stopped(),
        attack("model").stopped(),
    ];
    assert_snapshot!(lines(said), @r#"
    invalid-config: plugin `hostile` does not ask for `cache` in its descriptor, so it cannot be granted
    invalid-config: stage `tried` has no cache to keep things in: add `store = "NAME"` to it
    invalid-config: plugin `hostile` does not ask for `model` in its descriptor, so it cannot be granted
    invalid-config: stage `tried` asks for a model and has none: add `model = "NAME"` to it
    "#);
    // Nor can one be given to those that do not ask.
    let said = [
        attack("cache-unasked").stage("store = \"kept\"").tables(MEMORY).refused(),
        attack("model-unasked").stage("model = \"mock\"").tables("[model.mock]\nuse = \"mock\"\n").refused(),
    ];
    assert_snapshot!(lines(said), @r"
    stage `tried`: `cache-unasked` does not ask for a cache, so `store` would have no effect
    stage `tried`: `model-unasked` does not ask for a model, so `model` would have no effect
    ");
}

#[test]
fn no_plugin_sees_what_another_keeps() {
    // The same program but for one byte behind its end, as another plugin.
    let mut other = fs::read(fixture("red_team/hostile.wasm")).expect("read");
    other.extend([0, 2, 1, b'x']); // a custom section of its own
    let pipeline = Pipeline::new(&format!(
        r#"
[pipeline]
name = "peek"
[plugins.keeper]
path = {:?}
[plugins.peeper]
path = "other.wasm"
[input]
use   = "inline"
items = [{{ text = "bad" }}]
{FILE}
[stages.keeps]
use   = "keeper/cache-put"
in    = {{ text = "input.text" }}
with  = {{ target = "the secret" }}
store = "kept"
[stages.same]
use   = "keeper/cache-peek"
in    = {{ text = "input.text", after = "keeps.got" }}
with  = {{ target = "x" }}
store = "kept"
[stages.peeps]
use   = "peeper/cache-peek"
in    = {{ text = "input.text", after = "same.got" }}
with  = {{ target = "store/{}/none/secret" }}
store = "kept"
"#,
        fixture("red_team/hostile.wasm").to_str().expect("UTF-8"),
        &jackfield_loader::Digest::of_file(&fixture("red_team/hostile.wasm")).expect("read").to_string()[..16],
    ))
    .with("other.wasm", other);
    let run = pipeline.run().expect_code(3);
    let line = &results(&run.folder())[0];
    assert_eq!(line["outputs"]["keeps"], json!({ "got": "kept" }));
    assert_eq!(line["outputs"]["same"], json!({ "got": "secret: the secret" }), "its own it sees");
    assert_eq!(line["failures"]["peeps"][0]["message"], "nothing of others", "{line:#}");
}

#[test]
fn keys_of_any_bytes_are_kept_apart() {
    for tiers in [MEMORY, FILE] {
        let said = attack("cache-odd-keys").stage("store = \"kept\"").tables(tiers).answered();
        assert_eq!(said, "12 of 12 keys are kept apart");
    }
}

#[test]
fn what_is_too_large_or_no_text_is_not_kept() {
    let keep = |name| attack(name).stage("store = \"kept\"").tables(MEMORY);
    let said = [
        keep("cache-no-text").stopped(),
        keep("cache-huge").stopped(),
        keep("cache-huge").limits("output = \"200MiB\"").stopped(),
    ];
    assert_snapshot!(lines(said), @r"
    internal: trapped: invalid utf-8 sequence of 1 bytes from index 0
    over-budget: answered more than its limit of 64 MiB
    invalid-input: a value of more than 64 MiB cannot be cached
    ");
}

#[test]
fn a_request_for_a_model_is_held_to_the_contract() {
    let model = "[model.mock]\nuse = \"mock\"\n";
    let ask = |name| attack(name).stage("model = \"mock\"").tables(model);
    let schema = |schema: &str| {
        ask("model").target(&format!(r#"{{"messages":[{{"role":"user","content":"hello"}}],"schema":{schema}}}"#)).run()
    };
    let said =
        [ask("model-elsewhere").stopped(), ask("model").target("{}").stopped(), ask("model").target("[[[").stopped()];
    assert_snapshot!(lines(said), @r"
    internal: asked on behalf of request 4294967295 of 1
    invalid-input: not a completion request: missing field `messages` at line 1 column 2
    invalid-input: not a completion request: EOF while parsing a list at line 1 column 3
    ");
    // Whatever comes of these, the run ends, and the others are unharmed.
    for hostile in [
        r##"{"$ref":"#"}"##,
        r#"{"$ref":"file:///etc/passwd"}"#,
        r#"{"pattern":"^(a+)+$","type":"string"}"#,
        r#"{"pattern":"(?:(?:(?:a{100}){100}){100}){100}"}"#,
        r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
    ] {
        let _ = schema(hostile).said;
    }
}

#[test]
fn a_request_in_the_target_reaches_the_model() {
    // Without it, the test above would show nothing.
    let outcome = attack("model").stage("model = \"mock\"").tables("[model.mock]\nuse = \"mock\"\n").run();
    let answer = outcome.said.expect("answered");
    assert!(answer["got"].as_str().is_some_and(|got| got.starts_with("the model said: {")), "{answer}");
}
