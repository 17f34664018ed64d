//! Panics, told as everything else is: their messages may hold a stranger's words.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic, thread,
};

use super::terminal;

/// Tells of panics on standard error from now on. `RUST_BACKTRACE` counts as ever.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        let mut text = format!("\nthread '{name}' panicked at {place}:\n{message}");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.push_str(&format!("\nstack backtrace:\n{backtrace}"));
        }
        terminal().say_panic(&text);
    }));
}
