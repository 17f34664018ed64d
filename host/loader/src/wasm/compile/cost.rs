//! What compiling a component takes while it lasts. What can be counted beforehand does not bound it: the time that registers
//! take to be given out grows much faster than some functions do.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::sandbox::size;

/// The most that it may take. A component with CPython inside, of 18 MB, takes 7 s and half a gibibyte.
pub(super) const MOST: Most = Most { cpu: Duration::from_secs(60), wall: Duration::from_secs(600), memory: 1 << 30 };

/// What compiling may take at the most.
pub(super) struct Most {
    /// CPU time, however busy the machine is.
    pub(super) cpu: Duration,
    /// Time by the clock on the wall.
    pub(super) wall: Duration,
    /// What the memory of the process may grow by, in bytes.
    pub(super) memory: u64,
}

/// What the process had taken when compiling began: nothing else is done meanwhile.
pub(super) struct Cost {
    began: Instant,
    cpu: Duration,
    memory: u64,
}

impl Cost {
    pub(super) fn now() -> Self {
        Self { began: Instant::now(), cpu: cpu_of_process(), memory: memory_of_process() }
    }

    /// What is beyond the bounds since then, as the predicate of a sentence.
    pub(super) fn beyond(&self, most: &Most) -> Option<String> {
        let told = |what: &str, most: Duration| {
            Some(format!("compiling it takes longer than {}{what}", humantime::format_duration(most)))
        };
        if cpu_of_process().saturating_sub(self.cpu) > most.cpu {
            return told(" of CPU time", most.cpu);
        }
        if self.began.elapsed() > most.wall {
            return told("", most.wall);
        }
        let grown = memory_of_process().saturating_sub(self.memory);
        (grown > most.memory).then(|| format!("compiling it takes more than {} of memory", size(most.memory)))
    }
}

/// The CPU time of all threads so far.
#[cfg(unix)]
fn cpu_of_process() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Where it is not told, the clock on the wall bounds it.
#[cfg(not(unix))]
fn cpu_of_process() -> Duration {
    Duration::ZERO
}

/// The memory that the process holds, in bytes; nothing where the system does not say.
fn memory_of_process() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    line.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or_default() << 10
}
