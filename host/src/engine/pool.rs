//! The workers: threads that poll futures. A future may wait (it is polled again when woken) or compute for long (it holds
//! its thread); a thread that never comes back is written off and replaced.

use std::{
    cell::Cell,
    future::Future,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use async_task::{Runnable, Task};
use crossbeam_channel::{Receiver, Sender, unbounded};
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
    /// One flag a worker: whether it is written off.
    retired: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Pool {
    /// Starts `workers` threads, each with the context of `runtime` for timers and sockets.
    pub(super) fn start(workers: usize, runtime: Handle) -> io::Result<Self> {
        let (queue, waiting) = unbounded();
        let shared = Arc::new(Shared { waiting, runtime, retired: Mutex::default() });
        let pool = Self { queue, shared };
        for _ in 0..workers {
            pool.add_worker()?;
        }
        Ok(pool)
    }

    fn add_worker(&self) -> io::Result<()> {
        let retired = Arc::new(AtomicBool::new(false));
        let number = {
            let mut all = self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Arc::clone(&retired));
            all.len() - 1
        };
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            WORKER.set(Some(number));
            let _context = shared.runtime.enter();
            while !retired.load(Ordering::Acquire) {
                let Ok(runnable) = shared.waiting.recv() else { break };
                runnable.run();
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
        let flag = {
            let all = self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(worker).cloned()
        };
        match flag {
            Some(flag) if !flag.swap(true, Ordering::AcqRel) => self.add_worker(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::{Pool, current_worker};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime")
    }

    #[test]
    fn waiting_futures_share_one_worker() {
        let runtime = runtime();
        let pool = Pool::start(1, runtime.handle().clone()).expect("a pool");
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
    fn a_replaced_worker_leaves_the_pool_working() {
        let runtime = runtime();
        let pool = Pool::start(1, runtime.handle().clone()).expect("a pool");
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
