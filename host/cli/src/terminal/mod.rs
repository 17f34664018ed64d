//! The two outputs of the program: standard output for data, and standard error for messages, logs, progress and panics.
//!
//! Everything that is written passes an escape, so that no untrusted text can control the terminal.

mod log_file;
mod logs;
mod output;
mod panics;
mod record;
mod settings;
mod standard_error;
mod waits;

pub(crate) use output::output;
pub(crate) use panics::report_panics;
pub(crate) use record::without_secrets;
pub(crate) use settings::{LogFormat, Severity, TalkArgs};
pub(crate) use standard_error::terminal;
pub(crate) use waits::report_waits;
