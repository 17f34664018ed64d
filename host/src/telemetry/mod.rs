//! What a run tells: data on standard output, logs and progress on the terminal, spans, metrics.

mod logs;
pub mod metrics;
mod output;
mod panics;
pub mod spans;
mod terminal;
mod waits;

pub(crate) use logs::plugin_line;
pub use logs::{LogFormat, init_logs};
pub use output::{Output, output};
pub(crate) use panics::report_panics;
pub use terminal::{Terminal, terminal};
pub(crate) use waits::{Wait, report_waits, waiting};
