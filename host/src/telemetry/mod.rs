//! Logs and progress on the terminal.

mod logs;
mod terminal;

pub use logs::{LogFormat, init_logs};
pub use terminal::{Terminal, terminal};
