//! Compares texts regardless of case, white space and punctuation.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{normal::push_folded, stems::Stemmer, words};

/// Letters with their accents, and digits, alone and lower-case. A letter and its accents are characters of their own,
/// however the text has them.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)) {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            // One by one, so that a part of a text is a part of the folded text.
            let decomposed = c.nfkd().filter(|c| c.is_alphanumeric() || is_combining_mark(*c));
            decomposed.for_each(|c| push_folded(c.encode_utf8(&mut [0; 4]), &mut folded));
        }
    }
    folded
}

/// Whether the words of `needle` stand in `haystack`, whatever the case, white space and punctuation. A needle without
/// any letter or digit is never found.
#[must_use]
pub fn contains_quote(haystack: &str, needle: &str) -> bool {
    let needle = fold(needle);
    !needle.is_empty() && fold(haystack).contains(&needle)
}

/// A title in the form that is compared when duplicates are looked for: stems of its words in order, stop words left
/// out; all its words where nothing else is left.
#[must_use]
pub fn normal_title(title: &str) -> String {
    let stemmer = Stemmer::english();
    let tokens = words::tokens(title);
    let stems: Vec<_> =
        tokens.iter().filter(|word| !words::is_stop_word(word)).map(|word| stemmer.stem(word)).collect();
    if stems.is_empty() { tokens.join(" ") } else { stems.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quote_is_found_whatever_its_case_space_and_punctuation() {
        assert!(contains_quote("Well , we 'll GO with rubber .", "we'll go with rubber"));
        assert!(!contains_quote("we will go", "we'll go"));
    }

    #[test]
    fn a_quote_is_found_however_its_letters_are_written() {
        assert!(contains_quote("Wir sind im Cafe\u{301} der Straße.", "im café der STRASSE"));
        assert!(!contains_quote("Es ist schon spät.", "schön"));
    }

    #[test]
    fn nothing_is_not_a_quote() {
        assert!(!contains_quote("anything", " … "));
    }

    #[test]
    fn titles_of_one_sense_compare_equal() {
        assert_eq!(normal_title("Send the reports!"), normal_title("sending report"));
        assert_eq!(normal_title("That is it."), "that is it");
    }

    proptest! {
        #[test]
        fn every_substring_with_a_letter_is_found(text in "\\PC{0,60}", from in 0usize..60, length in 0usize..60) {
            let part: String = text.chars().skip(from).take(length).collect();
            prop_assert_eq!(contains_quote(&text, &part), !fold(&part).is_empty());
        }
    }
}
