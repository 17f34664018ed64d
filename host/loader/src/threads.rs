//! Starts threads, and explains why the system did not start one.

use std::{io, thread};

use tokio::runtime::{Builder, Runtime};

use super::sandbox::{address_space, size};

/// A runtime with one thread of its own.
///
/// # Errors
/// If the system does not start a thread; the runtime itself would panic then.
pub fn start_runtime(name: &str) -> io::Result<Runtime> {
    // This thread ends at once, and the system keeps its stack for the next one, which is that of the runtime.
    let tried = thread::Builder::new().name(name.to_owned()).spawn(|| {})?;
    let _ = tried.join();
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build()
}

/// What to do if a thread was not started: the limits that may have been reached.
pub fn hint_for_threads() -> String {
    let processes = "the number of processes and threads (`ulimit -u`, or `pids.max` of the control group)";
    match address_space() {
        Some(limit) => format!(
            "the address space of a process is limited to {}: raise that (`ulimit -v`) or {processes}, or work with fewer \
             threads (`--jobs`)",
            size(limit)
        ),
        None => format!("raise the limit on {processes}, or work with fewer threads (`--jobs`)"),
    }
}

/// A sentence for a thread that was not started, with what to do about it.
pub fn no_thread(error: &io::Error) -> String {
    format!("no thread can be started for it: {error}: {}", hint_for_threads())
}
