mod collector;
mod environment;
mod export;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Span, SpanKind};

/// A moment to measure from.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_795_000_000_123)
}

/// A span of the least.
fn span(id: u64) -> Span {
    Span {
        id,
        parent: None,
        name: "stage lens".into(),
        kind: SpanKind::Stage,
        start: noon(),
        took: Duration::from_millis(5),
        attributes: Vec::new(),
        error: None,
    }
}
