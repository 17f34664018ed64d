//! Calls to a real server on this machine.

use jackfield_plugin_api::{FailureKind, prelude::*};
use serde_json::{Value, json};

use super::Anthropic;
use crate::testing::{KEY, Reply, ask, key_file, serve};

fn model(config: Value) -> Anthropic {
    serde_json::from_value::<Anthropic>(config).unwrap().open().unwrap()
}

#[tokio::test]
async fn a_call_is_a_post_with_key_and_version() {
    let (_folder, file) = key_file();
    let address = serve(|asked| {
        let body = json!({ "content": [{ "type": "text", "text": asked.head }], "stop_reason": "end_turn" });
        Reply::of(200, "", body.to_string())
    })
    .await;
    let model = model(json!({ "base_url": format!("http://{address}/v1"), "name": "tiny", "api_key_file": file }));
    let text = ask(&model, CompletionRequest::new(vec![Message::user("Why?")])).await.unwrap().text;
    assert!(text.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{text}");
    assert!(text.contains("x-api-key: [key]\r\n") && text.contains("anthropic-version: 2023-06-01\r\n"), "{text}");
    assert!(!text.contains("authorization"));
    assert!(!format!("{model:?}").contains(KEY));
}

#[tokio::test]
async fn a_schema_comes_back_as_the_input_of_the_tool() {
    let address = serve(|asked| {
        assert_eq!(asked.body["tool_choice"]["name"], "answer");
        let input = json!({ "verdict": "yes" });
        let body =
            json!({ "content": [{ "type": "tool_use", "name": "answer", "input": input }], "stop_reason": "tool_use" });
        Reply::of(200, "", body.to_string())
    })
    .await;
    let model = model(json!({ "base_url": format!("http://{address}"), "name": "tiny" }));
    let request = CompletionRequest::new(vec![Message::user("Why?")]).with_schema(json!({ "type": "object" }));
    assert_eq!(ask(&model, request).await.unwrap().text, r#"{"verdict":"yes"}"#);
}

#[tokio::test]
async fn an_overload_is_an_outage() {
    let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#;
    let address = serve(move |_| Reply::of(529, "", body)).await;
    let model = model(json!({ "base_url": format!("http://{address}"), "name": "tiny" }));
    let failure = ask(&model, CompletionRequest::new(vec![Message::user("Why?")])).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert_eq!(failure.message(), format!("the server at {address} answered with status 529: Overloaded"));
}

#[test]
fn what_means_nothing_fails_when_the_model_is_opened() {
    let open = |config| serde_json::from_value::<Anthropic>(config).unwrap().open();
    let base = "http://127.0.0.1";
    assert!(open(json!({ "base_url": base, "name": "tiny", "max_tokens": 0 })).is_err());
    assert!(open(json!({ "base_url": base, "name": "tiny", "body": { "tools": [] } })).is_err());
    assert!(open(json!({ "base_url": "https://me:pw@example.org", "name": "tiny" })).is_err());
}
