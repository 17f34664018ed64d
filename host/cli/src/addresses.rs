//! Makes the memory allocators reserve little of the address space where that is limited (`ulimit -v`).

use std::{env, os::unix::process::CommandExt as _, process::Command};

use jackfield_loader::sandbox::address_space;

/// In bytes. With a higher limit, it does not matter how much the allocators reserve.
const LIMIT_THAT_MATTERS: u64 = 16 << 30;

/// The settings of the allocators. By default, mimalloc reserves a gibibyte at once and glibc 64 MiB for each thread. The program
/// does not use that much, and plugins and threads would not get it.
const SETTINGS: [(&str, &str); 2] = [("MIMALLOC_ARENA_RESERVE", "32MiB"), ("MALLOC_ARENA_MAX", "1")];

/// Sets the allocators up for a limited address space. They read their settings when the process starts, so the process executes
/// the program again, with the same arguments.
pub(super) fn limit_reservations() {
    let is_limited = address_space().is_some_and(|limit| limit < LIMIT_THAT_MATTERS);
    if !is_limited || SETTINGS.iter().all(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    again.args(arguments).envs(SETTINGS.into_iter().filter(|(name, _)| env::var_os(name).is_none()));
    // This returns only if it fails. The program then goes on with the usual settings.
    let _ = again.exec();
}
