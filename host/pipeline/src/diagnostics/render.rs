//! Faults as blocks of text.

use std::{fmt, ops::Range};

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};
use jackfield_loader::{escape_untrusted, escape_untrusted_lines, is_harmful};

use super::{
    fault::Fault,
    source::{SourceId, Sources, Span},
};

/// How faults are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Whether lines may be drawn with box characters; with ASCII otherwise.
    pub unicode: bool,
}

impl Style {
    /// Neither colour nor box characters: for files and pipes.
    pub const PLAIN: Self = Self { color: false, unicode: false };
}

/// The block of one fault, ending in a newline.
pub(crate) fn block(sources: &Sources, fault: &Fault, style: Style) -> String {
    let head = paint(&format!("error[{}]:", fault.code), "1;31", style);
    let mut text = format!("{head} {}\n", escape_untrusted_lines(&fault.message));
    match fault.place {
        None => {}
        // The start of a file stands for the file: what is missing from it is nowhere in it.
        Some(place) if place.end == 0 => {
            text.push_str(&format!("  --> {}\n", escape_untrusted(&sources.get(place.source).name)))
        }
        Some(place) => text.push_str(&snippet(sources, fault, place, style)),
    }
    if !fault.notes.is_empty() || fault.hint.is_some() {
        text.push('\n');
    }
    for note in &fault.notes {
        text.push_str(&format!("{} {}\n", paint("note:", "1", style), escape_untrusted_lines(note)));
    }
    if let Some(hint) = &fault.hint {
        text.push_str(&format!("{} {}\n", paint("hint:", "36", style), escape_untrusted_lines(hint)));
    }
    text
}

fn snippet(sources: &Sources, fault: &Fault, place: Span, style: Style) -> String {
    let config = Config::default()
        .with_color(style.color)
        .with_char_set(if style.unicode { CharSet::Unicode } else { CharSet::Ascii })
        .with_index_type(IndexType::Char);
    let at = characters(sources, place);
    let text = if fault.label.is_empty() { usual_label(fault.code) } else { &fault.label };
    let mut report =
        Report::build(ReportKind::Error, at.clone()).with_config(config).with_label(label(at, text, Color::Red));
    for (place, text) in &fault.related {
        report.add_label(label(characters(sources, *place), text, Color::Cyan));
    }
    let mut bytes = Vec::new();
    // Writing into memory fails only if a source is missing, and a source is never removed.
    let _ = report.finish().write(Cache { sources, fetched: Vec::new() }, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    // The head is written without it: it is coloured even where no colour is wanted.
    let mut lines: Vec<&str> = text.lines().skip(1).map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

fn label(at: (SourceId, Range<usize>), text: &str, color: Color) -> Label<(SourceId, Range<usize>)> {
    Label::new(at).with_color(color).with_message(escape_untrusted(text))
}

/// What stands under a place if the fault says nothing: without a text, nothing is underlined.
fn usual_label(code: &str) -> &'static str {
    match code {
        "unknown-key" => "no such key",
        "unknown-stage" => "no such stage",
        "unknown-field" | "unknown-input" => "no such field",
        "unknown-extension" => "no such extension",
        "unknown-name" => "no such name",
        "missing-key" | "missing-input" => "not complete",
        "wrong-type" | "type-clash" => "of the wrong type",
        "locked" => "not what was locked",
        "signature" => "not signed as it should be",
        "misplaced-key" => "not for this `use`",
        "ambiguous-extension" => "which one?",
        _ => "here",
    }
}

/// The place in characters, cut at the end of its first line: a block shows one line a label.
fn characters(sources: &Sources, place: Span) -> (SourceId, Range<usize>) {
    let text = &sources.get(place.source).text;
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(place.start);
    let end = floor(place.end).max(start);
    let line = &text[start..end];
    let line = line.split(['\n', '\r']).next().unwrap_or_default();
    let first = text[..start].chars().count();
    (place.source, first..first + line.chars().count())
}

/// The text of a file as a terminal may show it: one harmless character for each that would do something, so that the
/// columns of a line stay what they are.
fn clean(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut clean = String::with_capacity(text.len());
    while let Some(char) = chars.next() {
        // Other separators of lines are masked too, so that everyone counts the same lines.
        let harmful = match char {
            '\n' | '\t' => false,
            '\r' => chars.peek() != Some(&'\n'),
            other => is_harmful(other),
        };
        clean.push(if harmful { '?' } else { char });
    }
    clean
}

fn paint(text: &str, ansi: &str, style: Style) -> String {
    if style.color { format!("\u{1b}[{ansi}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Hands the sources to the drawing library.
struct Cache<'a> {
    sources: &'a Sources,
    fetched: Vec<(SourceId, Source<String>)>,
}

impl ariadne::Cache<SourceId> for Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &SourceId) -> Result<&Source<String>, impl fmt::Debug> {
        let position = self.fetched.iter().position(|(fetched, _)| fetched == id).unwrap_or_else(|| {
            self.fetched.push((*id, Source::from(clean(&self.sources.get(*id).text))));
            self.fetched.len() - 1
        });
        Ok::<_, fmt::Error>(&self.fetched[position].1)
    }

    fn display<'a>(&self, id: &'a SourceId) -> Option<impl fmt::Display + 'a> {
        Some(escape_untrusted(&self.sources.get(*id).name).into_owned())
    }
}
