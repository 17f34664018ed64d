//! Limits on one call of a sandboxed plugin.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits on one call (one batch) of a sandboxed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory and tables of an instance, in bytes.
    pub memory: u64,
    /// Wall-clock time of a call, host calls included.
    pub time: Duration,
    /// Instructions of a call, where determinism is asked for; unlimited otherwise.
    pub fuel: Option<u64>,
    /// Host calls within a call.
    pub host_calls: u64,
    /// Size of an answer, JSON and tensors together, in bytes.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 512 << 20, time: Duration::from_secs(60), fuel: None, host_calls: 100_000, output: 64 << 20 }
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
