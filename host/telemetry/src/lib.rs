//! What a run tells other programs: spans and metrics.

pub mod metrics;
pub mod spans;
