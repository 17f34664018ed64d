//! Calls by way of a host.

use std::time::Duration;

use jackfield_plugin_api::{FailureKind, prelude::*};
use serde_json::{Value, json};

use super::OpenAi;
use crate::testing::{ask_server, reply};

fn model(config: Value) -> OpenAi {
    serde_json::from_value::<OpenAi>(config).unwrap().open().unwrap()
}

fn at_home() -> OpenAi {
    model(json!({ "base_url": "http://127.0.0.1:81/v1", "name": "tiny" }))
}

fn asked() -> CompletionRequest {
    CompletionRequest::new(vec![Message::user("Why?")])
}

fn answer(text: &str) -> String {
    json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }).to_string()
}

/// What comes of a call that is replied to like this.
async fn call(status: u16, headers: &'static [(&str, &str)], body: impl Into<Vec<u8>>) -> Result<Completion> {
    let body = body.into();
    ask_server(&at_home(), asked(), move |_| reply(status, headers, &body)).await
}

async fn failure(status: u16, headers: &'static [(&str, &str)], body: impl Into<Vec<u8>>) -> Failure {
    call(status, headers, body).await.unwrap_err()
}

#[tokio::test]
async fn a_call_is_a_post_that_names_the_key_in_its_header() {
    let model = model(json!({
        "base_url": "http://127.0.0.1:81/v1/", "name": "tiny", "api_key_env": "TINY_KEY", "headers": { "X-Team": "blue" },
        "body": { "top_p": 0.5 },
    }));
    let answered = ask_server(&model, asked(), |asked| {
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("POST", "http://127.0.0.1:81/v1/chat/completions"));
        let headers = [
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("authorization", "Bearer ${secret:TINY_KEY}"),
            ("content-type", "application/json"),
            ("x-team", "blue"),
        ];
        assert_eq!(asked.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(asked.body, br#"{"model":"tiny","messages":[{"role":"user","content":"Why?"}],"top_p":0.5}"#);
        reply(200, &[], answer("So."))
    });
    assert_eq!(answered.await.unwrap().text, "So.");
}

#[tokio::test]
async fn without_a_key_no_authorization_is_sent() {
    let model = at_home();
    let answered = ask_server(&model, asked(), |asked| {
        assert!(!asked.headers.iter().any(|(name, _)| name == "authorization"));
        reply(200, &[], answer("x"))
    });
    answered.await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_if_the_server_does() {
    let body = r#"{"error": {"message": "slow down"}}"#;
    for (headers, after) in [
        ([].as_slice(), None),
        (&[("retry-after", "3")], Some(3)),
        (&[("retry-after-ms", "2000")], Some(2)),
        (&[("date", "Sun, 06 Nov 1994 08:49:35 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(2)),
    ] {
        let failure = failure(429, headers, body).await;
        assert!(failure.message().ends_with(" limits the rate: slow down"), "{failure:?}");
        assert_eq!((failure.kind(), failure.retry_after()), (FailureKind::RateLimited, after.map(Duration::from_secs)));
    }
}

#[tokio::test]
async fn server_errors_are_outages() {
    for status in [500, 502, 503, 529] {
        assert_eq!(failure(status, &[], "oops").await.kind(), FailureKind::Unavailable);
    }
    assert_eq!(failure(503, &[("retry-after", "1")], "").await.kind(), FailureKind::RateLimited);
}

#[tokio::test]
async fn what_the_host_says_of_the_way_there_is_the_failure() {
    for why in [
        Failure::Unavailable("the server at 127.0.0.1:81 refuses connections".to_owned()),
        Failure::InvalidConfig("`http:127.0.0.1:81` is not granted".to_owned()),
    ] {
        let said = why.clone();
        assert_eq!(ask_server(&at_home(), asked(), move |_| Err(said.clone())).await, Err(why));
    }
    let long =
        ask_server(&at_home(), asked(), |_| Err(Failure::OverBudget("answered more than 64 MiB".to_owned()))).await;
    assert_eq!(long, Err(Failure::InvalidOutput("answered more than 64 MiB".to_owned())));
}

#[tokio::test]
async fn what_is_not_an_answer_is_invalid_output() {
    for (body, part) in [
        ("<html>hello</html>", "answered something that is not JSON: <html>hello</html>"),
        (r#"{"object": "list"}"#, r#"answered JSON of another form, without `choices`: {"object":"list"}"#),
        (r#"{"choices": [{"message": {"refusal": "No."}}]}"#, "the model refused: No."),
    ] {
        let failure = failure(200, &[], body).await;
        assert_eq!(failure.kind(), FailureKind::InvalidOutput);
        assert!(failure.message().ends_with(part), "{failure:?}");
    }
}

#[tokio::test]
async fn a_long_answer_is_read_and_one_beyond_the_limit_is_not() {
    let text = "x".repeat(10 << 20);
    assert_eq!(call(200, &[], answer(&text)).await.unwrap().text.len(), text.len());
    let failure = failure(200, &[], answer(&text.repeat(2))).await;
    assert_eq!(failure.kind(), FailureKind::InvalidOutput);
    assert!(failure.message().ends_with("answered more than 16 MiB"), "{failure:?}");
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_by_its_place() {
    let model = model(json!({ "base_url": "http://127.0.0.1:81", "name": "tiny", "api_key_env": "TINY_KEY" }));
    let body = r#"{"error": {"message": "Incorrect API key provided: [key]"}}"#;
    for status in [401, 403] {
        let failure = ask_server(&model, asked(), move |_| reply(status, &[], body)).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::InvalidConfig);
        assert!(failure.message().contains("does not take the key from `TINY_KEY`"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_coding_that_the_host_does_not_know_is_named() {
    let failure = failure(200, &[("content-encoding", "br")], "x").await;
    assert!(failure.message().contains("in the coding `br`"), "{failure:?}");
    assert_eq!(call(200, &[("content-encoding", "identity")], answer("x")).await.unwrap().text, "x");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let failure = failure(307, &[("location", "http://127.0.0.1:1/")], "").await;
    assert_eq!(failure.kind(), FailureKind::InvalidConfig);
}

#[test]
fn what_means_nothing_fails_when_the_model_is_opened() {
    let message = |config| match serde_json::from_value::<OpenAi>(config).unwrap().open() {
        Err(Failure::InvalidConfig(message)) => message,
        other => panic!("{other:?}"),
    };
    assert!(message(json!({ "base_url": "http://127.0.0.1", "name": " " })).contains("`name` is empty"));
    assert!(message(json!({ "name": "tiny", "body": { "stream": true } })).contains("`body.stream` cannot be set"));
    assert!(message(json!({ "name": "tiny", "api_key_env": "A=B" })).contains("names no environment variable"));
    assert!(serde_json::from_value::<OpenAi>(json!({ "name": "tiny", "keyy": 1 })).is_err());
    assert!(serde_json::from_value::<OpenAi>(json!({ "name": "tiny", "api": null })).is_err());
}
