//! How long a value is kept.

use std::time::Duration;

/// Longer than anybody waits; keeps sums of times far from overflow.
const LONGEST_MS: u64 = 100 * 365 * 24 * 3_600_000;

/// How long a value is kept, in the unit that all stores share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Without an end, until its room is needed.
    UntilEvicted,
    /// So many milliseconds, 1 to a hundred years.
    Millis(u64),
    /// It has expired already.
    Expired,
}

impl Lifetime {
    /// Rounds down, because a value is kept for its time at the most.
    pub(crate) fn of(ttl: Option<Duration>) -> Self {
        match ttl.map(|ttl| ttl.as_millis()) {
            None => Self::UntilEvicted,
            Some(0) => Self::Expired,
            Some(millis) => Self::Millis(u64::try_from(millis).unwrap_or(LONGEST_MS).min(LONGEST_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_for_its_time_at_the_most() {
        assert_eq!(Lifetime::of(None), Lifetime::UntilEvicted);
        assert_eq!(Lifetime::of(Some(Duration::ZERO)), Lifetime::Expired);
        assert_eq!(Lifetime::of(Some(Duration::from_micros(999))), Lifetime::Expired);
        assert_eq!(Lifetime::of(Some(Duration::from_micros(1999))), Lifetime::Millis(1));
        assert_eq!(Lifetime::of(Some(Duration::MAX)), Lifetime::Millis(LONGEST_MS));
    }
}
