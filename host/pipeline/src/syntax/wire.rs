//! The language of wires: `stage.field[0].items[*].title`.
//!
//! ```text
//! wire   = source step*
//! source = name                        (`input`, `each`, `all`, or a stage)
//! step   = "." name | "." quoted       a field
//!        | "[" quoted "]"              a field
//!        | "[" digits "]"              an element
//!        | "[*]"                       every element; what follows applies to each
//! name   = letters, digits, "-", "_"
//! quoted = a JSON string
//! ```

use std::{fmt, ops::Range};

use crate::{
    diagnostics::{Sources, Span, suggest},
    keys::RESERVED_STAGES,
    step::{Step, is_plain},
};

/// A wire as it is written: its source is not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireText {
    /// `input`, `each`, `all`, or the name of a stage.
    pub(crate) source: String,
    /// The path into it.
    pub(crate) path: Vec<Step>,
    /// The range of each step in the text; the source is before the first.
    pub(crate) step_ranges: Vec<Range<usize>>,
}

impl WireText {
    /// Whether it reads the values of all items: `all.STAGE` or `all.input`, and the way into each.
    pub(crate) fn is_over_all(&self) -> bool {
        self.source == "all"
    }

    /// The way from what it reads of one item to the value.
    pub(crate) fn path_of_value(&self) -> &[Step] {
        if self.is_over_all() { self.path.get(1..).unwrap_or_default() } else { &self.path }
    }

    /// The range of the source in the text.
    pub(crate) fn source_range(&self) -> Range<usize> {
        0..self.source.len()
    }
}

impl fmt::Display for WireText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.path.iter().try_for_each(|step| step.fmt(f))
    }
}

/// Why a text is not a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireError {
    /// What is wrong.
    pub(crate) message: String,
    /// Where in the text.
    pub(crate) at: Range<usize>,
    /// What is there, or is expected there.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

/// The most steps of a wire: JSON that is nested deeper is not read anywhere.
const MOST_STEPS: usize = 128;

/// Reads a wire.
///
/// # Errors
/// If the text is not of the language; the error says where.
pub(crate) fn parse(text: &str) -> Result<WireText, WireError> {
    let mut reader = Reader { text, at: 0 };
    if text.is_empty() {
        return Err(reader.error("it is empty", "", None));
    }
    let source = reader
        .name()
        .ok_or_else(|| reader.error("it does not start with a name", "expected `input`, `each` or a stage", None))?;
    let mut wire = WireText { source: source.to_owned(), path: Vec::new(), step_ranges: Vec::new() };
    while let Some(next) = reader.peek() {
        let start = reader.at;
        if wire.path.len() == MOST_STEPS {
            return Err(reader.error(&format!("it has more than {MOST_STEPS} steps"), "", None));
        }
        let step = match next {
            '.' => {
                reader.at += 1;
                reader.field()?
            }
            '[' => {
                reader.at += 1;
                reader.bracket()?
            }
            other if other.is_whitespace() => return Err(reader.error("it has white space in it", "", None)),
            other => {
                let label = format!("expected `.` or `[`, found `{}`", other.escape_default());
                return Err(reader.error("a step starts with `.` or `[`", &label, None));
            }
        };
        wire.path.push(step);
        wire.step_ranges.push(start..reader.at);
    }
    Ok(wire)
}

/// Takes a wire apart, for those who take wires from elsewhere than a pipeline file: its source and the path into it.
///
/// # Errors
/// What is wrong with the text, and what to do about it if that is known.
pub fn source_and_path(text: &str) -> Result<(String, Vec<Step>), (String, Option<String>)> {
    match parse(text) {
        Ok(wire) => Ok((wire.source, wire.path)),
        Err(error) => Err((error.message, error.hint)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// An error at the character that comes next.
    fn error(&self, message: &str, label: &str, hint: Option<String>) -> WireError {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        WireError { message: message.to_owned(), at: self.at..end, label: label.to_owned(), hint }
    }

    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.find(|char| !is_plain(char)).unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// What follows a `.`.
    fn field(&mut self) -> Result<Step, WireError> {
        if self.peek() == Some('"') {
            return self.quoted().map(Step::Field);
        }
        if self.peek() == Some('*') {
            return Err(self.error("`*` belongs in brackets", "", Some("write `[*]` for every element".to_owned())));
        }
        match self.name() {
            Some(name) => Ok(Step::Field(name.to_owned())),
            None => Err(self.error("a `.` is not followed by a field", "expected the name of a field", None)),
        }
    }

    /// What follows a `[`.
    fn bracket(&mut self) -> Result<Step, WireError> {
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::All
            }
            Some('"') => Step::Field(self.quoted()?),
            Some(digit) if digit.is_ascii_digit() => {
                let rest = self.rest();
                let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
                let Ok(index) = rest[..end].parse() else {
                    let at = self.at..self.at + end;
                    let message = "the index is too large".to_owned();
                    return Err(WireError { message, at, label: String::new(), hint: None });
                };
                self.at += end;
                Step::Index(index)
            }
            Some('-') => {
                return Err(self.error("an index counts from the start", "expected a whole number", None));
            }
            _ => {
                let rest = self.rest();
                let end = rest.find(|char| !is_plain(char)).unwrap_or(rest.len());
                let hint = (end > 0).then(|| format!("a field is written `.{}`", &rest[..end]));
                let label = "expected a number, `*` or a field in double quotes";
                let error = self.error("the brackets hold neither an index nor `*`", label, hint);
                let at = error.at.start..error.at.end.max(self.at + end);
                return Err(WireError { at, ..error });
            }
        };
        if self.peek() != Some(']') {
            return Err(self.error("a `[` is not closed", "expected `]`", None));
        }
        self.at += 1;
        Ok(step)
    }

    /// A JSON string.
    fn quoted(&mut self) -> Result<String, WireError> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, char)| {
            let ends = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else {
            return Err(self.error("a quoted field is not closed", "it starts here", None));
        };
        let quoted = &self.rest()[..=end];
        match serde_json::from_str(quoted) {
            Ok(name) => {
                self.at += quoted.len();
                Ok(name)
            }
            Err(_) => {
                let at = self.at..self.at + quoted.len();
                let message = "a quoted field is written as in JSON".to_owned();
                Err(WireError { message, at, label: String::new(), hint: None })
            }
        }
    }
}

