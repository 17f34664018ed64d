//! A place in a line, and the names that are read there.

use super::shorten;
use crate::primitives::{
    CONSTANTS, Constant,
    words::{EMPTY, Word, hashed, word},
};

/// A name and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) text: &'a str,
    pub(super) column: u32,
    /// Of the bytes of the text.
    pub(super) hash: u32,
    /// What it says in every program.
    pub(super) word: Option<Word>,
}

impl Name<'_> {
    pub(super) fn is_keyword(&self) -> bool {
        self.word == Some(Word::Keyword)
    }
}

/// For each byte, whether it may be part of a name: letters, digits and `_`.
static IS_PART_OF_NAME: [bool; 256] = {
    let mut is_part = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        is_part[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    is_part
};

/// A place in a line, behind blanks, names and marks alone: all of ASCII.
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Cursor<'a> {
        Cursor { line, at: 0 }
    }

    /// The column of what comes next.
    pub(super) fn column(&self) -> u32 {
        self.at as u32 + 1
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    pub(super) fn next_byte(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next().filter(|char| *char != '#')
    }

    /// Whether this mark comes next.
    pub(super) fn is_at(&self, mark: u8) -> bool {
        self.next_byte() == Some(mark)
    }

    /// Whether only a comment follows, or nothing.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.next_byte(), None | Some(b'#'))
    }

    /// Passes a mark, which comes next.
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    /// Blanks, which are gone then.
    pub(super) fn blanks(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.next_byte(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        &self.line[start..self.at]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.blanks();
    }

    /// The name that comes next, if one does. It stays there.
    pub(super) fn peek_name(&self) -> Option<Name<'a>> {
        let rest = self.rest();
        if rest.as_bytes().first().is_none_or(u8::is_ascii_digit) {
            return None;
        }
        let (mut hash, mut length) = (EMPTY, 0);
        for byte in rest.bytes().take_while(|byte| IS_PART_OF_NAME[usize::from(*byte)]) {
            hash = hashed(hash, byte);
            length += 1;
        }
        let text = &rest[..length];
        (length > 0).then(|| Name { text, column: self.column(), hash, word: word(text, hash) })
    }

    /// Passes a name, which comes next.
    pub(super) fn pass(&mut self, name: Name<'a>) {
        self.at += name.text.len();
    }

    /// The name that comes next, after blanks.
    pub(super) fn name(&mut self) -> Option<Name<'a>> {
        self.skip_blanks();
        let name = self.peek_name()?;
        self.pass(name);
        Some(name)
    }

    /// Passes a mark, after blanks.
    pub(super) fn expect(&mut self, wanted: u8, what: &str) -> Result<(), (u32, String)> {
        self.skip_blanks();
        if !self.is_at(wanted) {
            return Err(self.expected(what));
        }
        self.step();
        Ok(())
    }

    /// Nothing but a comment follows.
    pub(super) fn end(&mut self, what: &str) -> Result<(), (u32, String)> {
        self.skip_blanks();
        if self.at_end() {
            return Ok(());
        }
        let found = self.found();
        Err((self.column(), format!("nothing follows {what} on its line, and {found} does: remove it")))
    }

    pub(super) fn expected(&mut self, what: &str) -> (u32, String) {
        self.skip_blanks();
        (self.column(), format!("expected {what}, found {}", self.found()))
    }

    /// What to say where a name should stand.
    pub(super) fn not_a_name(&mut self, rule: &str) -> (u32, String) {
        self.skip_blanks();
        let message = match self.peek() {
            Some('\'' | '"') => format!("{rule}: there are no strings"),
            Some('0'..='9' | '-') => {
                let rest = self.rest();
                let end = rest[1..].bytes().position(|byte| !byte.is_ascii_digit()).map_or(rest.len(), |end| end + 1);
                let number = rest[..end].parse::<i64>().ok();
                let named = number.and_then(|number| {
                    let named = CONSTANTS.iter().rev().find(|(_, value)| *value == Constant::Integer(number));
                    named.map(|(name, _)| (number, name))
                });
                match named {
                    Some((number, name)) => format!("{rule}, not a number: write `{name}` for {number}"),
                    None => format!("{rule}, not a number: integers have the names `NEG_TWO` to `TEN`"),
                }
            }
            Some('(' | '[' | '{') => {
                format!("{rule}: there are no tuples, lists or sets to write; `astuple(a, b)` makes a pair")
            }
            _ => format!("{rule}, found {}", self.found()),
        };
        (self.column(), message)
    }

    /// What comes next, as a message shows it.
    pub(super) fn found(&self) -> String {
        match self.peek_name() {
            Some(name) => format!("`{}`", shorten(name.text)),
            None => match self.peek() {
                Some(char) => format!("`{}`", char.escape_debug()),
                None => "the end of the line".to_owned(),
            },
        }
    }
}
