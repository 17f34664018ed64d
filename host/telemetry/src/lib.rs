//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows what other programs see of a run to spans and metrics: spans go to an OpenTelemetry collector, metrics
//! to Prometheus, under a port or in a file. The engine reports them as plain values and needs none of the libraries that
//! speak these protocols.
//!
//! - [`metrics`]: counters and times, the endpoint that serves them, and the text formats.
//! - [`spans`]: the spans of a run, the thread that sends them, and where the environment wants them to go.
//!
//! Invariant: it says nothing secret. A run never waits for a collector and never fails because of one.
//!
//! See docs/architecture.md in the repository.

pub mod metrics;
pub mod spans;
