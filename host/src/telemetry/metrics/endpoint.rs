//! A small web server for Prometheus to scrape.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
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
use tokio::{
    runtime::Builder,
    sync::{Semaphore, oneshot},
    time::{sleep, timeout},
};

use super::Metrics;

/// Connections at once; more wait.
const CONNECTIONS: usize = 16;
/// Longest that a connection is kept, so that sixteen slow ones do not lock everybody out.
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
    let gate = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(pass) = Arc::clone(&gate).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Such as too many open files: that may pass.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let response = answer(&metrics, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
            // A client that goes away in the middle is its own affair.
            let _ = timeout(PATIENCE, pin!(http.serve_connection(TokioIo::new(stream), service))).await;
            drop(pass);
        });
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
