use jackfield_plugin_api::{
    Kind,
    testing::{FakeHost, call},
};
use serde_json::json;

use super::*;

fn opened(config: Value) -> Result<Prompt> {
    let prompt: Prompt = serde_json::from_value(config).map_err(|error| Failure::InvalidConfig(error.to_string()))?;
    prompt.open()
}

/// What the model is asked, and the answer.
fn asked(config: Value, input: Value, answer: &str) -> (CompletionRequest, Result<Value>) {
    let answer = answer.to_owned();
    let host =
        FakeHost::default().with_model(move |_| Ok(Completion { text: answer.clone(), ..Completion::default() }));
    let answer = call(Kind::Analyzer, "prompt", config, input, &host);
    (host.requests().pop().unwrap_or_default(), answer)
}

fn shown(request: &CompletionRequest) -> Vec<String> {
    request.messages.iter().map(|message| format!("{:?}: {}", message.role, message.content)).collect()
}

fn fault(config: Value) -> String {
    opened(config).expect_err("a fault").to_string()
}

#[test]
fn the_fields_of_the_input_are_put_into_the_templates() {
    let config = json!({ "system": "Judge {{ what }}.", "user": { "file": { "path": "u.txt", "text": "{{ review.text }}\n" } },
        "max_tokens": 20, "temperature": 0.5, "stop": ["\n"], "seed": 3 });
    let (request, answer) =
        asked(config, json!({ "what": "reviews", "review": { "text": "It <leaks> & \"drips\"." } }), "Bad.");
    assert_eq!(shown(&request), ["System: Judge reviews.", "User: It <leaks> & \"drips\"."]);
    assert_eq!((request.max_tokens, request.temperature, request.seed), (Some(20), Some(0.5), Some(3)));
    assert_eq!((request.stop, request.schema), (vec!["\n".to_owned()], None));
    assert_eq!(answer, Ok(json!({ "text": "Bad." })));
}

#[test]
fn with_a_schema_the_answer_is_the_value_that_the_model_wrote() {
    let schema = json!({ "type": "object", "properties": { "good": { "type": "boolean" } } });
    let (request, answer) =
        asked(json!({ "user": "{{ r }}", "schema": schema }), json!({ "r": 1 }), " {\"good\": false} ");
    assert_eq!(request.schema.as_deref(), Some(&schema));
    assert_eq!(answer, Ok(json!({ "good": false })));
    let file = json!({ "file": { "path": "a.json", "text": "{\"type\":\"array\"}" } });
    let (request, answer) = asked(json!({ "user": "{{ r }}", "schema": file }), json!({ "r": 1 }), "no");
    assert_eq!(request.schema.as_deref(), Some(&json!({ "type": "array" })));
    assert!(answer.is_err_and(|failure| failure.to_string().contains("the answer is not JSON")));
}

#[test]
fn examples_stand_before_the_last_message_and_are_made_by_its_template() {
    let examples = json!([{ "r": "Fine.", "answer": { "good": true } }, { "r": "Bad.", "answer": "no" }]);
    let config = json!({ "examples": examples, "messages": [
        { "role": "system", "content": "S" }, { "role": "user", "content": "Hello" },
        { "role": "assistant", "content": "Yes?" }, { "role": "user", "content": "Review: {{ r }}" },
    ] });
    let (request, _) = asked(config, json!({ "r": "Leaks." }), "");
    assert_eq!(
        shown(&request),
        [
            "System: S",
            "User: Hello",
            "Assistant: Yes?",
            "User: Review: Fine.",
            "Assistant: {\"good\":true}",
            "User: Review: Bad.",
            "Assistant: no",
            "User: Review: Leaks."
        ]
    );
}

#[test]
fn a_long_text_ends_with_a_sentence_within_its_limit() {
    let text = "The kettle leaks. It drips on the floor at night. Nobody answers the phone.";
    let cut = |limits: Value, r: Value| {
        let (request, answer) = asked(json!({ "user": "{{ r }}", "limits": limits }), json!({ "r": r }), "");
        answer.map(|_| request.messages[0].content.clone())
    };
    assert_eq!(cut(json!({ "r": 100 }), json!(text)).as_deref(), Ok(text));
    assert_eq!(
        cut(json!({ "r": 14 }), json!(text)).as_deref(),
        Ok("The kettle leaks. It drips on the floor at night.")
    );
    assert_eq!(cut(json!({ "r": 8 }), json!(text)).as_deref(), Ok("The kettle leaks."));
    assert_eq!(cut(json!({ "r": 2 }), json!(text)).as_deref(), Ok("The kettle"));
    assert_eq!(
        cut(json!({ "r": 3 }), json!(["one", "two", "three", "four"])).as_deref(),
        Ok("[\"one\",\"two\",\"three\"]")
    );
    assert!(cut(json!({ "r": 3 }), json!({})).is_err());
}

#[test]
fn limits_count_with_the_tokenizer_of_the_model_if_that_is_asked_for() {
    // One token a character, and three for each message.
    let host = FakeHost::default().with_model(|request| {
        let token = Token { id: 0, text: String::new() };
        let tokens = request.tokenize.then(|| vec![token; 3 + request.messages[0].content.chars().count()]);
        Ok(Completion { tokens, text: request.messages[0].content.clone(), ..Completion::default() })
    });
    let config = json!({ "user": "{{ r }}", "limits": { "r": 12 }, "tokenizer": "model" });
    let answer = call(Kind::Analyzer, "prompt", config, json!({ "r": "One. Two two. Three." }), &host);
    assert_eq!(answer, Ok(json!({ "text": "One." })));
}

#[test]
fn what_makes_no_sense_is_refused_when_it_is_opened() {
    let faults = [
        json!({}),
        json!({ "system": "S" }),
        json!({ "user": "U", "messages": [{ "role": "user", "content": "U" }] }),
        json!({ "system": "S", "messages": [{ "role": "user", "content": "U" }] }),
        json!({ "messages": [{ "role": "assistant", "content": "A" }] }),
        json!({ "user": "a\n{{ b" }),
        json!({ "user": "{{ r }}", "examples": [{ "r": 1 }] }),
        json!({ "user": "{{ r }}", "examples": [{ "rr": 1, "answer": 1 }] }),
        json!({ "user": "{{ r }}{{ s }}", "examples": [{ "r": 1, "answer": 1 }] }),
        json!({ "user": "{{ r }}", "limits": { "rr": 10 } }),
        json!({ "user": "{{ r }}", "limits": { "r": 0 } }),
        json!({ "user": "{{ r }}", "schema": { "file": { "path": "a.json", "text": "{" } } }),
    ];
    insta::assert_snapshot!(faults.map(fault).join("\n"));
}

#[test]
fn a_variable_that_an_item_lacks_fails_that_item() {
    let (_, answer) = asked(json!({ "user": "{{ r }}" }), json!({}), "");
    assert_eq!(answer, Err(Failure::InvalidInput("the template `user`, line 1: `r` is not there".to_owned())));
}
