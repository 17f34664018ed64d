//! Counters and times in the form of Prometheus.

mod endpoint;
mod families;
mod handles;
mod series;
#[cfg(test)]
mod tests;
mod text;

pub use endpoint::Endpoint;
pub use families::Metrics;
pub use handles::{CacheMetrics, ModelMetrics, StageMetrics};
