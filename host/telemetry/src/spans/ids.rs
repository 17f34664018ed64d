//! Ids for spans.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// Gives spans ids that no other span of the run has: a run that is resumed goes on with the same trace, so each session
/// begins with another number.
#[derive(Debug)]
pub struct SpanIds(AtomicU64);

impl SpanIds {
    /// Begins with a random number.
    #[must_use]
    pub fn new() -> Self {
        Self::from(RandomState::new().build_hasher().finish())
    }

    /// An id that was not given out before. Never zero, which stands for no span.
    pub fn fresh(&self) -> u64 {
        loop {
            let id = self.0.fetch_add(1, Ordering::Relaxed);
            if id != 0 {
                return id;
            }
        }
    }
}

impl Default for SpanIds {
    fn default() -> Self {
        Self::new()
    }
}

impl From<u64> for SpanIds {
    /// Begins at this id, for a test.
    fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

#[cfg(test)]
mod tests {
    use super::SpanIds;

    #[test]
    fn ids_go_around_zero() {
        let ids = SpanIds::from(u64::MAX);
        assert_eq!([ids.fresh(), ids.fresh()], [u64::MAX, 1]);
    }

    #[test]
    fn two_sessions_begin_far_apart() {
        assert!(SpanIds::new().fresh().abs_diff(SpanIds::new().fresh()) > 1 << 20);
    }
}
