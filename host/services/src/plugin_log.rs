//! Log lines of plugins become log lines of the program.

use jackfield_plugin_api::Level;

/// Logs a line of a plugin, on behalf of a stage or of a model or cache.
pub fn log_plugin_line(level: Level, stage: Option<&str>, model: Option<&str>, message: &str) {
    match level {
        Level::Error => tracing::error!(target: "plugin", stage, model, "{message}"),
        Level::Warn => tracing::warn!(target: "plugin", stage, model, "{message}"),
        Level::Info => tracing::info!(target: "plugin", stage, model, "{message}"),
        Level::Debug => tracing::debug!(target: "plugin", stage, model, "{message}"),
        Level::Trace => tracing::trace!(target: "plugin", stage, model, "{message}"),
    }
}
