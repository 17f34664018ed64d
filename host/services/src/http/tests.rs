//! Requests to a real server on this machine.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use jackfield_loader::sandbox::Grants;
use jackfield_plugin_api::{Descriptor, FailureKind, HttpRequest, HttpResponse, Kind, Permission, Result, Stability};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

/// What a server does after it has read a request.
#[derive(Clone)]
enum Reply {
    /// Answers and keeps the connection.
    Send(Vec<u8>),
    /// Sends this and resets the connection.
    Reset(Vec<u8>),
    /// Sends this, and then a byte now and then, for ever.
    Drip(Vec<u8>),
}

impl Reply {
    /// An answer of this status, with these header lines (each ended by CRLF) and this body.
    fn of(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Self::Send([head.as_bytes(), body].concat())
    }
}

/// A request as it came in.
#[derive(Debug)]
struct Asked {
    /// Request line and headers.
    head: String,
}

/// Starts a server on this machine that replies to every request. It ends with the runtime.
async fn serve(reply: impl Fn(Asked) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a server");
    let address = listener.local_addr().expect("a server");
    let reply = Arc::new(reply);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let reply = Arc::clone(&reply);
            tokio::spawn(async move { converse(stream, &*reply).await });
        }
    });
    address
}

async fn converse(mut stream: TcpStream, reply: &(impl Fn(Asked) -> Reply + Send + Sync)) -> std::io::Result<()> {
    while let Some(asked) = read(&mut stream).await? {
        match reply(asked) {
            Reply::Send(bytes) => stream.write_all(&bytes).await?,
            Reply::Reset(bytes) => {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return stream.set_zero_linger();
            }
            Reply::Drip(bytes) => {
                stream.write_all(&bytes).await?;
                loop {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    stream.write_all(b" ").await?;
                }
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let end = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = bytes.split_off(end);
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Asked { head }))
}

/// What an extension may do that is linked in and asks for servers and secrets.
fn grants() -> Grants {
    let asked = |name: &str| Permission { name: name.to_owned(), reason: "to ask".to_owned() };
    let descriptor = Descriptor {
        kind: Kind::Model,
        name: "x".to_owned(),
        version: "1.0.0".to_owned(),
        summary: String::new(),
        config: true.into(),
        input: true.into(),
        output: true.into(),
        permissions: vec![asked("http"), asked("secret")],
        examples: Vec::new(),
        stability: Stability::Beta,
    };
    Grants::all("x", &descriptor)
}

const MOST: u64 = 1 << 20;

async fn get(address: SocketAddr) -> Result<HttpResponse> {
    Http::default().fetch(&grants(), HttpRequest::get(format!("http://{address}/x?version=hidden")), MOST).await
}

/// What comes of a request that is replied to like this.
async fn fetched(reply: Reply) -> Result<HttpResponse> {
    get(serve(move |_| reply.clone()).await).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("packed");
    encoder.finish().expect("packed")
}

/// A file that holds a key; it is there as long as the folder is.
fn key_file(key: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{key}\n")).expect("written");
    (folder, path.to_str().expect("UTF-8").to_owned())
}

#[tokio::test]
async fn a_secret_goes_to_the_server_and_comes_back_to_nobody() {
    let (_folder, file) = key_file("sk-very-secret");
    let address = serve(|asked| {
        let body = format!("{}\u{fc}{{\"key\": \"{}\"}}", asked.head, "sk-very-secret");
        Reply::of(200, "x-echo: you are sk-very-secret\r\n", body)
    })
    .await;
    let request = HttpRequest::get(format!("http://{address}/"))
        .header("Authorization", format!("Bearer ${{secret:{file}}}"))
        .header("x-plain", "$secret");
    let answer = Http::default().fetch(&grants(), request.clone(), MOST).await.expect("an answer");
    let body = String::from_utf8(answer.body.clone()).expect("text");
    assert!(body.contains("authorization: Bearer [key]\r\n") && body.contains("{\"key\": \"[key]\"}"), "{body}");
    assert!(body.contains("x-plain: $secret\r\n"), "{body}");
    assert_eq!(answer.header("x-echo"), Some("you are [key]"));
    let packed = serve(|_| Reply::of(200, "content-encoding: gzip\r\n", gzip(b"sk-very-secret"))).await;
    let request = HttpRequest { url: format!("http://{packed}/"), ..request };
    assert_eq!(Http::default().fetch(&grants(), request, MOST).await.expect("an answer").body, b"[key]");
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_not_asked_for_is_not_sent() {
    let address = serve(|_| Reply::of(200, "", "")).await;
    let request =
        |name: &str| HttpRequest::get(format!("http://{address}/")).header("x-key", format!("${{secret:{name}}}"));
    let missing = Http::default().fetch(&grants(), request("JACKFIELD_NO_SUCH_KEY"), MOST).await.expect_err("not set");
    assert!(missing.message().contains("`JACKFIELD_NO_SUCH_KEY` is not set"), "{missing}");
    let unnamed = HttpRequest::get(format!("http://{address}/")).header("x-key", "${secret:PATH");
    let unnamed = Http::default().fetch(&grants(), unnamed, MOST).await.expect_err("no name");
    assert_eq!(unnamed.kind(), FailureKind::InvalidInput);
}

#[tokio::test]
async fn what_is_packed_is_unpacked_within_the_limit() {
    let answer = fetched(Reply::of(200, "content-encoding: gzip\r\n", gzip(b"good day"))).await.expect("an answer");
    assert_eq!(answer.body, b"good day");
    assert_eq!((answer.header("content-encoding"), answer.header("content-length")), (None, None));
    let unknown = fetched(Reply::of(200, "content-encoding: br\r\n", b"\x0b\x02\x80x\x03")).await.expect("an answer");
    assert_eq!((unknown.header("content-encoding"), unknown.body.len()), (Some("br"), 5));
    let bomb =
        fetched(Reply::of(200, "content-encoding: gzip\r\n", gzip(&vec![0; 2 << 20]))).await.expect_err("too much");
    assert_eq!(bomb.kind(), FailureKind::OverBudget);
    assert!(bomb.message().ends_with("answered more than 1 MiB once unpacked"), "{bomb}");
    let damaged = fetched(Reply::of(200, "content-encoding: gzip\r\n", b"\x1f\x8b")).await.expect_err("damaged");
    assert_eq!(damaged.kind(), FailureKind::Unavailable);
    let long = fetched(Reply::of(200, "", vec![b'x'; 2 << 20])).await.expect_err("too much");
    assert!(long.message().ends_with("answered more than 1 MiB"), "{long}");
}

#[tokio::test]
async fn a_wait_until_a_time_of_day_comes_with_the_time() {
    let limited = fetched(Reply::of(429, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "")).await;
    assert!(limited.expect("an answer").header("date").is_some_and(|date| date.ends_with(" GMT")));
    let plain = fetched(Reply::of(200, "", "")).await;
    assert_eq!(plain.expect("an answer").header("date"), None);
}

#[tokio::test]
async fn a_refused_connection_names_host_and_port_and_reached_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let (grants, trace) = (grants(), FetchTrace::default());
    let caller = FetchCaller {
        grants: &grants,
        max_response_bytes: MOST,
        longest_timeout: LONGEST_TIMEOUT,
        trace: Some(&trace),
    };
    let refused = Http::default().fetch_for(&caller, HttpRequest::get(format!("http://{address}/?a=hidden"))).await;
    assert_eq!(refused, Err(Failure::Unavailable(format!("the server at {address} refuses connections"))));
    assert!(trace.reached_nobody());
    let server = serve(|_| Reply::of(500, "", "")).await;
    Http::default().fetch_for(&caller, HttpRequest::get(format!("http://{server}/"))).await.expect("an answer");
    assert!(!trace.reached_nobody());
}

#[tokio::test]
async fn an_unknown_host_is_an_outage() {
    let request = HttpRequest::get("http://no-such-host.invalid:81/?version=hidden");
    let failure = Http::default().fetch(&grants(), request, MOST).await.expect_err("no such host");
    assert_eq!(failure.kind(), FailureKind::Unavailable, "{failure:?}");
    assert!(
        failure.message().contains("no-such-host.invalid:81") && !failure.message().contains("hidden"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("written");
        std::future::pending::<()>().await;
    });
    let request = HttpRequest::get(format!("https://{address}/"));
    let failure = Http::default().fetch(&grants(), request, MOST).await.expect_err("no TLS");
    // A system without certificates has no client.
    if failure.kind() != FailureKind::InvalidConfig {
        assert_eq!(failure.kind(), FailureKind::Unavailable);
        let expected = format!("there is no secure connection to the server at {address}: ");
        assert!(failure.message().starts_with(&expected), "{failure:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_or_within_the_answer_is_an_outage() {
    let start = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\"".to_vec();
    for bytes in [Vec::new(), b"HTTP/1.1 200 OK\r\n".to_vec(), start] {
        let failure = fetched(Reply::Reset(bytes)).await.expect_err("cut");
        assert_eq!(failure.kind(), FailureKind::Unavailable, "{failure:?}");
        assert!(failure.message().ends_with(" broke the connection off"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_endless_body_ends_with_the_request() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{".to_vec();
    let began = Instant::now();
    let given_up = tokio::time::timeout(Duration::from_millis(200), fetched(Reply::Drip(head.clone()))).await;
    assert!(given_up.is_err() || given_up.is_ok_and(|answer| answer.is_err()));
    let address = serve(move |_| Reply::Drip(head.clone())).await;
    let request =
        HttpRequest { timeout: Some(Duration::from_millis(200)), ..HttpRequest::get(format!("http://{address}/")) };
    let late = Http::default().fetch(&grants(), request, MOST).await.expect_err("late");
    assert_eq!(late.message(), format!("the server at {address} did not answer within 200ms"));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_connections_are_used_again() {
    let address = serve(|_| Reply::of(307, "location: http://127.0.0.1:1/\r\n", "")).await;
    let http = Http::default();
    for _ in 0..50 {
        let answer =
            http.fetch(&grants(), HttpRequest::get(format!("http://{address}/")), MOST).await.expect("an answer");
        assert_eq!((answer.status, answer.header("location")), (307, Some("http://127.0.0.1:1/")));
    }
}

#[test]
fn a_proxy_that_may_have_answered_is_named() {
    let (trace, proxy) = (FetchTrace::default(), || Some("the proxy at p:1".to_owned()));
    let refused = || Failure::InvalidConfig("the server at a refuses the call (status 403)".to_owned());
    trace.note_answer(404, proxy);
    assert_eq!(trace.with_proxy(refused()), refused());
    trace.note_answer(403, proxy);
    assert_eq!(
        trace.with_proxy(refused()).message(),
        "the server at a refuses the call (status 403); the call went through the proxy at p:1, which may have said so"
    );
}

#[test]
fn headers_that_belong_to_the_client_are_refused_and_values_not_repeated() {
    let set = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())], |text| Ok(text.to_owned()));
    assert!(set("x-key", "1").is_ok());
    for name in CLIENT_HEADERS.iter().chain(&["", "a b", "Host"]) {
        set(name, "1").expect_err(name);
    }
    let failure = set("x-key", "very-secret\n").expect_err("a line break").to_string();
    assert!(!failure.contains("very-secret"), "{failure}");
}
