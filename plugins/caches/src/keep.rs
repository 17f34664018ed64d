//! How long a value is kept.

use std::time::Duration;

/// Longer than anybody waits; keeps sums of times far from overflow.
const LONGEST_MS: u64 = 100 * 365 * 24 * 3_600_000;

/// How long a value is kept, in the unit that all stores share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// As long as there is room.
    WhileRoom,
    /// So many milliseconds, 1 to a hundred years.
    Millis(u64),
    /// It has expired before it could be kept.
    NotAtAll,
}

impl Keep {
    /// Rounds down, because a value is kept for its time at the most.
    pub(crate) fn of(ttl: Option<Duration>) -> Self {
        match ttl.map(|ttl| ttl.as_millis()) {
            None => Self::WhileRoom,
            Some(0) => Self::NotAtAll,
            Some(millis) => Self::Millis(u64::try_from(millis).unwrap_or(LONGEST_MS).min(LONGEST_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_for_its_time_at_the_most() {
        assert_eq!(Keep::of(None), Keep::WhileRoom);
        assert_eq!(Keep::of(Some(Duration::ZERO)), Keep::NotAtAll);
        assert_eq!(Keep::of(Some(Duration::from_micros(999))), Keep::NotAtAll);
        assert_eq!(Keep::of(Some(Duration::from_micros(1999))), Keep::Millis(1));
        assert_eq!(Keep::of(Some(Duration::MAX)), Keep::Millis(LONGEST_MS));
    }
}
