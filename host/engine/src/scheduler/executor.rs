//! Where batches are computed.

use std::io;

use crate::{
    batch::{self, Batch},
    pool::{Job, Pool},
};

/// Computes batches beside the scheduler's thread. The scheduler knows no more of plugins and threads than this.
pub(crate) trait BatchExecutor {
    /// How many batches can compute at a time; at least 1.
    fn workers(&self) -> usize;

    /// Starts a batch, whose answers are sent to where it says. Does not wait for it.
    fn start(&self, batch: Batch<'_>) -> Job;

    /// Starts another worker in place of one that does not come back.
    ///
    /// # Errors
    /// The machine refuses a thread.
    fn replace_worker(&self, worker: usize) -> io::Result<()>;
}

/// Computes batches on a pool of threads.
pub(crate) struct PoolExecutor<'p> {
    pub(crate) pool: &'p Pool,
    /// How many threads the pool was started with.
    pub(crate) workers: usize,
}

impl BatchExecutor for PoolExecutor<'_> {
    fn workers(&self) -> usize {
        self.workers.max(1)
    }

    fn start(&self, batch: Batch<'_>) -> Job {
        batch::start(self.pool, batch)
    }

    fn replace_worker(&self, worker: usize) -> io::Result<()> {
        self.pool.replace(worker)
    }
}
