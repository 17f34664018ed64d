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

/// The label of a speaker as all programs write it alike: with single plain spaces, composed, without marks that take no room
/// (but for the joiners within words of some scripts), and without a colon at its end.
#[must_use]
pub fn speaker_label(label: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c == '\u{200b}' || is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}');
    let is_plain = |label: &str| {
        let is_end = |c: char| c.is_whitespace() || matches!(c, ':' | '：');
        !label.contains("  ")
            && !label.starts_with(char::is_whitespace)
            && !label.ends_with(is_end)
            && !label.contains(|c: char| c != ' ' && c.is_whitespace() || is_hidden(c))
    };
    if is_plain(label) {
        return composed(label);
    }
    let visible: String = label.chars().filter(|c| !is_hidden(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let spaced = words.join(" ");
    let name = spaced.trim_end_matches([':', '：', ' ']);
    // A colon alone is a label too.
    Cow::Owned(composed(if name.is_empty() { &spaced } else { name }).into_owned())
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
    fn a_name_is_one_name_however_its_spaces_and_letters_are_written() {
        for label in [
            "Zoë Lee",
            "Zoe\u{308} Lee",
            "Zoë\u{a0}Lee",
            "Zoë\u{202f}Lee",
            "Zoë\u{2009}Lee",
            " Zoë  Lee ",
            "Zoë\u{200b} Lee\u{200e}",
            "\u{feff}Zoë\tLee:",
            "Zoë Lee ：",
        ] {
            assert_eq!(speaker_label(label), "Zoë Lee", "{label:?}");
        }
        assert!(matches!(speaker_label("Ann Lee (she/her)"), Cow::Borrowed(_)));
        assert_eq!(speaker_label("علی\u{200c}رضا"), "علی\u{200c}رضا", "a joiner is part of a name");
        assert_eq!((&*speaker_label(""), &*speaker_label(" : ")), ("", ":"));
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
