//! Token buckets: a rate for each second, with a second's worth (at least one) in store.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use jackfield_plugin_api::sync::lock;

/// A token bucket. Whoever takes more than there is goes into debt and waits until it is paid, in order of arrival.
pub(super) struct TokenBucket {
    /// Tokens a second.
    rate: f64,
    /// The most that is kept in store.
    burst: f64,
    store: Mutex<Store>,
}

/// What is in a bucket.
struct Store {
    /// Tokens; fewer than none where a debt is to be paid.
    tokens: f64,
    /// When that was so.
    at: Instant,
}

impl TokenBucket {
    /// A full bucket with this rate, in tokens a second, that holds at most `burst` tokens.
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, store: Mutex::new(Store { tokens: burst, at: Instant::now() }) }
    }

    /// Takes so many and returns how long to wait for them.
    fn take(&self, count: f64, now: Instant) -> Duration {
        let mut store = lock(&self.store);
        let earned = now.saturating_duration_since(store.at).as_secs_f64() * self.rate;
        *store = Store { tokens: (store.tokens + earned).min(self.burst) - count, at: now };
        if store.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-store.tokens / self.rate) }
    }

    /// Takes so many, and waits for them.
    pub(super) async fn wait(&self, count: f64) {
        let wait = self.take(count, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Corrects what was taken beforehand by what was needed beyond it; less than none if less was needed.
    pub(super) fn correct(&self, difference: f64) {
        let mut store = lock(&self.store);
        store.tokens = (store.tokens - difference).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_goes_first_and_then_the_rate_counts() {
        let bucket = TokenBucket::new(2.0, 2.0);
        let start = Instant::now();
        let waits: Vec<f64> = (0..5).map(|_| bucket.take(1.0, start).as_secs_f64()).collect();
        assert_eq!(waits, [0.0, 0.0, 0.5, 1.0, 1.5]);
        let later = start + Duration::from_secs(10);
        assert_eq!(bucket.take(2.0, later), Duration::ZERO);
        assert_eq!(bucket.take(1.0, later).as_secs_f64(), 0.5);
    }
}
