//! Times of calls.

use std::time::Duration;

use hdrhistogram::Histogram;
use jackfield_store::StageStats;

/// Times of one stage's calls, in flat memory.
pub(super) struct Times {
    micros: Histogram<u64>,
    total: Duration,
}

impl Times {
    pub(super) fn new() -> Self {
        // Two significant digits, from one microsecond on; it grows with the longest time, to some 20 KB for hours.
        let micros = Histogram::new(2).unwrap_or_else(|_| unreachable!("a constant number of digits"));
        Self { micros, total: Duration::ZERO }
    }

    pub(super) fn record(&mut self, each: Duration, calls: u64) {
        self.total += each * calls as u32;
        let _ = self.micros.record_n((each.as_micros() as u64).max(1), calls);
    }

    pub(super) fn fill(&self, stats: &mut StageStats) {
        let quantile =
            |q: f64| if self.micros.is_empty() { 0.0 } else { self.micros.value_at_quantile(q) as f64 / 1000.0 };
        stats.p50_ms = quantile(0.50);
        stats.p95_ms = quantile(0.95);
        stats.p99_ms = quantile(0.99);
        stats.total_ms = self.total.as_secs_f64() * 1000.0;
    }
}
