//! The threads of a run.

use std::sync::Arc;

use jackfield_loader::{sandbox::Admission, start_runtime};
use jackfield_pipeline::Plan;
use tokio::runtime::Runtime;

use super::{error::EngineError, pool::Pool};

/// What the plugins of a run are called on, from the first call to the last.
pub(super) struct RunThreads {
    /// Drives timers and sockets.
    runtime: Runtime,
    /// Lets the calls of sandboxed plugins run.
    pub(super) admission: Arc<Admission>,
    /// The workers.
    pub(super) pool: Pool,
}

impl RunThreads {
    /// Starts so many workers.
    ///
    /// # Errors
    /// [`EngineError::Workers`].
    pub(super) fn start(plan: &Plan, workers: usize) -> Result<Self, EngineError> {
        let runtime = start_runtime("io").map_err(EngineError::Workers)?;
        let admission = Admission::new(workers, plan.sandbox_total(), plan.sandbox_kept_back());
        let handle = runtime.handle().clone();
        let pool = Pool::start(workers, handle, &admission).map_err(EngineError::Workers)?;
        Ok(Self { runtime, admission, pool })
    }

    /// Ends them. What waits for a timer or a socket is woken when the runtime ends, and must not ask it for more. A plugin that
    /// never comes back must not keep the process from ending: it keeps the runtime instead.
    pub(super) fn close(self) {
        if self.pool.close() {
            self.runtime.shutdown_background();
        } else {
            std::mem::forget(self.runtime);
        }
    }
}
