//! A value as a cache's backends store it: with a version, the time at which it expires, and a checksum.
//!
//! Whatever a backend does with it, what comes back is the value that was put under this very key, or none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jackfield_plugin_api::CacheValue;
use jackfield_store::checksum;

/// What every stored value begins with, and the version after it.
const MARK: [u8; 3] = *b"JFV";
/// The version that this program writes, and the only one that it reads.
const FORMAT: u8 = 1;
/// Mark, version, expiry in milliseconds since 1970, checksum.
const HEADER: usize = 4 + 8 + 8;

/// What a backend has under a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// The value, with the time of its expiry: what is copied to a faster tier lives no longer there.
    Value(u64, CacheValue),
    /// Its time is over.
    Expired,
    /// It was written by a later program, whose version of values this is.
    Newer(u8),
    /// It is not what was put under this key.
    Damaged,
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The time of expiry of what is put now.
pub(super) fn expiry(ttl: Option<Duration>) -> u64 {
    ttl.map_or(u64::MAX, |ttl| now_ms().saturating_add(ttl.as_millis() as u64))
}

/// The time that is left; none for what does not expire.
pub(super) fn time_left(expires: u64) -> Option<Duration> {
    (expires != u64::MAX).then(|| Duration::from_millis(expires.saturating_sub(now_ms())))
}

fn sum(key: &str, expires: [u8; 8], value: &[u8]) -> [u8; 8] {
    checksum(value, checksum(&expires, checksum(key.as_bytes(), FORMAT.into()))).to_be_bytes()
}

/// A value as it is stored under a key.
pub(super) fn pack(key: &str, expires: u64, value: &[u8]) -> CacheValue {
    let expires = expires.to_be_bytes();
    [&MARK[..], &[FORMAT], &expires, &sum(key, expires, value), value].concat().into()
}

/// What was stored under a key.
pub(super) fn unpack(key: &str, stored: &[u8]) -> Stored {
    let Some((header, value)) = stored.split_at_checked(HEADER) else { return Stored::Damaged };
    let part = |at: usize| -> [u8; 8] { header[at..at + 8].try_into().unwrap_or_default() };
    match header[3] {
        _ if header[..3] != MARK => Stored::Damaged,
        FORMAT if part(12) == sum(key, part(4), value) => match u64::from_be_bytes(part(4)) {
            expires if expires == u64::MAX || expires > now_ms() => Stored::Value(expires, value.into()),
            _ => Stored::Expired,
        },
        FORMAT => Stored::Damaged,
        newer => Stored::Newer(newer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_whole_under_its_own_key_or_not_at_all() {
        let stored = pack("a/key", u64::MAX, b"a value");
        assert_eq!(unpack("a/key", &stored), Stored::Value(u64::MAX, b"a value"[..].into()));
        assert_eq!(unpack("a/other", &stored), Stored::Damaged, "two values have changed places");
        for position in 0..stored.len() {
            assert_eq!(unpack("a/key", &stored[..position]), Stored::Damaged, "cut at {position}");
            for bit in 0..8 {
                let mut changed = stored.to_vec();
                changed[position] ^= 1 << bit;
                let found = unpack("a/key", &changed);
                assert!(matches!(found, Stored::Damaged | Stored::Newer(_)), "byte {position}, bit {bit}: {found:?}");
            }
        }
        assert_eq!(unpack("a/key", &[]), Stored::Damaged);
        assert_eq!(unpack("a/key", &pack("a/key", 1, b"old")), Stored::Expired);
        let mut newer = stored.to_vec();
        newer[3] = FORMAT + 1;
        assert_eq!(unpack("a/key", &newer), Stored::Newer(FORMAT + 1));
    }
}
