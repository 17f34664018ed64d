//! How long to wait before a further try: the one place for models and for the calls of stages.

use std::time::Duration;

use jackfield_plugin_api::Random;

/// The longest delay between two tries that back-off alone asks for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// The base is doubled at most so many times.
const MOST_DOUBLINGS: u32 = 16;

/// Exponential back-off with full jitter (Brooker 2015): a delay drawn from `jitter`, between zero and `base` doubled with
/// each failed try, but no more than a minute. `attempt` is the number of the try that failed, counted from 1. One number is
/// drawn, whatever the delay.
///
/// What a failure itself asks to wait is added by the caller.
#[must_use]
pub fn jittered_backoff(base: Duration, attempt: u32, jitter: &mut Random) -> Duration {
    let doublings = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
    base.saturating_mul(1 << doublings).min(LONGEST_BACKOFF).mul_f64(jitter.next_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_lies_between_nothing_and_a_doubling_base_and_never_beyond_a_minute() {
        let mut jitter = Random::new(7);
        for (attempt, longest) in [(1, 0.1), (2, 0.2), (4, 0.8), (11, 60.0), (u32::MAX, 60.0)] {
            let delays: Vec<f64> = (0..200)
                .map(|_| jittered_backoff(Duration::from_millis(100), attempt, &mut jitter).as_secs_f64())
                .collect();
            assert!(delays.iter().all(|delay| (0.0..=longest).contains(delay)), "try {attempt}");
            assert!(delays.iter().any(|delay| *delay > longest / 2.0), "try {attempt}");
            assert!(delays.iter().any(|delay| *delay < longest / 2.0), "try {attempt}");
        }
    }

    #[test]
    fn one_number_is_drawn_for_a_delay() {
        let (mut drawn, mut counted) = (Random::new(3), Random::new(3));
        let delay = jittered_backoff(Duration::from_secs(1), 1, &mut drawn);
        assert_eq!(delay, Duration::from_secs(1).mul_f64(counted.next_f64()));
        assert_eq!(drawn.next_f64(), counted.next_f64());
    }
}
