//! Observers that report a run to other programs: metrics for Prometheus, and spans for an OpenTelemetry collector.

mod meters;
mod telemetry;
mod trace;

pub(super) use telemetry::{ObserverPair, RunTelemetry, TelemetryArgs};
