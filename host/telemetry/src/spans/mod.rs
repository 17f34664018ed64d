//! Spans of a run, sent to an OpenTelemetry collector.

pub mod names;

mod destination;
mod error;
mod export;
mod ids;
mod otlp;
mod span;
#[cfg(test)]
mod tests;

pub use error::SpansError;
pub use export::{SpanCounts, Spans};
pub use ids::SpanIds;
pub use span::{AttributeValue, Span, SpanKind};
