//! A text cut into pieces: words with the space before them, numbers of up to three digits, punctuation, white space.
//! No token is part of two pieces.

use regex_automata::{Anchored, Input, meta::Regex};

/// The kinds of pieces, the first that fits is taken. The vocabulary's own list ends with `\s+(?!\S)|\s+`; what that
/// look-ahead does is done by [`Splitter::pieces`], since it would take an engine that is several times slower.
const PIECE: &str = concat!(
    // A word that ends in small letters, such as `Word`, ` word` or `don't`.
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    // A word in capital letters.
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"|\s*[\r\n]+",
    r"|\s+",
);

/// Cuts texts into pieces.
pub(crate) struct Splitter {
    piece: Regex,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self { piece: Regex::new(PIECE).expect("the expression is valid") }
    }

    /// The pieces of a text; together they are the text.
    pub(crate) fn pieces<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let found = self.piece.find(Input::new(rest).anchored(Anchored::Yes))?;
            let mut end = found.end();
            // Of white space before a word, the last character belongs to the word. A piece that ends in white space but
            // not in a line break is nothing but white space.
            if end < rest.len()
                && let Some((last, character)) = rest[..end].char_indices().next_back()
                && last > 0
                && character.is_whitespace()
                && !matches!(character, '\r' | '\n')
            {
                end = last;
            }
            let (piece, after) = rest.split_at(end);
            rest = after;
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        Splitter::new().pieces(text).map(str::to_owned).collect()
    }

    #[test]
    fn a_word_has_the_space_before_it() {
        assert_eq!(
            pieces("She didn't SEE   12345 of\tthem."),
            ["She", " didn't", " SEE", "  ", " ", "123", "45", " of", "\tthem", "."]
        );
    }

    #[test]
    fn white_space_at_the_end_is_one_piece() {
        assert_eq!(pieces("one  \n\n two   "), ["one", "  \n\n", " two", "   "]);
    }

    #[test]
    fn a_text_without_characters_has_no_pieces() {
        assert!(pieces("").is_empty());
    }
}
