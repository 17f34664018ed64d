//! Opening and calling, bounded in time whatever the extension does.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_loader::{
    ExtensionFactory, Linkage,
    sandbox::{Limits, is_out_of_time},
};
use jackfield_plugin_api::{
    BoxFuture, CatchPanic, Document, Failure, HostCalls, Instance, Request, Result, catch_panic,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// After so many calls that did not end in time, no more is asked of an extension.
const MAX_LATE_CALLS: u32 = 3;
/// What is said of a call that did not end in time, by itself or because a sandbox ended it.
pub(super) const NO_ANSWER_WITHIN: &str = "no answer within";
/// A sandbox ends its guest by itself: it gets so much longer.
const SANDBOX_SLACK: Duration = Duration::from_millis(500);
/// A component is held to the CPU time that it uses, however busy the machine: by the clock on the wall it gets so many
/// times as long.
const WALL_PER_CPU_TIME: u32 = 5;

/// Where extensions are opened and called.
pub(super) struct CallRunner {
    runtime: Option<Runtime>,
    longest: Duration,
    /// The longest by the clock on the wall.
    patience: Duration,
    late: AtomicU32,
}

impl CallRunner {
    /// A runner whose calls take no longer than `longest`: of a component, in CPU time.
    pub(super) fn new(longest: Duration, linkage: Linkage) -> io::Result<Self> {
        // A native call that never comes back holds its thread: there are some to spare.
        let runtime = Builder::new_multi_thread().worker_threads(MAX_LATE_CALLS as usize + 2).enable_all().build()?;
        let patience = if linkage == Linkage::Wasm { longest * WALL_PER_CPU_TIME } else { longest };
        Ok(Self { runtime: Some(runtime), longest, patience, late: AtomicU32::new(0) })
    }

    /// The longest that a call may take.
    pub(super) const fn longest(&self) -> Duration {
        self.longest
    }

    /// Whether so many calls did not end that it makes no sense to go on.
    pub(super) fn is_stuck(&self) -> bool {
        self.late.load(Ordering::Relaxed) >= MAX_LATE_CALLS
    }

    fn late_failure(&self) -> Failure {
        Failure::Internal(format!("{NO_ANSWER_WITHIN} {}", humantime::format_duration(self.longest)))
    }

    /// Counts a call that did not end in time.
    fn count_late_call(&self) -> Failure {
        self.late.fetch_add(1, Ordering::Relaxed);
        self.late_failure()
    }

    /// What a call failed with, or that it did not end in time where a sandbox has ended it.
    fn counted_if_late(&self, failure: Failure) -> Failure {
        if is_out_of_time(&failure) { self.count_late_call() } else { failure }
    }

    /// Waits for work on another thread, for as long as a call may take.
    pub(super) fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.is_stuck()) else {
            return Err(self.late_failure());
        };
        let began = Instant::now();
        let waited = runtime.block_on(async { timeout(self.patience + SANDBOX_SLACK, runtime.spawn(work)).await });
        if began.elapsed() >= self.patience {
            return Err(self.count_late_call());
        }
        match waited {
            Err(_) => Err(self.late_failure()),
            Ok(Err(error)) => Err(Failure::Internal(error.to_string())),
            Ok(Ok(done)) => Ok(done),
        }
    }

    /// Opens an extension with a configuration.
    pub(super) fn open(&self, factory: &Arc<dyn ExtensionFactory>, config: &str, limits: &Limits) -> Result<Opened> {
        let limits = Limits { time: self.longest, wall: self.patience, ..limits.clone() };
        let (factory, config) = (Arc::clone(factory), config.to_owned());
        let opened = self.wait(async move {
            let work = move || catch_panic("open", || factory.open(&config, &limits)).and_then(|opened| opened);
            tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.to_string()))?
        });
        opened?.map(|instance| Opened(Some(instance))).map_err(|failure| self.counted_if_late(failure))
    }

    /// Calls an instance. Whatever happens, there is one result per request.
    pub(super) fn call(
        &self,
        instance: &Opened,
        batch: Vec<Request>,
        host: Arc<dyn HostCalls>,
    ) -> Vec<Result<Document>> {
        let count = batch.len();
        let Some(instance) = instance.0.clone() else { return Vec::new() };
        let answered = self.wait(async move {
            let answered = match catch_panic("call", || instance.call(&batch, &*host)) {
                Ok(future) => CatchPanic::new("call", future).await,
                Err(failure) => Err(failure),
            };
            let _ = catch_panic("drop", || drop(instance));
            answered
        });
        match answered.and_then(|answered| answered) {
            Ok(results) if results.len() != count => {
                let what = format!("answered {} results to {count} requests", results.len());
                vec![Err(Failure::Internal(what)); count.max(1)]
            }
            Ok(results) => match results.first() {
                Some(Err(failure)) if is_out_of_time(failure) => vec![Err(self.count_late_call()); count],
                _ => results,
            },
            Err(failure) => vec![Err(failure); count.max(1)],
        }
    }
}

impl Drop for CallRunner {
    fn drop(&mut self) {
        // Threads that never come back are left behind.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An open instance, whose drop harms nobody.
pub(super) struct Opened(Option<Arc<dyn Instance>>);

impl Opened {
    /// The instance, for calls that the bench does not know.
    pub(super) fn instance(&self) -> Option<Arc<dyn Instance>> {
        self.0.clone()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(instance) = self.0.take() {
            let _ = catch_panic("drop", || drop(instance));
        }
    }
}

/// Waits for several futures at once.
pub(super) async fn all_done<T: Send + 'static>(futures: Vec<BoxFuture<'static, T>>) -> Vec<T> {
    let spawned: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::with_capacity(spawned.len());
    for task in spawned {
        done.extend(task.await.ok());
    }
    done
}
