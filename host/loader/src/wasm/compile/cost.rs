//! Measures the cost of compiling a component while it is compiled. What can be counted beforehand does not bound the cost: the
//! time of register allocation grows much faster than the size of some functions.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::sandbox::size;

/// The limits of compiling a component. A component with CPython inside, of 18 MB, takes 7 s and half a gibibyte.
pub(super) const MOST: Most = Most { cpu: Duration::from_secs(60), wall: Duration::from_secs(600), memory: 1 << 30 };

/// Limits of compiling.
pub(super) struct Most {
    /// CPU time, however busy the machine is.
    pub(super) cpu: Duration,
    /// Time by the clock on the wall.
    pub(super) wall: Duration,
    /// How much the memory of the process may grow, in bytes.
    pub(super) memory: u64,
}

/// What the process had used when compiling began. It does nothing else meanwhile.
pub(super) struct Cost {
    began: Instant,
    cpu: Duration,
    memory: u64,
}

impl Cost {
    pub(super) fn now() -> Self {
        Self { began: Instant::now(), cpu: cpu_of_process(), memory: memory_of_process() }
    }

    /// The limit that was exceeded since then, as a sentence.
    pub(super) fn beyond(&self, most: &Most) -> Option<String> {
        let too_slow = |what: &str, most: Duration| {
            Some(format!("compiling it takes longer than {}{what}", humantime::format_duration(most)))
        };
        if cpu_of_process().saturating_sub(self.cpu) > most.cpu {
            return too_slow(" of CPU time", most.cpu);
        }
        if self.began.elapsed() > most.wall {
            return too_slow("", most.wall);
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

/// Where the system does not report it, the wall clock bounds it.
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
