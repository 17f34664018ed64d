//! A model server on this machine: OpenAI's chat completions, as well or as badly as a test wants.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status, these header lines and this body.
    Send(u16, String, Vec<u8>),
    /// Sends half an answer and resets the connection.
    ResetMidBody,
    /// Sends headers, and then a byte now and then.
    Drip,
    /// Lets so much time pass, and then does this.
    After(Duration, Box<Self>),
}

impl Reply {
    /// A completion of this text.
    pub fn text(text: &str) -> Self {
        let body = json!({
            "model": "tiny", "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
            "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
        });
        Self::json(200, &body)
    }

    /// A JSON body with this status.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Send(status, String::new(), body.to_string().into_bytes())
    }

    /// An error with this status.
    pub fn error(status: u16, headers: &str) -> Self {
        let body = json!({ "error": { "message": format!("the server says {status}"), "type": "test" } });
        Self::Send(status, headers.to_owned(), body.to_string().into_bytes())
    }
}

/// A request as it came in: its number from 0, and its body.
pub struct Asked {
    pub number: usize,
    pub body: Value,
}

/// The server; it ends when it is dropped.
pub struct ModelServer {
    pub address: SocketAddr,
    count: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    runtime: Option<Runtime>,
}

impl ModelServer {
    /// Starts a server that replies so, after `latency`.
    pub fn start(latency: Duration, reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (count, most_at_once, heads) = (Arc::default(), Arc::default(), Arc::default());
        let shared = Arc::new(Shared {
            latency,
            reply: Box::new(reply),
            count: Arc::clone(&count),
            now: AtomicUsize::new(0),
            most_at_once: Arc::clone(&most_at_once),
            heads: Arc::clone(&heads),
        });
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { shared.converse(stream).await });
            }
        });
        Self { address, count, most_at_once, heads, runtime: Some(runtime) }
    }

    /// Requests so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// The most requests that were there at a time.
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }

    /// A model of a pipeline that asks this server, as an inline table; `more` are further keys of `with`.
    pub fn model(&self, more: &str) -> String {
        let comma = if more.is_empty() { "" } else { ", " };
        format!("{{ base_url = \"http://{}/v1\", name = \"tiny\"{comma}{more} }}", self.address)
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Shared {
    latency: Duration,
    reply: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    count: Arc<AtomicUsize>,
    now: AtomicUsize,
    most_at_once: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Shared {
    async fn converse(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        while let Some((head, body)) = read(&mut stream).await {
            let number = self.count.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            if number < 1000 {
                self.heads.lock().expect("no panic").push(head);
            }
            let asked = Asked { number, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
            let reply = (self.reply)(&asked);
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            let goes_on = send(&mut stream, reply).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            if !goes_on {
                break;
            }
        }
    }
}

/// Sends a reply; false where the connection is over.
async fn send(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Send(status, headers, body) => {
            let mut bytes = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
                body.len()
            )
            .into_bytes();
            bytes.extend(body);
            stream.write_all(&bytes).await.is_ok()
        }
        Reply::ResetMidBody => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\": [").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            let _ = stream.set_zero_linger();
            false
        }
        Reply::After(wait, reply) => {
            tokio::time::sleep(wait).await;
            Box::pin(send(stream, *reply)).await
        }
        Reply::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            false
        }
    }
}

/// A request: head and body. None at the end of the connection.
async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(8192);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = bytes.split_off(end);
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
