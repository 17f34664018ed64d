//! A small web server for Prometheus to scrape.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use jackfield_plugin_api::sync::lock;
use tokio::{
    runtime::Builder,
    sync::oneshot,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::Metrics;

/// The most connections at one time. A further one replaces the oldest that has sent no request yet: Prometheus sends its
/// request at once, and clients that send none must not keep others out.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection is kept at most.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

const PROMETHEUS_TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// A server of `GET /metrics`. It ends when this is dropped.
#[derive(Debug)]
pub struct Endpoint {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Metrics {
    /// Serves what is counted under `http://addr/metrics`, from a thread of its own. Port 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// If the address cannot be used, or the system starts no thread.
    pub fn serve(&self, addr: SocketAddr) -> io::Result<Endpoint> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let metrics = self.clone();
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, metrics) => {}
                }
            });
        })?;
        Ok(Endpoint { addr, stop: Some(stop), thread: Some(thread) })
    }
}

impl Endpoint {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The panic hook has reported a panic of the thread.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, metrics: Metrics) {
    let open = Arc::new(OpenConnections::default());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Such as too many open files: that may pass.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let metrics = metrics.clone();
        let number = open.next_number();
        let (open_for_task, open_for_request) = (Arc::clone(&open), Arc::clone(&open));
        let task = tokio::spawn(async move {
            let _removal = RemoveOnDrop { open: &open_for_task, number };
            let service = service_fn(move |request| {
                open_for_request.request_came(number);
                let response = answer(&metrics, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(CONNECTION_TIMEOUT).keep_alive(false);
            // A client that closes the connection early is not an error here.
            let _ = timeout(CONNECTION_TIMEOUT, pin!(http.serve_connection(TokioIo::new(stream), service))).await;
        });
        open.add(number, task.abort_handle());
    }
}

/// The open connections. Their tasks run on one thread, and begin after they are added.
#[derive(Debug, Default)]
struct OpenConnections(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    /// Those that have sent no request yet, the oldest first.
    silent: BTreeMap<u64, AbortHandle>,
    /// Those that are answered.
    answered: BTreeMap<u64, AbortHandle>,
}

impl OpenConnections {
    fn connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        lock(&self.0)
    }

    fn next_number(&self) -> u64 {
        let mut connections = self.connections();
        connections.next += 1;
        connections.next
    }

    fn add(&self, number: u64, task: AbortHandle) {
        let mut connections = self.connections();
        connections.silent.insert(number, task);
        if connections.silent.len() + connections.answered.len() > MAX_CONNECTIONS {
            let oldest = match connections.silent.first_key_value() {
                Some((oldest, _)) if *oldest != number => connections.silent.pop_first(),
                // All the others are being answered, and the oldest of them does not read its answer.
                _ => connections.answered.pop_first(),
            };
            if let Some((_, task)) = oldest {
                task.abort();
            }
        }
    }

    fn request_came(&self, number: u64) {
        let mut connections = self.connections();
        if let Some(task) = connections.silent.remove(&number) {
            connections.answered.insert(number, task);
        }
    }
}

/// Removes a connection from the list when its task ends.
struct RemoveOnDrop<'a> {
    open: &'a OpenConnections,
    number: u64,
}

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        let mut connections = self.open.connections();
        connections.silent.remove(&self.number);
        connections.answered.remove(&self.number);
    }
}

/// The answer to one request. The server omits the body where only the head is asked for.
fn answer(metrics: &Metrics, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let mut accepted = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open = accepted.any(|value| value.contains("application/openmetrics-text"));
    let (kind, text) = if open { (OPEN_METRICS, metrics.encode_open()) } else { (PROMETHEUS_TEXT, metrics.encode()) };
    let mut response = Response::new(Full::from(text));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
