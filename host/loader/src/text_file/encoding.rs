//! How the characters of a text are encoded: what its byte order mark says, and what its first bytes betray.

use std::io::{self, Read};

use super::not_text;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or what has to turn out to be.
    Utf8 { has_mark: bool },
    /// UTF-16 with a byte order mark.
    Utf16(ByteOrder),
}

/// The order of the two bytes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    LittleEndian,
    BigEndian,
}

/// How the files of other programs begin that people take for text, and what they are.
const OTHER_FORMATS: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive, as documents of office programs are: export it as text, or unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\0", "packed with xz: unpack it, or pack it with gzip"),
    (b"%PDF-", "a PDF document: export it as text"),
    (b"SQLite format 3\0", "an SQLite database: export what is meant as CSV or JSON"),
];

impl Encoding {
    /// The encoding of a text that begins like this.
    ///
    /// # Errors
    /// It is not a text, or in an encoding that is not read.
    pub(super) fn of(head: &[u8]) -> io::Result<Self> {
        if let Some((_, what)) = OTHER_FORMATS.iter().find(|(begin, _)| head.starts_with(begin)) {
            return Err(not_text(&format!("it is {what}")));
        }
        // The byte between is the level of compression.
        if head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY") {
            return Err(not_text("it is packed with bzip2: unpack it, or pack it with gzip"));
        }
        if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") {
            return Err(not_text("it is UTF-32 text: save it as UTF-8"));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            return Ok(Self::Utf8 { has_mark: true });
        }
        if head.starts_with(b"\xff\xfe") {
            return Ok(Self::Utf16(ByteOrder::LittleEndian));
        }
        if head.starts_with(b"\xfe\xff") {
            return Ok(Self::Utf16(ByteOrder::BigEndian));
        }
        if looks_like_utf16(head) {
            return Err(not_text("it is UTF-16 text without a byte order mark: save it as UTF-8, or with the mark"));
        }
        Ok(Self::Utf8 { has_mark: false })
    }

    /// How many bytes its byte order mark takes.
    pub(super) fn mark_length(self) -> u64 {
        match self {
            Self::Utf8 { has_mark: false } => 0,
            Self::Utf8 { has_mark: true } => 3,
            Self::Utf16(_) => 2,
        }
    }
}

/// Whether every zero is the same half of a unit, and there are many, as in UTF-16 text of a language with Latin letters.
fn looks_like_utf16(head: &[u8]) -> bool {
    let zeros_at = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    let most = even.max(odd);
    even.min(odd) == 0 && most >= 2 && most * 3 >= head.len()
}

/// UTF-16 as UTF-8.
pub(super) struct Utf16Reader<R> {
    units: R,
    order: ByteOrder,
    /// Bytes of the source that are not decoded yet: less than a character.
    rest: Vec<u8>,
    /// Decoded text, and how much of it was given away.
    text: String,
    given: usize,
}

impl<R: Read> Utf16Reader<R> {
    /// Reads what follows the byte order mark.
    pub(super) fn new(units: R, order: ByteOrder) -> Self {
        Self { units, order, rest: Vec::new(), text: String::new(), given: 0 }
    }

    /// Decodes further characters; none are left if there is no text afterwards.
    fn decode_more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let mut is_end = false;
        while self.text.is_empty() && !is_end {
            let mut bytes = std::mem::take(&mut self.rest);
            let before = bytes.len();
            bytes.resize(before + (8 << 10), 0);
            let count = self.units.read(&mut bytes[before..])?;
            bytes.truncate(before + count);
            is_end = count == 0;
            let mut whole = bytes.len() & !1;
            let unit = |pair: &[u8]| match self.order {
                ByteOrder::LittleEndian => u16::from_le_bytes([pair[0], pair[1]]),
                ByteOrder::BigEndian => u16::from_be_bytes([pair[0], pair[1]]),
            };
            // The other half of a pair may be in what is read next.
            if whole > 0 && !is_end && (0xd800..0xdc00).contains(&unit(&bytes[whole - 2..whole])) {
                whole -= 2;
            }
            for decoded in char::decode_utf16(bytes[..whole].chunks_exact(2).map(unit)) {
                let broken =
                    |_| not_text("it is UTF-16 text that is damaged (half of a surrogate pair): save it as UTF-8");
                self.text.push(decoded.map_err(broken)?);
            }
            self.rest = bytes.split_off(whole);
        }
        if is_end && !self.rest.is_empty() {
            return Err(not_text("it is UTF-16 text that is cut off in the middle of a character: copy it again"));
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.decode_more()?;
        }
        let left = &self.text.as_bytes()[self.given..];
        let count = left.len().min(out.len());
        out[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}
