//! A request to stop.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crossbeam_channel::{Receiver, Sender, bounded};

/// A request to stop, from another thread.
#[derive(Clone, Debug)]
pub struct Cancel {
    times: Arc<AtomicU8>,
    wake: Sender<()>,
    woken: Receiver<()>,
}

impl Default for Cancel {
    fn default() -> Self {
        let (wake, woken) = bounded(1);
        Self { times: Arc::default(), wake, woken }
    }
}

impl Cancel {
    /// Asks to stop: the first time, what is under way ends; the second, nothing is waited for.
    pub fn request(&self) {
        self.times.fetch_add(1, Ordering::AcqRel);
        // A full channel wakes just as well.
        let _ = self.wake.try_send(());
    }

    /// Something to receive from when a stop is asked for: once for those since the last time.
    pub fn signal(&self) -> &Receiver<()> {
        &self.woken
    }

    pub(super) fn requested(&self) -> bool {
        self.times.load(Ordering::Acquire) >= 1
    }

    pub(super) fn aborted(&self) -> bool {
        self.times.load(Ordering::Acquire) >= 2
    }
}
