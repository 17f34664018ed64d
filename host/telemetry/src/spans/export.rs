//! The thread that sends spans to the collector, and the queue before it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, select, unbounded};
use jackfield_loader::waits::waiting;
use opentelemetry::{InstrumentationScope, trace::TraceId};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::runtime::{Builder, Runtime};

use super::{Span, SpansError, destination::Destination, otlp};

/// The most spans that are sent together; as many that wait wake the thread early.
pub(super) const BATCH: usize = 512;
/// The most spans that wait: a collector may be unreachable for a while, and memory is limited.
pub(super) const MAX_WAITING: usize = 16 * BATCH;
/// How long a span waits at most before it is sent.
const INTERVAL: Duration = Duration::from_secs(1);

/// What became of the spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// Taken by the collector.
    pub sent: u64,
    /// Not taken by the collector, or still under way when the time was up.
    pub lost: u64,
    /// Not sent, because too many waited.
    pub dropped: u64,
}

/// Sends the spans of one run to a collector, in the background. The run never waits for it and never fails because of it.
#[derive(Debug)]
pub struct Spans {
    trace: TraceId,
    /// The collector's address, for people.
    shown: String,
    queue: Sender<Span>,
    wake: Sender<Wake>,
    shared: Arc<Shared>,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    /// Put into the queue. Those of them that were not sent count as lost.
    queued: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
    /// The thread was woken for a full batch, and has not begun with it.
    woken: AtomicBool,
    /// Nobody waits for the remaining spans any more.
    abandoned: AtomicBool,
}

/// Why the thread is woken before its time.
#[derive(Debug)]
enum Wake {
    Full,
    Finish(Sender<()>),
}

impl Spans {
    /// What the standard variables of OpenTelemetry ask for: nothing unless `OTEL_EXPORTER_OTLP_ENDPOINT` or
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set. `run` is the id of the run, which gives the id of the trace.
    ///
    /// # Errors
    ///
    /// If the variables ask for something that is not supported. An unreachable collector is not an error: it is noticed later, and
    /// reported once, as a warning.
    pub fn from_env(run: &str) -> Result<Option<Self>, SpansError> {
        let destination = Destination::from_env(|name| std::env::var(name).ok())?;
        if destination.is_some() {
            for fault in Destination::header_faults(|name| std::env::var(name).ok()) {
                tracing::warn!("{fault}");
            }
        }
        destination.map(|destination| Self::to(run, &destination)).transpose()
    }

    pub(super) fn to(run: &str, destination: &Destination) -> Result<Self, SpansError> {
        let (queue, waiting) = bounded(MAX_WAITING);
        let (wake, woken) = unbounded();
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            trace: otlp::trace_of(run),
            scope: otlp::scope(),
            runtime: Builder::new_current_thread().enable_io().enable_time().build()?,
            exporter: otlp::exporter(run, destination)?,
            shown: destination.shown(),
            waiting,
            shared: Arc::clone(&shared),
            warned: false,
        };
        let trace = worker.trace;
        // Its one warning goes where those of the caller go.
        let log = tracing::dispatcher::get_default(Clone::clone);
        let work = move || tracing::dispatcher::with_default(&log, || worker.work(&woken));
        thread::Builder::new().name("spans".to_owned()).spawn(work)?;
        Ok(Self { trace, shown: destination.shown(), queue, wake, shared })
    }

    /// The id under which the collector has the run, in 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }

    /// Records a span. Never waits: if too many spans are waiting, this one is dropped and counted.
    pub fn record(&self, span: Span) {
        self.shared.queued.fetch_add(1, Relaxed);
        if self.queue.try_send(span).is_err() {
            self.shared.queued.fetch_sub(1, Relaxed);
            self.shared.dropped.fetch_add(1, Relaxed);
        }
        if self.queue.len() >= BATCH && !self.shared.woken.load(Relaxed) && !self.shared.woken.swap(true, Relaxed) {
            // Nobody receives it if the thread has ended.
            let _ = self.wake.send(Wake::Full);
        }
    }

    /// Sends what waits and ends the thread, within `timeout`. What is recorded from now on is dropped.
    pub fn finish(&self, timeout: Duration) -> SpanCounts {
        self.finish_unless(timeout, &never())
    }

    /// The same, until something comes from `stop`.
    pub fn finish_unless(&self, timeout: Duration, stop: &Receiver<()>) -> SpanCounts {
        let (done, ended) = bounded(1);
        if self.wake.send(Wake::Finish(done)).is_ok() {
            let _waiting = waiting(format!("the last spans to reach the collector at {}", self.shown));
            let abandon = || self.shared.abandoned.store(true, Relaxed);
            select! {
                recv(ended) -> _ => {}
                recv(stop) -> _ => abandon(),
                default(timeout) => abandon(),
            }
        }
        self.counts()
    }

    /// What became of the spans so far; those that wait count as lost.
    #[must_use]
    pub fn counts(&self) -> SpanCounts {
        let shared = &self.shared;
        let sent = shared.sent.load(Relaxed);
        SpanCounts {
            sent,
            lost: shared.queued.load(Relaxed).saturating_sub(sent),
            dropped: shared.dropped.load(Relaxed),
        }
    }
}

/// What the thread works with.
struct Worker {
    trace: TraceId,
    scope: InstrumentationScope,
    runtime: Runtime,
    exporter: SpanExporter,
    /// The address, for the warning.
    shown: String,
    waiting: Receiver<Span>,
    shared: Arc<Shared>,
    warned: bool,
}

impl Worker {
    fn work(mut self, woken: &Receiver<Wake>) {
        loop {
            match woken.recv_timeout(INTERVAL) {
                Ok(Wake::Full) => {
                    self.shared.woken.store(false, Relaxed);
                    while self.waiting.len() >= BATCH {
                        self.send();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.send();
                }
                Ok(Wake::Finish(done)) => {
                    self.finish();
                    // From here on nothing is taken, so that what comes is counted as dropped.
                    drop(self);
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    /// Sends until nothing waits or it fails: whoever ends a run does not want to wait for a collector that is unreachable.
    fn finish(&mut self) {
        while !self.waiting.is_empty() {
            if self.shared.abandoned.load(Relaxed) || !self.send() {
                self.waiting.try_iter().for_each(drop);
            }
        }
    }

    /// Sends a batch, and says whether it was taken.
    fn send(&mut self) -> bool {
        let spans = self.waiting.try_iter().take(BATCH);
        let batch: Vec<SpanData> = spans.map(|span| otlp::data(span, self.trace, &self.scope)).collect();
        if batch.is_empty() {
            return true;
        }
        let count = batch.len() as u64;
        let Err(error) = self.runtime.block_on(self.exporter.export(batch)) else {
            self.shared.sent.fetch_add(count, Relaxed);
            return true;
        };
        if !self.warned {
            self.warned = true;
            tracing::warn!(
                endpoint = self.shown,
                %error,
                "spans can not be sent; the run goes on without them, and this is not said again"
            );
        }
        false
    }
}
