//! Takes out of a text what nobody sees and nobody says, so that two spellings of one name are one name.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text composed (NFC), without direction marks and byte-order marks, with every no-break or thin space as a space.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let visible: Cow<'_, str> = if text.contains(|c| is_direction_mark(c) || is_odd_space(c)) {
        let kept = text.chars().filter(|&c| !is_direction_mark(c));
        Cow::Owned(kept.map(|c| if is_odd_space(c) { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    };
    match is_nfc_quick(visible.chars()) {
        IsNormalized::Yes => visible,
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(visible.nfc().collect()),
    }
}

/// The text with each run of white space as one space, and none at its ends.
pub(crate) fn one_spaced(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let mut last_is_space = false;
    let is_spaced = text.chars().all(|c| {
        let is_doubled = c.is_whitespace() && (last_is_space || c != ' ');
        last_is_space = c.is_whitespace();
        !is_doubled
    });
    if is_spaced { Cow::Borrowed(text) } else { Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")) }
}

/// A character that only says in which direction others are shown, or in which byte order a file is.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_odd_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}')
}

/// Lines of a text that ends them with `\n`, `\r\n`, `\r` or a line separator of Unicode.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split(['\r', '\u{85}', '\u{2028}', '\u{2029}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_taken_out() {
        assert_eq!(clean("\u{200f}علي\u{200e}: \u{2068}a\u{2069}"), "علي: a");
        assert_eq!(clean("Zoe\u{308}\u{a0}B\u{202f}C\u{2009}D"), "Zoë B C D");
        assert_eq!(clean("می\u{200c}خواهم"), "می\u{200c}خواهم", "a non-joiner is part of a word");
    }

    #[test]
    fn runs_of_white_space_become_one_space() {
        assert_eq!(one_spaced("  Ann \t Lee\u{3000}"), "Ann Lee");
        assert!(matches!(one_spaced("Ann Lee"), Cow::Borrowed("Ann Lee")));
    }

    #[test]
    fn lines_end_in_many_ways() {
        assert_eq!(lines("a\r\nb\rc\nd\u{2028}e").collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
    }
}
