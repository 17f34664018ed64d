//! Texts in the form in which they are compared, so that it does not matter which program wrote them.
//!
//! One letter can be written in several ways: `é` as one character or as an `e` with an accent behind it (as macOS names
//! files), `Ａ` in full width, `ﬁ` as a ligature. Whatever is compared is brought to one form first (UAX #15). What is shown
//! stays as it was written.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// The text with each letter and its accents as one character, where there is one (NFC). It reads as it did before.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// The text in the form in which words are looked for: compatible characters alike (NFKC), without marks that cannot be seen.
/// Capitals stay.
#[must_use]
pub fn comparable(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || (!text.contains(is_invisible) && is_nfkc_quick(text.chars()) == IsNormalized::Yes) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).nfkc().collect())
}

/// Appends a word of a [comparable] text in lower case, with `ss` for `ß`, one sigma and plain apostrophes.
pub fn push_folded(word: &str, folded: &mut String) {
    if word.is_ascii() {
        folded.push_str(word);
        let start = folded.len() - word.len();
        folded[start..].make_ascii_lowercase();
        return;
    }
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            '’' => folded.push('\''),
            // What is left of a Turkish capital `İ` behind its `i`.
            '\u{307}' => {}
            c => folded.push(c),
        }
    }
}

/// Soft hyphens, joiners, and marks of direction: they part no words, and no reader sees them.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        let mut folded = String::new();
        push_folded(&comparable(text), &mut folded);
        folded
    }

    #[test]
    fn however_a_letter_is_written_it_compares_alike() {
        for (left, right) in [
            ("Cafe\u{301}", "CAFÉ"),
            ("ＦＩＬＥ", "ﬁle"),
            ("STRASSE", "Straße"),
            ("ΟΔΟΣ", "οδος"),
            ("İzmir", "izmir"),
            ("co\u{ad}op", "coop"),
            ("ガ", "ｶﾞ"),
        ] {
            assert_eq!(folded(left), folded(right), "{left} {right}");
        }
        assert_ne!(folded("schon"), folded("schön"));
    }

    #[test]
    fn a_text_that_is_composed_is_not_copied() {
        assert!(matches!(composed("café"), Cow::Borrowed(_)) && matches!(comparable("café"), Cow::Borrowed(_)));
        assert_eq!(composed("ﬁ e\u{301}"), "ﬁ é");
    }

    proptest! {
        #[test]
        fn both_forms_of_a_text_compare_alike(text in "\\PC{0,40}") {
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(folded(&composed), folded(&decomposed));
        }
    }
}
