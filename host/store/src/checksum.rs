//! Checksums of what is stored: of rows, and of the JSON files beside them.
//!
//! They find damage (a flipped bit, a page from elsewhere), not intent: xxh3 is no signature.

use rusqlite::types::ValueRef;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The golden ratio's fraction in 64 bits: odd, so that a product with it can be undone.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The checksum of a row under way. Every value goes in with its type, so that a row whose values stand in other columns
/// has another checksum.
#[derive(Clone, Copy)]
pub(super) struct RowSum(u64);

impl RowSum {
    /// Begins with what tells tables apart.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Adds a value.
    #[inline]
    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        self.0 = match value {
            ValueRef::Null => self.0.rotate_left(7) ^ ODD,
            ValueRef::Integer(number) => self.with_number(number as u64, 0),
            ValueRef::Real(number) => self.with_number(number.to_bits(), 1),
            ValueRef::Text(bytes) => xxh3_64_with_seed(bytes, self.0 ^ 2),
            ValueRef::Blob(bytes) => xxh3_64_with_seed(bytes, self.0 ^ 3),
        };
    }

    /// A step that no two numbers take to the same place, nor the same number from two places: a row is mostly numbers, and
    /// a hash of each would cost more than the rest.
    #[inline]
    const fn with_number(self, number: u64, kind: u64) -> u64 {
        (self.0 ^ number).wrapping_add(kind).wrapping_mul(ODD).rotate_left(29) ^ ODD
    }

    /// The checksum, as SQLite stores it.
    pub(super) const fn end(self) -> i64 {
        self.0 as i64
    }
}

/// The checksum of some bytes, on top of that of what went before.
#[must_use]
pub fn checksum(bytes: &[u8], before: u64) -> u64 {
    xxh3_64_with_seed(bytes, before)
}

/// What stands in a JSON file until its checksum is known; what it is made over.
const OPEN: &str = "0000000000000000";
const FIELD: &str = "\"checksum\": \"";

/// A JSON file with a checksum: the first field `checksum` holds it, over the whole text with zeros in its place.
///
/// The value must have the field, as a string; whatever it holds is written over.
pub fn sealed_json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    if let Some(place) = place_of(&text) {
        text.replace_range(place.clone(), OPEN);
        let sum = format!("{:016x}", checksum(text.as_bytes(), 0));
        text.replace_range(place.start..place.start + OPEN.len(), &sum);
    }
    text
}

/// Whether a text is as [`sealed_json`] wrote it.
pub fn is_whole(text: &str) -> bool {
    let Some(place) = place_of(text) else { return false };
    let mut open = text.to_owned();
    open.replace_range(place.clone(), OPEN);
    text[place] == format!("{:016x}", checksum(open.as_bytes(), 0))
}

fn place_of(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find(FIELD)? + FIELD.len();
    let length = text[start..].find('"')?;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sum(values: &[ValueRef<'_>]) -> i64 {
        let mut sum = RowSum::new(1);
        values.iter().for_each(|value| sum.add(*value));
        sum.end()
    }

    #[test]
    fn a_value_in_another_column_or_of_another_type_has_another_checksum() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows: [&[ValueRef<'_>]; 9] = [
            &[Integer(0), Null],
            &[Null, Integer(0)],
            &[Integer(1), Null],
            &[Real(1.0), Null],
            &[Text(b"a"), Text(b"")],
            &[Text(b""), Text(b"a")],
            &[Text(b"a"), Null],
            &[Blob(b"a"), Text(b"")],
            &[Null, Null],
        ];
        let sums: std::collections::BTreeSet<i64> = rows.iter().map(|row| sum(row)).collect();
        assert_eq!(sums.len(), rows.len());
        assert_eq!(sum(rows[0]), sum(rows[0]));
    }

    #[test]
    fn a_sealed_file_is_whole_until_any_byte_of_it_changes() {
        let text = sealed_json(&json!({ "checksum": "", "format": 2, "of": { "checksum": "mine" }, "number": 1.25 }));
        assert!(is_whole(&text), "{text}");
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.to_vec();
                changed[at] ^= 1 << bit;
                assert!(std::str::from_utf8(&changed).map_or(true, |text| !is_whole(text)), "byte {at}, bit {bit}");
            }
            assert!(!is_whole(&text[..at]), "cut at {at}");
        }
        assert!(!is_whole("{}"));
    }
}
