//! `redis`, with a server that means no good.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use jackfield_caches::Redis;
use jackfield_plugin_api::prelude::*;
use jackfield_plugin_api::testing::no_host;
use serde_json::json;

use crate::support::opened;

/// A server that greets as it should, and answers everything else by sending `first`, and then `more` for ever.
struct Hostile {
    port: u16,
    /// Bytes that were taken from it.
    sent: Arc<AtomicU64>,
}

impl Hostile {
    fn start(first: &'static [u8], more: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                thread::spawn(move || serve(stream, first, more, &count));
            }
        });
        Self { port, sent }
    }

    fn cache(&self, more: &str) -> Redis {
        let url = format!("redis{more}://127.0.0.1:{}", self.port);
        opened(json!({ "url": url, "timeout_ms": 300, "connect_timeout_ms": 300 }))
    }
}

fn serve(mut stream: TcpStream, first: &[u8], more: &[u8], count: &AtomicU64) {
    let mut buffer = [0; 4096];
    loop {
        let Ok(length @ 1..) = stream.read(&mut buffer) else { return };
        let asked = &buffer[..length];
        let is_greeting = |word: &[u8]| asked.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
        if is_greeting(b"GET") && !is_greeting(b"CLIENT") {
            break;
        }
        // One status for each command of the greeting.
        let commands = asked.iter().filter(|byte| **byte == b'*').count();
        if stream.write_all(&b"+OK\r\n".repeat(commands)).is_err() {
            return;
        }
    }
    let mut bytes = first;
    while !bytes.is_empty() && stream.write_all(bytes).is_ok() {
        count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        bytes = more;
    }
    // Says nothing, and keeps the connection.
    let _ = stream.read(&mut buffer);
    thread::sleep(Duration::from_secs(20));
}

/// The failure of a `get`, which comes in time.
fn failure(server: &Hostile) -> String {
    let cache = server.cache("");
    let began = Instant::now();
    let answer = block_on(cache.get("a", &no_host()));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let began = Instant::now();
    drop(cache);
    assert!(began.elapsed() < Duration::from_secs(5), "it ends late");
    match answer {
        Err(Failure::Unavailable(message)) => message,
        other => panic!("{other:?}"),
    }
}

static LINE: [u8; 64 << 10] = [b'a'; 64 << 10];

#[test]
fn a_line_without_end_is_cut_off() {
    for first in [&b"+"[..], b"-ERR ", b"$1", b"*1"] {
        let server = Hostile::start(first, if first.len() == 2 { &[b'1'; 64 << 10] } else { &LINE });
        let message = failure(&server);
        assert!(message.contains("a line of more than 64 KiB"), "{message}");
        // What the sockets of both sides hold, and not a stream.
        let sent = server.sent.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(50));
        assert!(sent < 64 << 20 && server.sent.load(Ordering::Relaxed) < 64 << 20, "{sent}");
    }
}

#[test]
fn values_and_lists_without_end_are_not_waited_for() {
    for (first, said) in [
        (&b"$4611686018427387904\r\n"[..], "a value of 4611686018427387904 bytes"),
        (b"*4611686018427387904\r\n", "a list of 4611686018427387904 elements"),
        (
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
            "16 deep",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n", "something else than replies of redis"),
    ] {
        let message = failure(&Hostile::start(first, &LINE));
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn silence_and_half_a_reply_are_waited_for_as_long_as_is_said() {
    for first in [&b""[..], b"$5\r\nab", b"*2\r\n:1\r\n", b"+O"] {
        let message = failure(&Hostile::start(first, b""));
        assert!(message.contains("has not answered for 300 ms"), "{message}");
    }
}

#[test]
fn replies_that_nobody_asked_for_end_with_the_connection() {
    let server = Hostile::start(b":1\r\n", b":1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n");
    let cache = server.cache("");
    for _ in 0..3 {
        let began = Instant::now();
        let _ = block_on(cache.get("a", &no_host()));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    drop(cache);
    thread::sleep(Duration::from_millis(200));
    let sent = server.sent.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(server.sent.load(Ordering::Relaxed), sent, "it is still listened to");
}

#[test]
fn a_cluster_of_one_hostile_node_is_away() {
    let server = Hostile::start(b"+", &LINE);
    let cache = server.cache("+cluster");
    let began = Instant::now();
    assert!(matches!(block_on(cache.get("a", &no_host())), Err(Failure::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
