//! Token buckets: so many a second, with a second's worth (at least one) in store.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A token bucket. Whoever takes more than there is goes into debt and waits until it is paid, in order of arrival.
pub(super) struct Bucket {
    /// Tokens a second.
    rate: f64,
    /// The most that is kept in store.
    burst: f64,
    state: Mutex<(f64, Instant)>,
}

impl Bucket {
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, state: Mutex::new((burst, Instant::now())) }
    }

    /// Takes so many and says how long to wait for them.
    fn take(&self, count: f64, now: Instant) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = now.saturating_duration_since(state.1).as_secs_f64() * self.rate;
        *state = ((state.0 + earned).min(self.burst) - count, now);
        if state.0 >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-state.0 / self.rate) }
    }

    /// Takes so many, and waits for them.
    pub(super) async fn wait(&self, count: f64) {
        let wait = self.take(count, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Puts right what was taken beforehand: `more` than that was needed, or less.
    pub(super) fn correct(&self, more: f64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = (state.0 - more).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_goes_first_and_then_the_rate_counts() {
        let bucket = Bucket::new(2.0, 2.0);
        let start = Instant::now();
        let waits: Vec<f64> = (0..5).map(|_| bucket.take(1.0, start).as_secs_f64()).collect();
        assert_eq!(waits, [0.0, 0.0, 0.5, 1.0, 1.5]);
        let later = start + Duration::from_secs(10);
        assert_eq!(bucket.take(2.0, later), Duration::ZERO);
        assert_eq!(bucket.take(1.0, later).as_secs_f64(), 0.5);
    }
}
