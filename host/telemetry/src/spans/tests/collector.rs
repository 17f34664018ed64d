//! A collector of spans: a plain TCP server that keeps what it is sent.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;

use super::super::destination::Destination;

/// A request that came.
pub(super) struct Post {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: ExportTraceServiceRequest,
}

pub(super) struct Collector {
    port: u16,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    /// Answers the first requests with `statuses`, all others with 200.
    pub(super) fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let posts = Arc::<Mutex<Vec<Post>>>::default();
        let statuses = statuses.to_vec();
        let kept = Arc::clone(&posts);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, statuses) = (Arc::clone(&kept), statuses.clone());
                thread::spawn(move || while take(stream.as_ref().unwrap(), &kept, &statuses).is_some() {});
            }
        });
        Self { port, posts }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn destination(&self) -> Destination {
        let mut destination = Destination::new(format!("{}/v1/traces", self.url()).parse().unwrap());
        destination.backoff = Duration::from_millis(10);
        destination
    }

    pub(super) fn posts(&self) -> Vec<Post> {
        std::mem::take(&mut self.posts.lock().unwrap())
    }
}

/// Answers one request; nothing if there is none.
fn take(stream: &TcpStream, kept: &Mutex<Vec<Post>>, statuses: &[u16]) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        let packed = std::mem::take(&mut body);
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut body).unwrap();
    }
    let body = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let status = {
        let mut kept = kept.lock().unwrap();
        kept.push(Post { line: line.trim_end().to_owned(), headers, body });
        statuses.get(kept.len() - 1).copied().unwrap_or(200)
    };
    let mut stream = stream;
    stream.write_all(format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()
}

/// All spans of these requests.
pub(super) fn spans(posts: &[Post]) -> Vec<Span> {
    let resources = posts.iter().flat_map(|post| &post.body.resource_spans);
    resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
}

/// The value of one attribute.
pub(super) fn attribute(attributes: &[KeyValue], name: &str) -> Option<Value> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value
}

/// What a resource says of itself.
pub(super) fn of_resource(post: &Post, name: &str) -> Option<Value> {
    attribute(&post.body.resource_spans[0].resource.as_ref().unwrap().attributes, name)
}
