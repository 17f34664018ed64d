//! Checksums of what is stored: of rows, and of the JSON files beside them.
//!
//! They find damage (a flipped bit, a page from elsewhere), not intent: an xxh3 checksum is not a signature.

use rusqlite::types::ValueRef;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The golden ratio's fraction in 64 bits: odd, so that a product with it can be undone.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The checksum of a row while its values are added. Every value is added with its type, so that a row whose values stand in other columns
/// has another checksum.
#[derive(Clone, Copy)]
pub(super) struct RowChecksum(u64);

impl RowChecksum {
    /// Begins with a number that differs between tables.
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

    /// Adds a number. Two numbers never lead to the same checksum from the same one, nor does one number from two: a row is
    /// mostly numbers, and a hash of each would cost more than the rest.
    #[inline]
    const fn with_number(self, number: u64, kind: u64) -> u64 {
        (self.0 ^ number).wrapping_add(kind).wrapping_mul(ODD).rotate_left(29) ^ ODD
    }

    /// The checksum, as SQLite stores it.
    pub(super) const fn finish(self) -> i64 {
        self.0 as i64
    }
}

/// The checksum of bytes that follow others, whose checksum is `before`; 0 for the first.
#[must_use]
pub fn checksum(bytes: &[u8], before: u64) -> u64 {
    xxh3_64_with_seed(bytes, before)
}

/// What a JSON file holds in place of its checksum while the checksum is computed.
const PLACEHOLDER: &str = "0000000000000000";
const FIELD: &str = "\"checksum\": \"";

/// A JSON file with a checksum: the first field `checksum` holds it, over the whole text with zeros in its place.
///
/// The value must have the field, as a string; whatever it holds is written over.
pub fn sealed_json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a record is text and numbers") + "\n";
    if let Some(span) = checksum_span(&text) {
        text.replace_range(span.clone(), PLACEHOLDER);
        let sum = format!("{:016x}", checksum(text.as_bytes(), 0));
        text.replace_range(span.start..span.start + PLACEHOLDER.len(), &sum);
    }
    text
}

/// Whether a text is as [`sealed_json`] wrote it.
pub fn is_whole(text: &str) -> bool {
    let Some(span) = checksum_span(text) else { return false };
    let mut unsealed = text.to_owned();
    unsealed.replace_range(span.clone(), PLACEHOLDER);
    text[span] == format!("{:016x}", checksum(unsealed.as_bytes(), 0))
}

/// Where the value of the first field `checksum` is in a text.
fn checksum_span(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find(FIELD)? + FIELD.len();
    let length = text[start..].find('"')?;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sum(values: &[ValueRef<'_>]) -> i64 {
        let mut sum = RowChecksum::new(1);
        values.iter().for_each(|value| sum.add(*value));
        sum.finish()
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
