//! What a run tells: logs and progress on the terminal, spans, metrics.

mod logs;
pub mod metrics;
pub mod spans;
mod terminal;

pub(crate) use logs::plugin_line;
pub use logs::{LogFormat, init_logs};
pub use terminal::{Terminal, terminal};
