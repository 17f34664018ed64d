//! Limits on one call of a sandboxed plugin.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits on one call (one batch) of a sandboxed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory and tables of an instance, in bytes.
    pub memory: u64,
    /// Time of a call that is its own: not that in which it waits for the host's services.
    pub time: Duration,
    /// Time of a call from its beginning to its end, whatever it waits for.
    #[serde(default = "an_hour")]
    pub wall: Duration,
    /// Instructions of a call, where determinism is asked for; unlimited otherwise.
    pub fuel: Option<u64>,
    /// Host calls within a call.
    pub host_calls: u64,
    /// Size of an answer, JSON and tensors together, in bytes; as much may be sent to servers, and received from one at a
    /// time.
    pub output: u64,
    /// What the scratch folders that the host makes for a call may hold, in bytes on disk; at least 4 KiB for each file.
    #[serde(default = "a_gibibyte")]
    pub scratch: u64,
    /// Calls in a row that end in a trap, or at a limit, before the extension is called no more; 0 for no such number.
    #[serde(default = "some_traps")]
    pub traps: u32,
}

const fn an_hour() -> Duration {
    Duration::from_secs(3600)
}

const fn a_gibibyte() -> u64 {
    1 << 30
}

const fn some_traps() -> u32 {
    64
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            time: Duration::from_secs(60),
            wall: an_hour(),
            fuel: None,
            host_calls: 100_000,
            output: 64 << 20,
            scratch: a_gibibyte(),
            traps: some_traps(),
        }
    }
}

impl Limits {
    /// Those of a routing policy: everything in a run waits for its decisions, which are a matter of microseconds.
    #[must_use]
    pub fn of_policy() -> Self {
        Self { time: Duration::from_secs(5), wall: Duration::from_secs(30), ..Self::default() }
    }
}

/// A size as people write it: the largest binary unit that it reaches, to one place.
pub(crate) fn size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}
