//! The address space, where that is limited (`ulimit -v`).

use std::{env, os::unix::process::CommandExt as _, process::Command};

use jackfield_loader::sandbox::address_space;

/// Beyond this, what allocators reserve does not matter.
const PLENTY: u64 = 16 << 30;

/// What the allocators reserve: by default one of them takes a gibibyte at once, and the other 64 MiB for each thread.
/// Neither uses it here, and plugins and threads would lack it.
const MODEST: [(&str, &str); 2] = [("MIMALLOC_ARENA_RESERVE", "32MiB"), ("MALLOC_ARENA_MAX", "1")];

/// Has the allocators reserve little where addresses are few. They look at their settings when the process begins, so it
/// begins anew: as the same process, with the same arguments.
pub(super) fn reserve_little() {
    let is_limited = address_space().is_some_and(|limit| limit < PLENTY);
    if !is_limited || MODEST.iter().all(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    again.args(arguments).envs(MODEST.into_iter().filter(|(name, _)| env::var_os(name).is_none()));
    // It comes back only if that is not to be: then it goes on as it is.
    let _ = again.exec();
}
