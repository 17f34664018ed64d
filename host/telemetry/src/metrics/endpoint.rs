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

/// Connections at once. One more takes the place of the oldest that has asked nothing yet: whoever scrapes asks at once,
/// and clients that say nothing keep nobody out.
const CONNECTIONS: usize = 64;
/// Longest that a connection is kept.
const PATIENCE: Duration = Duration::from_secs(10);

const CLASSIC: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const OPEN: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

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
    /// If the address can not be had.
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
            // A panic in there has been told by the hook.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, metrics: Metrics) {
    let open = Arc::new(Open::default());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Such as too many open files: that may pass.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let metrics = metrics.clone();
        let number = open.next();
        let (here, asked) = (Arc::clone(&open), Arc::clone(&open));
        let task = tokio::spawn(async move {
            let _leaves = Leaves(&here, number);
            let service = service_fn(move |request| {
                asked.has_asked(number);
                let response = answer(&metrics, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
            // A client that goes away in the middle is its own affair.
            let _ = timeout(PATIENCE, pin!(http.serve_connection(TokioIo::new(stream), service))).await;
        });
        open.add(number, task.abort_handle());
    }
}

/// The connections there are. The tasks run on one thread, and begin after they are added.
#[derive(Debug, Default)]
struct Open(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    /// Those that have asked nothing yet, the oldest first.
    silent: BTreeMap<u64, AbortHandle>,
    /// Those that are answered.
    answered: BTreeMap<u64, AbortHandle>,
}

impl Open {
    fn connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        lock(&self.0)
    }

    fn next(&self) -> u64 {
        let mut connections = self.connections();
        connections.next += 1;
        connections.next
    }

    fn add(&self, number: u64, task: AbortHandle) {
        let mut connections = self.connections();
        connections.silent.insert(number, task);
        if connections.silent.len() + connections.answered.len() > CONNECTIONS {
            let oldest = match connections.silent.first_key_value() {
                Some((oldest, _)) if *oldest != number => connections.silent.pop_first(),
                // All the others are answered, and the oldest of them does not read its answer.
                _ => connections.answered.pop_first(),
            };
            if let Some((_, task)) = oldest {
                task.abort();
            }
        }
    }

    fn has_asked(&self, number: u64) {
        let mut connections = self.connections();
        if let Some(task) = connections.silent.remove(&number) {
            connections.answered.insert(number, task);
        }
    }
}

/// Takes a connection off the list when its task ends.
struct Leaves<'a>(&'a Open, u64);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let mut connections = self.0.connections();
        connections.silent.remove(&self.1);
        connections.answered.remove(&self.1);
    }
}

/// The answer to one request. The server leaves the body away where only the head is asked for.
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
    let (kind, text) = if open { (OPEN, metrics.encode_open()) } else { (CLASSIC, metrics.encode()) };
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
