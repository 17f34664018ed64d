//! Writes panics in the same way as everything else, as their messages may hold untrusted text.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic, thread,
};

use super::terminal;

/// Writes panics to standard error from now on. `RUST_BACKTRACE` has its usual meaning.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let location = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        let mut text = format!("\nthread '{name}' panicked at {location}:\n{message}");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.push_str(&format!("\nstack backtrace:\n{backtrace}"));
        }
        terminal().say_panic(&text);
    }));
}
