//! How a diagnostic is drawn: as a block of text with the lines that it is about.

use std::{fmt, ops::Range};

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};

use super::{
    diagnostic::Diagnostic,
    source::{SourceId, Sources, Span},
};
use jackfield_loader::{escape_untrusted, escape_untrusted_lines, is_harmful};

/// How diagnostics are drawn.
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

/// The block of one diagnostic, ending in a newline.
pub(crate) fn block(sources: &Sources, diagnostic: &Diagnostic, style: Style) -> String {
    let head = paint(&format!("error[{}]:", diagnostic.code), "1;31", style);
    let mut text = format!("{head} {}\n", escape_untrusted_lines(&diagnostic.message));
    match diagnostic.span {
        None => {}
        // The start of a file represents the whole file: what is missing from it has no span.
        Some(span) if span.end == 0 => {
            text.push_str(&format!("  --> {}\n", escape_untrusted(&sources.get(span.source).name)))
        }
        Some(span) => text.push_str(&snippet(sources, diagnostic, span, style)),
    }
    if !diagnostic.notes.is_empty() || diagnostic.hint.is_some() {
        text.push('\n');
    }
    for note in &diagnostic.notes {
        text.push_str(&format!("{} {}\n", paint("note:", "1", style), escape_untrusted_lines(note)));
    }
    if let Some(hint) = &diagnostic.hint {
        text.push_str(&format!("{} {}\n", paint("hint:", "36", style), escape_untrusted_lines(hint)));
    }
    text
}

fn snippet(sources: &Sources, diagnostic: &Diagnostic, span: Span, style: Style) -> String {
    let config = Config::default()
        .with_color(style.color)
        .with_char_set(if style.unicode { CharSet::Unicode } else { CharSet::Ascii })
        .with_index_type(IndexType::Char);
    let at = characters(sources, span);
    let text = if diagnostic.label.is_empty() { usual_label(diagnostic.code) } else { &diagnostic.label };
    let mut report =
        Report::build(ReportKind::Error, at.clone()).with_config(config).with_label(label(at, text, Color::Red));
    for (span, text) in &diagnostic.related {
        report.add_label(label(characters(sources, *span), text, Color::Cyan));
    }
    let mut bytes = Vec::new();
    // Writing into memory fails only if a source is missing, and a source is never removed.
    let _ = report.finish().write(SourceCache { sources, fetched: Vec::new() }, &mut bytes);
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

/// What is written under a span if the diagnostic has no label: without a text, nothing is underlined.
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

/// The span in characters, cut at the end of its first line: a block shows one line a label.
fn characters(sources: &Sources, span: Span) -> (SourceId, Range<usize>) {
    let text = &sources.get(span.source).text;
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    let end = floor(span.end).max(start);
    let line = &text[start..end];
    let line = line.split(['\n', '\r']).next().unwrap_or_default();
    let first = text[..start].chars().count();
    (span.source, first..first + line.chars().count())
}

/// The text of a file as a terminal may show it: one harmless character for each that would do something, so that the
/// columns of a line stay what they are.
fn harmless(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(char) = chars.next() {
        // Other separators of lines are masked too, so that everyone counts the same lines.
        let harmful = match char {
            '\n' | '\t' => false,
            '\r' => chars.peek() != Some(&'\n'),
            other => is_harmful(other),
        };
        shown.push(if harmful { '?' } else { char });
    }
    shown
}

fn paint(text: &str, ansi: &str, style: Style) -> String {
    if style.color { format!("\u{1b}[{ansi}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Hands the sources to the drawing library.
struct SourceCache<'a> {
    sources: &'a Sources,
    fetched: Vec<(SourceId, Source<String>)>,
}

impl ariadne::Cache<SourceId> for SourceCache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &SourceId) -> Result<&Source<String>, impl fmt::Debug> {
        let position = self.fetched.iter().position(|(fetched, _)| fetched == id).unwrap_or_else(|| {
            self.fetched.push((*id, Source::from(harmless(&self.sources.get(*id).text))));
            self.fetched.len() - 1
        });
        Ok::<_, fmt::Error>(&self.fetched[position].1)
    }

    fn display<'a>(&self, id: &'a SourceId) -> Option<impl fmt::Display + 'a> {
        Some(escape_untrusted(&self.sources.get(*id).name).into_owned())
    }
}
