//! Log lines of plugins.

use jackfield_plugin_api::Level;

/// Hands on a line that a plugin logged, on behalf of a stage or a model.
pub fn plugin_line(level: Level, stage: Option<&str>, model: Option<&str>, message: &str) {
    match level {
        Level::Error => tracing::error!(target: "plugin", stage, model, "{message}"),
        Level::Warn => tracing::warn!(target: "plugin", stage, model, "{message}"),
        Level::Info => tracing::info!(target: "plugin", stage, model, "{message}"),
        Level::Debug => tracing::debug!(target: "plugin", stage, model, "{message}"),
        Level::Trace => tracing::trace!(target: "plugin", stage, model, "{message}"),
    }
}
