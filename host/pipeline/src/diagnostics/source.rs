//! The texts that a pipeline is made of, and spans in them.

use std::{collections::HashMap, ops::Range};

/// One of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A range of bytes in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Span {
    /// Whether it lies within another one.
    pub(crate) fn is_within(self, outer: Self) -> bool {
        self.source == outer.source && outer.start <= self.start && self.end <= outer.end
    }

    /// The part of this span that `range` names, counted from its start.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        let end = (self.start + range.end).min(self.end);
        Self { start: (self.start + range.start).min(end), end, ..self }
    }
}

/// A value and its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

/// A named text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// How messages call it: the path as given, or the option of the command line.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
}

/// The texts that a pipeline is made of: its file, then one for each override.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<SourceText>);

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.0.push(SourceText { name: name.into(), text: text.into() });
        SourceId((self.0.len() - 1) as u32)
    }

    /// Changes every source. Spans stay valid if every text keeps its length.
    pub(crate) fn change(&mut self, change: impl FnMut(&mut SourceText)) {
        self.0.iter_mut().for_each(change);
    }

    /// The source of this id.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &SourceText {
        &self.0[id.0 as usize]
    }

    /// The text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).text.get(span.start..span.end).unwrap_or_default()
    }

    /// The whole of a source.
    #[must_use]
    pub fn whole(&self, source: SourceId) -> Span {
        Span { source, start: 0, end: self.get(source).text.len() }
    }

    /// Line and column of a span's start, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, span: Span) -> (usize, usize) {
        let text = &self.get(span.source).text;
        let mut at = span.start.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Where the lines of sources begin, found once for many spans.
pub(crate) struct Lines<'a> {
    sources: &'a Sources,
    starts: HashMap<SourceId, Vec<usize>>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self { sources, starts: HashMap::new() }
    }

    /// As [`Sources::position`].
    pub(crate) fn position(&mut self, span: Span) -> (usize, usize) {
        let text = &self.sources.get(span.source).text;
        let starts = self.starts.entry(span.source).or_insert_with(|| {
            let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        });
        let mut at = span.start.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let line = starts.partition_point(|start| *start <= at);
        (line, text[starts[line - 1]..at].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_found_once_are_those_that_are_counted() {
        let mut sources = Sources::default();
        let source = sources.add("a", "äö\r\nx = 1\n\n\u{1f980}y");
        let mut lines = Lines::new(&sources);
        for start in 0..30 {
            let span = Span { source, start, end: start };
            assert_eq!(lines.position(span), sources.position(span), "{start}");
        }
    }

    #[test]
    fn counts_lines_and_characters() {
        let mut sources = Sources::default();
        let source = sources.add("a", "äö\r\nx = 1\n");
        let at = |start| sources.position(Span { source, start, end: start });
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 2));
        assert_eq!(at(3), (1, 2), "in the middle of a character");
        assert_eq!(at(6), (2, 1));
        assert_eq!(at(99), (3, 1));
    }
}
