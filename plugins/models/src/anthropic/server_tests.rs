//! Calls by way of a host.

use jackfield_plugin_api::{FailureKind, prelude::*};
use serde_json::{Value, json};

use super::Anthropic;
use crate::testing::{ask_server, json_of, reply};

fn model(config: Value) -> Anthropic {
    serde_json::from_value::<Anthropic>(config).unwrap().open().unwrap()
}

#[tokio::test]
async fn a_call_is_a_post_with_key_and_version() {
    let model = model(json!({ "base_url": "http://127.0.0.1:81/v1", "name": "tiny", "api_key_env": "TINY_KEY" }));
    let answered = ask_server(&model, CompletionRequest::new(vec![Message::user("Why?")]), |asked| {
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("POST", "http://127.0.0.1:81/v1/messages"));
        for (name, value) in [("anthropic-version", "2023-06-01"), ("x-api-key", "${secret:TINY_KEY}")] {
            assert!(asked.headers.contains(&(name.to_owned(), value.to_owned())), "{:?}", asked.headers);
        }
        assert!(!asked.headers.iter().any(|(name, _)| name == "authorization"));
        let body = json!({ "content": [{ "type": "text", "text": "So." }], "stop_reason": "end_turn" });
        reply(200, &[], body.to_string())
    });
    assert_eq!(answered.await.unwrap().text, "So.");
}

#[tokio::test]
async fn a_schema_comes_back_as_the_input_of_the_tool() {
    let model = model(json!({ "base_url": "http://127.0.0.1:81", "name": "tiny" }));
    let request = CompletionRequest::new(vec![Message::user("Why?")]).with_schema(json!({ "type": "object" }));
    let answered = ask_server(&model, request, |asked| {
        assert_eq!(json_of(asked)["tool_choice"]["name"], "answer");
        let input = json!({ "verdict": "yes" });
        let body =
            json!({ "content": [{ "type": "tool_use", "name": "answer", "input": input }], "stop_reason": "tool_use" });
        reply(200, &[], body.to_string())
    });
    assert_eq!(answered.await.unwrap().text, r#"{"verdict":"yes"}"#);
}

#[tokio::test]
async fn an_overload_is_an_outage() {
    let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#;
    let model = model(json!({ "base_url": "http://127.0.0.1:81", "name": "tiny" }));
    let request = CompletionRequest::new(vec![Message::user("Why?")]);
    let failure = ask_server(&model, request, move |_| reply(529, &[], body)).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert_eq!(failure.message(), "the server at 127.0.0.1:81 answered with status 529: Overloaded");
}

#[test]
fn what_means_nothing_fails_when_the_model_is_opened() {
    let open = |config| serde_json::from_value::<Anthropic>(config).unwrap().open();
    let base = "http://127.0.0.1";
    assert!(open(json!({ "base_url": base, "name": "tiny", "max_tokens": 0 })).is_err());
    assert!(open(json!({ "base_url": base, "name": "tiny", "body": { "tools": [] } })).is_err());
    assert!(open(json!({ "base_url": "https://me:pw@example.org", "name": "tiny" })).is_err());
}
