//! Threads of their own for native code, which may never return: no other work loses its thread to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use jackfield_loader::no_thread;
use jackfield_plugin_api::{Failure, Result};
use tokio::sync::oneshot;

/// The most threads. Work that finds no free one waits, for as long as somebody waits for its result.
const MOST_THREADS: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// Threads that are started as they are needed, and end when this is dropped.
pub(super) struct NativeThreads {
    name: String,
    work: Sender<Work>,
    /// Work that no thread has taken yet.
    waiting: Receiver<Work>,
    /// How many threads there are.
    started: AtomicUsize,
    /// How much work was given and is not done.
    unfinished: Arc<AtomicUsize>,
}

impl NativeThreads {
    /// Threads of this name.
    pub(super) fn new(name: &str) -> Self {
        let (work, waiting) = unbounded();
        Self { name: name.to_owned(), work, waiting, started: AtomicUsize::new(0), unfinished: Arc::default() }
    }

    /// Does some work on one of the threads. The work goes on even if nobody waits for its result any more.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (result_sender, result) = oneshot::channel();
        let unfinished = Arc::clone(&self.unfinished);
        let needs_thread = unfinished.fetch_add(1, Ordering::AcqRel) >= self.started.load(Ordering::Acquire);
        if needs_thread && let Err(failure) = self.start() {
            unfinished.fetch_sub(1, Ordering::AcqRel);
            return Err(failure);
        }
        let work = move || {
            let done = work();
            unfinished.fetch_sub(1, Ordering::AcqRel);
            let _ = result_sender.send(done);
        };
        self.work.send(Box::new(work)).expect("the receiver lives as long as the sender");
        result.await.map_err(|_| Failure::Internal("its thread is gone".to_owned()))
    }

    /// Starts one thread more, unless there are as many as there may be.
    fn start(&self) -> Result<()> {
        let one_more = |started: usize| (started < MOST_THREADS).then_some(started + 1);
        let Ok(before) = self.started.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) else {
            return Ok(());
        };
        let waiting = self.waiting.clone();
        let started = thread::Builder::new().name(self.name.clone()).spawn(move || {
            while let Ok(work) = waiting.recv() {
                work();
            }
        });
        if let Err(error) = started {
            self.started.fetch_sub(1, Ordering::AcqRel);
            // The threads that there are do the work.
            if before == 0 {
                return Err(Failure::Unavailable(no_thread(&error)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_that_never_ends_keeps_nobody_else_waiting() {
        let threads = NativeThreads::new("test");
        assert_eq!(threads.run(|| 1).await, Ok(1));
        let (release, stuck) = mpsc::channel::<()>();
        let never = timeout(Duration::from_millis(20), threads.run(move || stuck.recv().is_ok())).await;
        assert!(never.is_err());
        assert_eq!(threads.run(|| 2).await, Ok(2));
        assert_eq!(threads.started.load(Ordering::Relaxed), 2);
        drop(release);
    }
}
