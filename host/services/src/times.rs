//! Times of many operations of a kind, in flat memory.

use std::time::Duration;

use hdrhistogram::Histogram;
use jackfield_store::TimeStats;

/// Times of many operations: of a stage's calls, of whole items, of what a cache is asked.
#[derive(Debug)]
pub struct Times {
    micros: Histogram<u64>,
    total: Duration,
}

impl Times {
    /// Of none so far.
    #[must_use]
    pub fn new() -> Self {
        // Two significant digits, from one microsecond on; it grows with the longest time, to some 20 KB for hours.
        let micros = Histogram::new(2).unwrap_or_else(|_| unreachable!("a constant number of digits"));
        Self { micros, total: Duration::ZERO }
    }

    /// Adds operations that took so long each.
    pub fn record(&mut self, each: Duration, count: u64) {
        self.total += each * count as u32;
        let _ = self.micros.record_n((each.as_micros() as u64).max(1), count);
    }

    /// What they come to.
    #[must_use]
    pub fn stats(&self) -> TimeStats {
        let quantile =
            |q: f64| if self.micros.is_empty() { 0.0 } else { self.micros.value_at_quantile(q) as f64 / 1000.0 };
        TimeStats {
            count: self.micros.len(),
            p50_ms: quantile(0.50),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            total_ms: self.total.as_secs_f64() * 1000.0,
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_summed_up_and_none_come_to_nothing() {
        assert_eq!(Times::new().stats(), TimeStats::default());
        let mut times = Times::new();
        times.record(Duration::from_millis(2), 19);
        times.record(Duration::from_millis(500), 1);
        let TimeStats { count, p50_ms, p95_ms, p99_ms, total_ms } = times.stats();
        assert_eq!((count, total_ms), (20, 538.0));
        assert!((1.9..2.1).contains(&p50_ms) && (1.9..2.1).contains(&p95_ms) && p99_ms > 490.0, "{p50_ms} {p95_ms}");
    }
}
