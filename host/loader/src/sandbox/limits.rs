//! Limits on one call of a sandboxed plugin.

use std::time::Duration;

use jackfield_plugin_api::Failure;
use serde::{Deserialize, Serialize};

/// Limits on one call (one batch) of a sandboxed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory and tables of an instance, in bytes. As much is reserved of the run's total while a call runs.
    pub memory: u64,
    /// CPU time of a call: what it computes, however many others compute beside it.
    pub time: Duration,
    /// Time of a call from when it is first run to its end, whatever it waits for; not what it queues, for its turn to
    /// compute or for memory.
    #[serde(default = "an_hour")]
    pub wall: Duration,
    /// Instructions of a call, where determinism is asked for; unlimited otherwise.
    pub fuel: Option<u64>,
    /// Host calls within a call.
    pub host_calls: u64,
    /// Size of an answer, JSON and tensors together, in bytes; as much may be sent to servers, and received from one at a
    /// time.
    pub output: u64,
    /// What the tensors that a call makes may hold, in bytes: those that travel by reference.
    #[serde(default = "a_gibibyte")]
    pub tensors: u64,
    /// What the scratch folders that the host makes for a call, or for an open cache backend, may hold, in bytes on disk; at
    /// least 4 KiB for each file.
    #[serde(default = "a_gibibyte")]
    pub scratch: u64,
    /// Calls in a row that end in a trap, or at a limit, before the extension is called no more; 0 for no such number. Of a
    /// cache backend: failures in a row before it is left alone for a while.
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
            memory: 128 << 20,
            time: Duration::from_secs(60),
            wall: an_hour(),
            fuel: None,
            host_calls: 100_000,
            output: 64 << 20,
            tensors: a_gibibyte(),
            scratch: a_gibibyte(),
            traps: some_traps(),
        }
    }
}

impl Limits {
    /// The limits of a routing policy: everything in a run waits for its decisions, which are a matter of microseconds.
    #[must_use]
    pub fn of_policy() -> Self {
        Self { time: Duration::from_secs(5), wall: Duration::from_secs(30), ..Self::default() }
    }

    /// The limits of an operation of a cache backend: a value that takes long to come by is better made again. After a few
    /// failures in a row it is left alone for a while.
    #[must_use]
    pub fn of_cache() -> Self {
        Self { time: Duration::from_secs(2), wall: Duration::from_secs(10), traps: 4, ..Self::default() }
    }
}

/// The message for a call that has used up its CPU time.
pub fn used_up(limit: Duration) -> String {
    format!("{USED_UP}{}", humantime::format_duration(limit))
}

/// The message for a call that has taken too long by the wall clock.
pub fn took_too_long(limit: Duration) -> String {
    format!("{NO_ANSWER}{}, waiting included", humantime::format_duration(limit))
}

const USED_UP: &str = "used up its CPU time of ";
const NO_ANSWER: &str = "no answer within its limit of ";

/// Whether a call was ended by one of its limits on time.
pub fn is_out_of_time(failure: &Failure) -> bool {
    matches!(failure, Failure::OverBudget(what) if what.starts_with(USED_UP) || what.starts_with(NO_ANSWER))
}

/// The limits while an extension is opened to check its configuration. No host answers it meanwhile, so it would only wait in
/// vain.
pub fn to_open(limits: &Limits) -> Limits {
    let patience = limits.time.saturating_mul(2).max(Duration::from_secs(120));
    Limits { wall: limits.wall.min(patience), ..limits.clone() }
}
