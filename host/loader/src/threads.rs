//! Threads that the system does not start, and what is said of that.

use std::{io, thread};

use tokio::runtime::{Builder, Runtime};

use super::sandbox::{address_space, size};

/// A runtime with one thread of its own. Where the system starts no thread, that is an error: the runtime itself would panic.
pub fn start_runtime(name: &str) -> io::Result<Runtime> {
    // It ends at once; its stack is kept for the next thread, which is the runtime's.
    let tried = thread::Builder::new().name(name.to_owned()).spawn(|| {})?;
    let _ = tried.join();
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build()
}

/// What to do about a thread that was not started: which limits it may have met.
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
