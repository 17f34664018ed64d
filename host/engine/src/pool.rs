//! The workers: threads that poll futures. A future may wait (it is polled again when woken) or compute for long (it holds
//! its thread); a thread that never comes back is written off and replaced.

use std::{
    cell::Cell,
    future::Future,
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_task::{Runnable, Task};
use crossbeam_channel::{Receiver, Sender, unbounded};
use jackfield_loader::sandbox::Admission;
use tokio::runtime::Handle;

/// A handle to a spawned future; dropping it cancels the future at its next wait.
pub(super) type Job = Task<()>;

thread_local! {
    static WORKER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Number of the worker that runs this code, if it is one.
pub(super) fn current_worker() -> Option<usize> {
    WORKER.get()
}

/// A pool of workers.
pub(super) struct Pool {
    queue: Sender<Runnable>,
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Receiver<Runnable>,
    runtime: Handle,
    workers: Mutex<Vec<Arc<Worker>>>,
    /// No future is polled any more.
    closed: AtomicBool,
    /// Lets the calls of sandboxed plugins run.
    admission: Arc<Admission>,
}

/// What is known of a worker.
#[derive(Default)]
struct Worker {
    /// It is written off.
    retired: AtomicBool,
    /// It polls a future.
    polls: AtomicBool,
}

/// How long workers may take to come back once the pool is closed.
const LAST_POLLS: Duration = Duration::from_millis(200);

impl Pool {
    /// Starts `workers` threads, each with the context of `runtime` for timers and sockets.
    pub(super) fn start(workers: usize, runtime: Handle, admission: &Arc<Admission>) -> io::Result<Self> {
        let (queue, waiting) = unbounded();
        let shared = Arc::new(Shared {
            waiting,
            runtime,
            admission: Arc::clone(admission),
            workers: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let pool = Self { queue, shared };
        for _ in 0..workers {
            pool.add_worker()?;
        }
        Ok(pool)
    }

    fn add_worker(&self) -> io::Result<()> {
        let worker = Arc::new(Worker::default());
        let number = {
            let mut all = self.workers();
            all.push(Arc::clone(&worker));
            all.len() - 1
        };
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            WORKER.set(Some(number));
            let _context = shared.runtime.enter();
            shared.admission.enter();
            while !worker.retired.load(Ordering::Acquire) {
                let Ok(runnable) = shared.waiting.recv() else { break };
                // In this order, and with one order for all: whoever closes the pool sees the poll, or is seen by it.
                worker.polls.store(true, Ordering::SeqCst);
                if shared.closed.load(Ordering::SeqCst) {
                    drop(runnable);
                } else {
                    runnable.run();
                }
                worker.polls.store(false, Ordering::SeqCst);
            }
        })?;
        Ok(())
    }

    /// Runs a future to its end.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Job {
        let queue = self.queue.clone();
        let (runnable, job) = async_task::spawn(future, move |runnable| {
            // The receiver lives as long as any worker; a pool that is gone has nobody left to tell.
            let _ = queue.send(runnable);
        });
        runnable.schedule();
        job
    }

    /// Writes a worker off that does not come back and starts another in its place.
    pub(super) fn replace(&self, worker: usize) -> io::Result<()> {
        let worker = self.workers().get(worker).cloned();
        match worker {
            Some(worker) if !worker.retired.swap(true, Ordering::AcqRel) => self.add_worker(),
            _ => Ok(()),
        }
    }

    /// Polls no future from now on, and waits a moment for the workers that do. False if one does not come back: what the
    /// futures need has to stay then.
    pub(super) fn close(&self) -> bool {
        self.shared.closed.store(true, Ordering::SeqCst);
        let began = Instant::now();
        loop {
            let (mut busy, mut lost) = (false, false);
            for worker in self.workers().iter().filter(|worker| worker.polls.load(Ordering::SeqCst)) {
                let retired = worker.retired.load(Ordering::Acquire);
                lost |= retired;
                busy |= !retired;
            }
            if !busy || began.elapsed() > LAST_POLLS {
                return !busy && !lost;
            }
            thread::sleep(Duration::from_micros(50));
        }
    }

    fn workers(&self) -> MutexGuard<'_, Vec<Arc<Worker>>> {
        jackfield_plugin_api::sync::lock(&self.shared.workers)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::{Admission, Pool, current_worker};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime")
    }

    #[test]
    fn waiting_futures_share_one_worker() {
        let runtime = runtime();
        let pool = Pool::start(1, runtime.handle().clone(), &Admission::new(1, 0, 0)).expect("a pool");
        let (done, results) = mpsc::channel();
        for number in 0..50 {
            let done = done.clone();
            pool.spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                done.send(number).expect("a receiver");
            })
            .detach();
        }
        let mut seen: Vec<i32> =
            (0..50).map(|_| results.recv_timeout(Duration::from_secs(5)).expect("an answer")).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_closed_pool_polls_nothing_and_says_who_still_does() {
        let runtime = runtime();
        let pool = Pool::start(2, runtime.handle().clone(), &Admission::new(1, 0, 0)).expect("a pool");
        let (polled, polls) = mpsc::channel();
        let waits = pool.spawn(async move {
            loop {
                polled.send(()).expect("a receiver");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        polls.recv_timeout(Duration::from_secs(5)).expect("a poll");
        assert!(pool.close());
        while polls.try_recv().is_ok() {}
        // The end of the runtime wakes all that waits for its timers: a poll would panic.
        runtime.shutdown_background();
        assert_eq!(polls.recv_timeout(Duration::from_secs(5)), Err(mpsc::RecvTimeoutError::Disconnected), "dropped");
        drop(waits);

        let runtime = self::runtime();
        let pool = Pool::start(1, runtime.handle().clone(), &Admission::new(1, 0, 0)).expect("a pool");
        let (stuck, held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        pool.spawn(async move {
            stuck.send(()).expect("a receiver");
            let _ = released.recv();
        })
        .detach();
        held.recv().expect("it computes");
        assert!(!pool.close());
        release.send(()).expect("it still listens");
    }

    #[test]
    fn a_replaced_worker_leaves_the_pool_working() {
        let runtime = runtime();
        let pool = Pool::start(1, runtime.handle().clone(), &Admission::new(1, 0, 0)).expect("a pool");
        let (stuck, held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        pool.spawn(async move {
            stuck.send(current_worker()).expect("a receiver");
            let _ = released.recv();
        })
        .detach();
        let worker = held.recv().expect("the worker's number").expect("a worker");
        pool.replace(worker).expect("another thread");
        let (done, result) = mpsc::channel();
        pool.spawn(async move { done.send(()).expect("a receiver") }).detach();
        result.recv_timeout(Duration::from_secs(5)).expect("the new worker runs it");
        release.send(()).expect("the old worker still listens");
    }
}
