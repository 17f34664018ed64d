//! Calls to a real server on this machine.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use jackfield_plugin_api::{FailureKind, prelude::*};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::OpenAi;
use crate::testing::{KEY, Reply, ask, key_file, serve};

fn model(config: Value) -> OpenAi {
    serde_json::from_value::<OpenAi>(config).unwrap().open().unwrap()
}

fn at(address: std::net::SocketAddr) -> OpenAi {
    model(json!({ "base_url": format!("http://{address}/v1"), "name": "tiny" }))
}

fn asked() -> CompletionRequest {
    CompletionRequest::new(vec![Message::user("Why?")])
}

fn answer(text: &str) -> String {
    json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }).to_string()
}

/// What comes of a call that is replied to like this.
async fn call(reply: Reply) -> Result<Completion> {
    let address = serve(move |_| reply.clone()).await;
    ask(&at(address), asked()).await
}

async fn failure(reply: Reply) -> Failure {
    call(reply).await.unwrap_err()
}

#[tokio::test]
async fn a_call_is_a_post_with_the_key_in_its_header() {
    let (_folder, file) = key_file();
    let address = serve(|asked| Reply::of(200, "", answer(&format!("{}\n{}", asked.head, asked.body)))).await;
    let model = model(json!({
        "base_url": format!("http://{address}/v1/"), "name": "tiny", "api_key_file": file, "headers": { "X-Team": "blue" },
        "body": { "top_p": 0.5 },
    }));
    let text = ask(&model, asked()).await.unwrap().text;
    // The server repeats the key, and the answer does not.
    assert!(text.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{text}");
    for line in ["authorization: Bearer [key]\r\n", "x-team: blue\r\n", "content-type: application/json\r\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("accept-encoding: identity\r\n"), "{text}");
    assert!(text.ends_with(r#"{"messages":[{"content":"Why?","role":"user"}],"model":"tiny","top_p":0.5}"#), "{text}");
    assert!(!format!("{model:?}").contains(KEY));
}

#[tokio::test]
async fn without_a_key_no_authorization_is_sent() {
    let address = serve(|asked| Reply::of(200, "", answer(&asked.head))).await;
    assert!(!ask(&at(address), asked()).await.unwrap().text.contains("authorization"));
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_if_the_server_does() {
    let body = r#"{"error": {"message": "slow down"}}"#;
    let limited = |after| Failure::RateLimited { message: String::new(), retry_after: after };
    for (headers, after) in [("", None), ("retry-after: 3\r\n", Some(3)), ("Retry-After-Ms: 2000\r\n", Some(2))] {
        let failure = failure(Reply::of(429, headers, body)).await;
        assert!(failure.message().ends_with(" limits the rate: slow down"), "{failure:?}");
        let Failure::RateLimited { retry_after: wait, .. } = failure else { panic!("{failure:?}") };
        assert_eq!(limited(wait), limited(after.map(Duration::from_secs)));
    }
}

#[tokio::test]
async fn server_errors_are_outages() {
    for status in [500, 502, 503, 529] {
        assert_eq!(failure(Reply::of(status, "", "oops")).await.kind(), FailureKind::Unavailable);
    }
    assert_eq!(failure(Reply::of(503, "retry-after: 1\r\n", "")).await.kind(), FailureKind::RateLimited);
}

#[tokio::test]
async fn a_refused_connection_names_host_and_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let model = model(json!({ "base_url": format!("http://{address}/v1?version=hidden"), "name": "tiny" }));
    let expected = Failure::Unavailable(format!("the server at {address} refuses connections"));
    assert_eq!(ask(&model, asked()).await, Err(expected));
}

#[tokio::test]
async fn an_unknown_host_is_an_outage() {
    let model = model(json!({ "base_url": "http://no-such-host.invalid:81/v1?version=hidden", "name": "tiny" }));
    let failure = ask(&model, asked()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable, "{failure:?}");
    assert!(
        failure.message().contains("no-such-host.invalid:81") && !failure.message().contains("hidden"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let model = serde_json::from_value::<OpenAi>(json!({ "base_url": format!("https://{address}"), "name": "tiny" }));
    match model.unwrap().open() {
        Ok(model) => {
            let failure = ask(&model, asked()).await.unwrap_err();
            assert_eq!(failure.kind(), FailureKind::Unavailable);
            let expected = format!("there is no secure connection to the server at {address}: ");
            assert!(failure.message().starts_with(&expected), "{failure:?}");
        }
        // A system without certificates.
        Err(failure) => assert_eq!(failure.kind(), FailureKind::InvalidConfig),
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_or_within_the_answer_is_an_outage() {
    let start = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\"".to_vec();
    for bytes in [Vec::new(), b"HTTP/1.1 200 OK\r\n".to_vec(), start] {
        let failure = failure(Reply::Reset(bytes)).await;
        assert_eq!(failure.kind(), FailureKind::Unavailable, "{failure:?}");
        assert!(failure.message().ends_with(" broke the connection off"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_endless_body_ends_with_the_call() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\ncontent-length: 1000000\r\n\r\n{".to_vec();
    let began = Instant::now();
    let call = tokio::time::timeout(Duration::from_millis(200), call(Reply::Drip(head))).await;
    assert!(call.is_err() || call.unwrap().is_err());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_not_an_answer_is_invalid_output() {
    for (body, part) in [
        ("<html>hello</html>", "answered something that is not JSON: <html>hello</html>"),
        (r#"{"object": "list"}"#, r#"answered JSON of another form, without `choices`: {"object":"list"}"#),
        (r#"{"choices": [{"message": {"refusal": "No."}}]}"#, "the model refused: No."),
    ] {
        let failure = failure(Reply::of(200, "", body)).await;
        assert_eq!(failure.kind(), FailureKind::InvalidOutput);
        assert!(failure.message().ends_with(part), "{failure:?}");
    }
}

#[tokio::test]
async fn a_long_answer_is_read_and_one_beyond_the_limit_is_not() {
    let text = "x".repeat(10 << 20);
    assert_eq!(call(Reply::of(200, "", answer(&text))).await.unwrap().text.len(), text.len());
    let chunks = "1000\r\n".to_owned() + &"x".repeat(0x1000) + "\r\n";
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.repeat(5000));
    for reply in [Reply::of(200, "", answer(&text.repeat(2))), Reply::Send(chunked.into_bytes())] {
        let failure = failure(reply).await;
        assert_eq!(failure.kind(), FailureKind::InvalidOutput);
        assert!(failure.message().ends_with("answered more than 16 MiB"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_by_its_place() {
    let (_folder, file) = key_file();
    let body = format!(r#"{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}"#);
    for status in [401, 403, 400, 500] {
        let body = body.clone();
        let address = serve(move |_| Reply::of(status, "", &body)).await;
        let model = model(json!({ "base_url": format!("http://{address}"), "name": "tiny", "api_key_file": file }));
        let failure = ask(&model, asked()).await.unwrap_err();
        assert!(!format!("{failure:?}").contains("very-secret"), "{failure:?}");
        if status == 401 {
            let place = format!("does not take the key from `{}`", file.0.display());
            assert_eq!(failure.kind(), FailureKind::InvalidConfig);
            assert!(failure.message().contains(&place), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_sent_as_a_coding_is_not_shown() {
    let (_folder, file) = key_file();
    let address = serve(|_| Reply::of(200, &format!("content-encoding: {KEY}\r\n"), "x")).await;
    let model = model(json!({ "base_url": format!("http://{address}"), "name": "tiny", "api_key_file": file }));
    let failure = ask(&model, asked()).await.unwrap_err();
    assert!(failure.message().contains("in the coding `[key]`"), "{failure:?}");
}

#[tokio::test]
async fn a_long_error_that_comes_compressed_is_read() {
    let body = json!({ "error": { "message": "no such thing", "trace": "x".repeat(100_000) } }).to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    let failure = failure(Reply::of(400, "content-encoding: gzip\r\n", encoder.finish().unwrap())).await;
    assert!(failure.message().ends_with("(status 400): no such thing"), "{failure:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let failure = failure(Reply::of(307, "location: http://127.0.0.1:1/\r\n", "")).await;
    assert_eq!(failure.kind(), FailureKind::InvalidConfig);
}

#[tokio::test]
async fn connections_are_used_again() {
    let address = serve(|_| Reply::of(200, "", answer("x"))).await;
    let model = at(address);
    for _ in 0..50 {
        ask(&model, asked()).await.unwrap();
    }
}

#[test]
fn what_means_nothing_fails_when_the_model_is_opened() {
    let message = |config| match serde_json::from_value::<OpenAi>(config).unwrap().open() {
        Err(Failure::InvalidConfig(message)) => message,
        other => panic!("{other:?}"),
    };
    assert!(message(json!({ "base_url": "http://127.0.0.1", "name": " " })).contains("`name` is empty"));
    assert!(message(json!({ "name": "tiny", "body": { "stream": true } })).contains("`body.stream` cannot be set"));
    let unset =
        message(json!({ "base_url": "http://127.0.0.1", "name": "tiny", "api_key_env": "JACKFIELD_NO_SUCH_KEY" }));
    assert!(unset.contains("`JACKFIELD_NO_SUCH_KEY` is not set"));
    assert!(serde_json::from_value::<OpenAi>(json!({ "name": "tiny", "keyy": 1 })).is_err());
    assert!(serde_json::from_value::<OpenAi>(json!({ "name": "tiny", "api": null })).is_err());
}
