//! A server for tests, and what else they share.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use jackfield_plugin_api::{Context, prelude::*, testing::FakeHost};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::http::{Api, ApiConfig, DefaultKeyHeader};

/// The key in [`key_file`].
pub(crate) const KEY: &str = "sk-very-secret";

/// A file that holds [`KEY`]; it is there as long as the folder is.
pub(crate) fn key_file() -> (tempfile::TempDir, FilePath) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{KEY}\n")).unwrap();
    (folder, FilePath(path))
}

/// The configuration of an [`Api`] without a key.
pub(crate) fn config() -> ApiConfig<'static> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    ApiConfig {
        base_url: "http://127.0.0.1:9/v1",
        path: "chat/completions",
        model: "tiny",
        api_key_env: None,
        api_key_file: None,
        api_key_header: None,
        default_key_header: DefaultKeyHeader::Bearer,
        headers: &NONE,
        fixed: &[],
    }
}

/// An [`Api`] that has a key and is never called.
pub(crate) fn api() -> Api {
    let (_folder, file) = key_file();
    Api::open(&ApiConfig { api_key_file: Some(&file), ..config() }).unwrap()
}

/// What a server does after it has read a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers and keeps the connection.
    Send(Vec<u8>),
    /// Sends this and resets the connection.
    Reset(Vec<u8>),
    /// Sends this, and then a byte now and then, for ever.
    Drip(Vec<u8>),
}

impl Reply {
    /// An answer of this status, with these header lines (each ended by CRLF) and this body.
    pub(crate) fn of(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Self::Send([head.as_bytes(), body].concat())
    }
}

/// A request as it came in.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Value,
}

/// Starts a server on this machine that replies to every request. It ends with the runtime.
pub(crate) async fn serve(reply: impl Fn(Asked) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
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
    Ok(Some(Asked { head, body: serde_json::from_slice(&body).unwrap_or_default() }))
}

/// Calls a model.
pub(crate) async fn ask(model: &impl Model, request: CompletionRequest) -> Result<Completion> {
    let context = Context { stage: "s".into(), item: "i".into(), element: 0, replicate: 0, seed: 0 };
    model.complete(request, &Host::new(&FakeHost::default(), &context, 0)).await
}
