//! The names with a fixed meaning in every program: primitives, constants and the input.

use super::{CONSTANTS, Constant, Primitive, table::ROWS};

/// What a name says in every program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The input grid, `I`.
    Input,
    /// A primitive.
    Primitive(Primitive),
    /// A constant.
    Constant(Constant),
    /// A word that the language of the reference keeps for itself: no line can have it as its name.
    Keyword,
}

const INPUT: &str = "I";

static KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The hash of the empty name.
pub(crate) const EMPTY: u32 = 0x811c_9dc5;

/// The hash of a name with one more byte: FNV-1a, so that who reads a name has its hash at its end.
pub(crate) const fn hashed(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

/// Where one looks first in a table of so many places, a power of two.
pub(crate) const fn first_slot(hash: u32, slots: usize) -> usize {
    (hash ^ (hash >> 15)) as usize & (slots - 1)
}

/// More than twice as many places as there are words, so that most looks end at the first.
const SLOTS: usize = 512;

/// For each place, nothing (0) or a word: its number and one.
static TABLE: [u8; SLOTS] = table();

/// The words by number: primitives, constants, keywords, the input.
const fn name(number: usize) -> Option<&'static str> {
    let (primitives, constants) = (ROWS.len(), ROWS.len() + CONSTANTS.len());
    if number < primitives {
        Some(ROWS[number].name)
    } else if number < constants {
        Some(CONSTANTS[number - primitives].0)
    } else if number < constants + KEYWORDS.len() {
        Some(KEYWORDS[number - constants])
    } else if number == constants + KEYWORDS.len() {
        Some(INPUT)
    } else {
        None
    }
}

const fn table() -> [u8; SLOTS] {
    let mut table = [0; SLOTS];
    let mut number = 0;
    while let Some(name) = name(number) {
        let (mut hash, mut at) = (EMPTY, 0);
        while at < name.len() {
            hash = hashed(hash, name.as_bytes()[at]);
            at += 1;
        }
        let mut slot = first_slot(hash, SLOTS);
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        number += 1;
        assert!(number <= u8::MAX as usize, "the number of a word is a byte");
        table[slot] = number as u8;
    }
    table
}

/// What a name says in every program, if it does; its hash is that of its bytes, one after the other.
pub(crate) fn word(text: &str, hash: u32) -> Option<Word> {
    let mut slot = first_slot(hash, SLOTS);
    loop {
        let number = usize::from(TABLE[slot]).checked_sub(1)?;
        if name(number) == Some(text) {
            let constant = number.wrapping_sub(ROWS.len());
            return Some(match CONSTANTS.get(constant) {
                _ if number < ROWS.len() => Word::Primitive(Primitive(number as u8)),
                Some((_, value)) => Word::Constant(*value),
                None if text == INPUT => Word::Input,
                None => Word::Keyword,
            });
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// [`word`] for a name of which the hash is not known.
pub(super) fn word_of(text: &str) -> Option<Word> {
    word(text, text.bytes().fold(EMPTY, hashed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_nothing_else() {
        for primitive in Primitive::all() {
            assert_eq!(word_of(primitive.row().name), Some(Word::Primitive(primitive)));
            assert_eq!(word_of(&format!("{}_", primitive.row().name)), None);
        }
        for (name, value) in CONSTANTS {
            assert_eq!(word_of(name), Some(Word::Constant(*value)), "{name}");
        }
        for name in KEYWORDS {
            assert_eq!(word_of(name), Some(Word::Keyword), "{name}");
        }
        assert_eq!(word_of("I"), Some(Word::Input));
        for name in ["", "O", "x1", "x10", "i", "Identity"] {
            assert_eq!(word_of(name), None, "{name}");
        }
    }
}