/// The span of a part of a wire's text in the TOML string that contains it; the whole string if it has escapes.
pub(crate) fn span_within(sources: &Sources, string: Span, text: &str, part: Range<usize>) -> Span {
    let raw = sources.text(string);
    match raw.find(text) {
        Some(at) if !text.is_empty() => {
            // The end of the text is shown under the closing quote.
            let end = if part.is_empty() { part.end + 1 } else { part.end };
            string.part(at + part.start..at + end)
        }
        _ => string,
    }
}

/// A hint for a source that is neither a stage nor a word of the language.
pub(crate) fn source_hint<'a>(name: &str, stages: impl Iterator<Item = &'a str>) -> Option<String> {
    suggest::hint_for(name, "known stages", stages.chain(RESERVED_STAGES.iter().map(|(name, _)| *name)))
}

/// A hint for a name after `all` that is neither a stage nor `input`.
pub(crate) fn column_hint<'a>(name: &str, stages: impl Iterator<Item = &'a str>) -> Option<String> {
    suggest::hint_for(name, "known stages", stages.chain(["input"]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_have_an_end() {
        let wire = |steps: usize| format!("a{}", "[0]".repeat(steps));
        assert_eq!(parse(&wire(MOST_STEPS)).map(|wire| wire.path.len()), Ok(MOST_STEPS));
        for steps in [MOST_STEPS + 1, 100_000] {
            let error = parse(&wire(steps)).expect_err("too many");
            assert_eq!((error.message.as_str(), error.at.start), ("it has more than 128 steps", 1 + 3 * MOST_STEPS));
        }
    }

    #[test]
    fn reads_every_step() {
        let wire = parse("a-b.c_1[0].\"odd name\"[\"x\\\"y\"][*].título").unwrap();
        assert_eq!(wire.source, "a-b");
        let field = |name: &str| Step::Field(name.to_owned());
        let path = [field("c_1"), Step::Index(0), field("odd name"), field("x\"y"), Step::All, field("título")];
        assert_eq!(wire.path, path);
        assert_eq!(&"a-b.c_1[0]"[wire.step_ranges[1].clone()], "[0]");
    }

    #[test]
    fn points_at_what_is_wrong() {
        let cases = [
            ("", 0..0),
            (".a", 0..1),
            ("a.", 2..2),
            ("a..b", 2..3),
            ("a[", 2..2),
            ("a[1", 3..3),
            ("a[b]", 2..3),
            ("a[-1]", 2..3),
            ("a.*", 2..3),
            ("a b", 1..2),
            ("a[\"b", 2..3),
            ("a[\"\\q\"]", 2..6),
            ("a/b", 1..2),
            ("a[99999999999999999999999]", 2..25),
        ];
        for (text, at) in cases {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<String>().prop_map(Step::Field),
            "[a-z_-]{1,8}".prop_map(Step::Field),
            any::<usize>().prop_map(Step::Index),
            Just(Step::All)
        ]
    }

    proptest! {
        #[test]
        fn displays_what_it_reads(source in "[a-z][a-z0-9_-]{0,8}", path in prop::collection::vec(step(), 0..6)) {
            let wire = WireText { source, path, step_ranges: Vec::new() };
            let read = parse(&wire.to_string()).unwrap();
            prop_assert_eq!(&read.source, &wire.source);
            prop_assert_eq!(&read.path, &wire.path);
        }

        #[test]
        fn never_panics(text in any::<String>(), soup in "[a.\\[\\]*\"\\\\0é-]{0,12}") {
            for text in [text, soup] {
                match parse(&text) {
                    Ok(wire) => prop_assert_eq!(parse(&wire.to_string()).unwrap().path, wire.path),
                    Err(error) => prop_assert!(text.get(error.at).is_some()),
                }
            }
        }
    }
}
