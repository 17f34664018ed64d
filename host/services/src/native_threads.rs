//! Threads for native code, which may never give one back: nobody else's thread is lost to it.

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

/// The most threads. Work that finds none waits, for as long as whoever wants it does.
const MOST: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// Threads that are started as they are needed, and end when this is dropped.
pub(super) struct NativeThreads {
    name: String,
    work: Sender<Work>,
    waiting: Receiver<Work>,
    started: AtomicUsize,
    /// Work that was given and is not done.
    wanted: Arc<AtomicUsize>,
}

impl NativeThreads {
    /// Threads of this name.
    pub(super) fn new(name: &str) -> Self {
        let (work, waiting) = unbounded();
        Self { name: name.to_owned(), work, waiting, started: AtomicUsize::new(0), wanted: Arc::default() }
    }

    /// Does some work on one of the threads. Whoever no longer waits for it leaves it to itself.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (back, answer) = oneshot::channel();
        let wanted = Arc::clone(&self.wanted);
        let is_more = wanted.fetch_add(1, Ordering::AcqRel) >= self.started.load(Ordering::Acquire);
        if is_more && let Err(failure) = self.start() {
            wanted.fetch_sub(1, Ordering::AcqRel);
            return Err(failure);
        }
        let work = move || {
            let done = work();
            wanted.fetch_sub(1, Ordering::AcqRel);
            let _ = back.send(done);
        };
        // The receiver lives as long as this does.
        let _ = self.work.send(Box::new(work));
        answer.await.map_err(|_| Failure::Internal("its thread is gone".to_owned()))
    }

    /// Starts one thread more, unless there are as many as there may be.
    fn start(&self) -> Result<()> {
        let more = |started: usize| (started < MOST).then_some(started + 1);
        let Ok(before) = self.started.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) else { return Ok(()) };
        let waiting = self.waiting.clone();
        let started = thread::Builder::new().name(self.name.clone()).spawn(move || {
            while let Ok(work) = waiting.recv() {
                work();
            }
        });
        if let Err(error) = started {
            self.started.fetch_sub(1, Ordering::AcqRel);
            // Those that there are do it.
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
