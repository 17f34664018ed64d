//! The host, as a model sees it.

use jackfield_plugin_api::{HostCalls, Level};

/// Takes a model's log lines.
pub(super) struct ModelHost<'a> {
    pub(super) model: &'a str,
}

impl HostCalls for ModelHost<'_> {
    fn log(&self, level: Level, _target: &str, message: &str) {
        let model = self.model;
        match level {
            Level::Error => tracing::error!(target: "plugin", model, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", model, "{message}"),
            Level::Info => tracing::info!(target: "plugin", model, "{message}"),
            Level::Debug => tracing::debug!(target: "plugin", model, "{message}"),
            Level::Trace => tracing::trace!(target: "plugin", model, "{message}"),
        }
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}
