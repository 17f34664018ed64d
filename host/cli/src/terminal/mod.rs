//! What the program says: data on standard output; logs, progress and panics on standard error.

mod logs;
mod output;
mod panics;

mod standard_error;
mod waits;

pub(crate) use logs::{LogFormat, init_logs};
pub(crate) use output::output;
pub(crate) use panics::report_panics;
pub(crate) use standard_error::terminal;
pub(crate) use waits::report_waits;
