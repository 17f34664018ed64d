//! Counts the tokens of a text by `o200k`, the vocabulary of OpenAI's newer models, exactly as their tokenizer does.
//!
//! The program that uses this crate grows by one megabyte: the dictionary is stored as a compressed list of tokens, and the
//! table in which tokens are looked up is built when the first text is counted.
//!
//! | module | what for |
//! | --- | --- |
//! | `pieces` | a text cut into pieces; a token is never part of two |
//! | `vocabulary` | the tokens, and the rank of each |
//! | `merging` | a piece cut into tokens |
#![forbid(unsafe_code)]

mod merging;
mod pieces;
mod vocabulary;

use std::sync::LazyLock;

use merging::Merger;
use pieces::Splitter;
use vocabulary::Vocabulary;

/// What is needed to count, built when the first text is counted and kept as long as the program runs.
static TOKENIZER: LazyLock<(Splitter, Vocabulary)> = LazyLock::new(|| (Splitter::new(), Vocabulary::o200k()));

/// How many tokens a text has.
///
/// Names of special tokens, such as `<|endoftext|>`, are counted as the text that they are. The first call of a program
/// takes some tens of milliseconds longer than the others.
///
/// ```
/// assert_eq!(jackfield_tokens::count("Hello, world!"), 4);
/// ```
#[must_use]
pub fn count(text: &str) -> usize {
    let (splitter, vocabulary) = &*TOKENIZER;
    let mut merger = Merger::default();
    splitter
        .pieces(text)
        .map(|piece| {
            let piece = piece.as_bytes();
            // Most pieces are words, and most words are a token.
            if vocabulary.rank(piece).is_some() { 1 } else { merger.count(vocabulary, piece) }
        })
        .sum()
}
