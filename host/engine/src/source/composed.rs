//! One spelling for names that look the same.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// A name with its characters composed (Unicode's NFC): some systems spell `é` as one character, others as two, and people mean
/// the same by both.
#[must_use]
pub fn composed(name: &str) -> Cow<'_, str> {
    if name.is_ascii() || is_nfc_quick(name.chars()) == IsNormalized::Yes {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.nfc().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_letter_are_one() {
        assert_eq!(composed("cafe\u{301}"), "caf\u{e9}");
        assert_eq!(composed("caf\u{e9}"), "caf\u{e9}");
        assert_eq!(composed("\u{1112}\u{1161}\u{11ab}"), "\u{d55c}");
    }
}
