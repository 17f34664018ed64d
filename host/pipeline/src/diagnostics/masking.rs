//! Diagnostics without secrets: a diagnostic shows the line that it is about, and that line may hold a key.
//!
//! The text is read as TOML is written, but without asking that it be TOML: a line that breaks the syntax is shown too.

use std::ops::Range;

use super::{diagnostic::Diagnostic, source::Sources};
use jackfield_loader::{holds_secrets, is_secret_name, is_variable_name, mask_secrets, secret_ranges};

/// Masks what is or may be a secret, in the texts and in the diagnostics about them. Spans stay valid.
pub(crate) fn mask(sources: &mut Sources, diagnostics: &mut [Diagnostic]) {
    let mut values: Vec<String> = Vec::new();
    sources.change(|source| {
        let mut ranges = secret_values(&source.text);
        // As it is written in the text, and without its escapes.
        for range in &ranges {
            let raw = &source.text[range.clone()];
            values.push(raw.to_owned());
            if raw.contains('\\') {
                values.extend(unescaped(raw));
            }
        }
        ranges.extend(secret_ranges(&source.text));
        source.text = masked(&source.text, &ranges);
    });
    // The longest first: one may be a part of another.
    values.retain(|value| !value.trim().is_empty());
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
    let clean = |text: &mut String| {
        for value in &values {
            if value.chars().count() < SHORTEST {
                // A text this short is part of many words.
                *text = text.replace(&format!("`{value}`"), "`********`");
            } else if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), "********");
            }
        }
        *text = mask_secrets(text).into_owned();
    };
    sources.change(|source| clean(&mut source.name));
    for diagnostic in diagnostics {
        clean(&mut diagnostic.message);
        clean(&mut diagnostic.label);
        diagnostic.related.iter_mut().for_each(|(_, label)| clean(label));
        diagnostic.notes.iter_mut().for_each(clean);
        diagnostic.hint.iter_mut().for_each(clean);
    }
}

/// A secret that is shorter is looked for between backticks only.
const SHORTEST: usize = 4;

fn unescaped(raw: &str) -> Option<String> {
    let quoted = format!("\"{raw}\"");
    let (value, errors) = toml::de::DeValue::parse_recoverable(&quoted);
    let text = errors.is_empty().then(|| value.get_ref().as_str().map(str::to_owned));
    text.flatten()
}

/// The text with `*` for each character of the ranges: as many bytes and characters as before, so that spans stay valid.
fn masked(text: &str, ranges: &[Range<usize>]) -> String {
    let is_in = |at: usize| ranges.iter().any(|range| range.contains(&at));
    let cover = |(at, char): (usize, char)| match char.len_utf8() {
        _ if char == '\n' || char == '\r' || !is_in(at) => char,
        1 => '*',
        2 => '·',
        3 => '•',
        _ => '🞄',
    };
    text.char_indices().map(cover).collect()
}

/// The ranges of values whose keys say that they are or may be secrets.
fn secret_values(text: &str) -> Vec<Range<usize>> {
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::new(),
        section: false,
        expects: None,
        has_sign: false,
        line: true,
        ranges: Vec::new(),
    };
    while scan.at < text.len() {
        scan.step();
    }
    scan.ranges
}

/// What a key says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// It is or may be a secret.
    Secret,
    /// It is the name of the variable that holds one, and a secret if it is not such a name.
    Variable,
    /// It is some key: one to sort by, or one that gives access. The latter does not look like a word.
    Key,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// For each open bracket, whether all inside is secret.
    open: Vec<bool>,
    /// Whether all in the table is secret: `[model.writer.with.headers]`.
    section: bool,
    /// What the last key says of its value.
    expects: Option<Expected>,
    /// Whether the sign between the key and its value has come.
    has_sign: bool,
    /// Whether nothing but white space has come in this line.
    line: bool,
    ranges: Vec<Range<usize>>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_secret_here(&self) -> bool {
        self.open.last().copied().unwrap_or(self.section)
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(char) = rest.chars().next() else { return };
        let begins_line = self.line;
        self.line = begins_line && char.is_whitespace();
        match char {
            '\n' => {
                self.next_value();
                self.line = true;
            }
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '[' if begins_line && self.open.is_empty() => {
                let end = rest.find('\n').unwrap_or(rest.len());
                let name = rest[..end].split(']').next().unwrap_or_default().trim_start_matches('[');
                self.section = name.split('.').any(|part| holds_secrets(part.trim().trim_matches(['"', '\''])));
                self.at += rest[..end].find(']').map_or(end, |close| close + 1);
            }
            '{' | '[' => {
                let within = matches!(self.expects, Some(Expected::Secret | Expected::Variable));
                self.open.push(self.is_secret_here() || within);
                self.next_value();
            }
            '}' | ']' => {
                self.open.pop();
                self.next_value();
            }
            ',' => self.next_value(),
            '"' | '\'' => self.quoted(char),
            // A YAML writer's `:` is read as what it was meant for.
            '=' | ':' => {
                self.has_sign = true;
                self.at += 1;
            }
            '.' => self.at += 1,
            blank if blank.is_whitespace() => self.at += blank.len_utf8(),
            _ => self.bare(),
        }
    }

    /// Passes the character that ends a value.
    fn next_value(&mut self) {
        (self.expects, self.has_sign) = (None, false);
        self.at += 1;
    }

    fn quoted(&mut self, quote: char) {
        let rest = self.rest();
        let triple = [quote; 3].iter().collect::<String>();
        let (open, close) = if rest.starts_with(&triple) { (3, triple) } else { (1, quote.to_string()) };
        let inner = &rest[open..];
        let (mut end, mut escaped) = (None, false);
        for (at, char) in inner.char_indices() {
            if !escaped && inner[at..].starts_with(&close) || open == 1 && char == '\n' {
                end = Some(at);
                break;
            }
            escaped = quote == '"' && char == '\\' && !escaped;
        }
        let end = end.unwrap_or(inner.len());
        let start = self.at + open;
        let is_closed = inner[end..].starts_with(&close);
        self.at = start + end + if is_closed { close.len() } else { 0 };
        self.word(start..start + end, true);
    }

    fn bare(&mut self) {
        let rest = self.rest();
        let may_be_secret = self.expects.is_some() || self.is_secret_here();
        let is_value = may_be_secret && (self.has_sign || !is_key(rest));
        // In a value of the command line, which is bare, a comma is a character like others.
        let ends = |char: char| match char {
            '\n' => true,
            ',' | '}' | ']' => !is_value || !self.open.is_empty(),
            '#' => !is_value,
            other => !(is_value || other.is_alphanumeric() || "_-".contains(other)),
        };
        let end = rest.find(ends).unwrap_or(rest.len());
        let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        let start = self.at;
        self.at += end;
        let word = rest[..end].trim_end();
        self.word(start..start + word.len(), false);
    }

    /// A key, or a value.
    fn word(&mut self, range: Range<usize>, is_quoted: bool) {
        let word = &self.text[range.clone()];
        let next = self.rest().trim_start_matches([' ', '\t']);
        if !self.has_sign && next.starts_with(['=', '.', ':']) {
            // Of `headers.accept`, the first part counts.
            if self.expects != Some(Expected::Secret) {
                self.expects = expected(word);
            }
            return;
        }
        let is_secret = match self.expects {
            Some(Expected::Secret) => true,
            Some(Expected::Variable) => !is_variable_name(word),
            Some(Expected::Key) => self.is_secret_here() || !is_word(word),
            None => self.is_secret_here(),
        };
        if is_secret && !range.is_empty() {
            self.ranges.push(range);
        } else if let Some(login) = login(word).filter(|_| is_quoted && self.has_sign) {
            self.ranges.push(range.start + login.start..range.start + login.end);
        } else if !is_quoted && self.expects.is_none() {
            // The sign between a key and its value may be what is missing.
            self.expects = expected(word);
        }
    }
}

fn expected(key: &str) -> Option<Expected> {
    if holds_secrets(key) {
        return Some(Expected::Secret);
    }
    if let Some(stem) = key.strip_suffix("_env").or_else(|| key.strip_suffix("-env")) {
        return is_secret_name(stem).then_some(Expected::Variable);
    }
    let last = key.rsplit(['_', '-']).next().unwrap_or_default();
    last.eq_ignore_ascii_case("key").then_some(Expected::Key)
}

/// Whether a key may well be the name of something: words, or the name of a variable.
fn is_word(text: &str) -> bool {
    let is_plain = |char: char| char.is_alphabetic() || "_-.".contains(char);
    is_variable_name(text) || text.chars().count() <= 32 && text.chars().all(is_plain)
}

/// The range of the user and the password of an address that is the whole value: they may have spaces and quotes in them.
fn login(value: &str) -> Option<Range<usize>> {
    let start = value.find("://")? + 3;
    let is_scheme = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    let end = start + value[start..].rfind('@')?;
    (value[..start - 3].chars().all(is_scheme) && value[start..end].contains(':')).then_some(start..end)
}

/// Whether a bare word is a key: a sign of that follows.
fn is_key(rest: &str) -> bool {
    let end = rest.find(|char: char| !(char.is_alphanumeric() || "_-".contains(char))).unwrap_or(rest.len());
    rest[end..].trim_start_matches([' ', '\t']).starts_with(['=', '.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_secrets(text: &str) -> String {
        let ranges = secret_values(text);
        let masked = masked(text, &ranges);
        assert_eq!((masked.len(), masked.chars().count()), (text.len(), text.chars().count()));
        masked
    }

    #[test]
    fn values_of_secret_keys_are_covered_however_they_are_written() {
        for (text, shown) in [
            ("api_key = \"abc\" # why", "api_key = \"***\" # why"),
            ("with = { name = \"x\", api_key = 'a,b', n = 1 }", "with = { name = \"x\", api_key = '***', n = 1 }"),
            ("[a.headers]\nx = \"1\"\n[b]\nx = \"1\"", "[a.headers]\nx = \"*\"\n[b]\nx = \"1\""),
            ("headers = { \"A-b\" = \"q\", c = 'r' }\nd = 's'", "headers = { \"A-b\" = \"*\", c = '*' }\nd = 's'"),
            ("with.headers.accept = \"x\"\nb = 2", "with.headers.accept = \"*\"\nb = 2"),
            ("tokens = 5\nmax_tokens = 7", "tokens = 5\nmax_tokens = 7"),
            ("password = [\n  \"a\", # one\n  'b']\nc = 1", "password = [\n  \"*\", # one\n  '*']\nc = 1"),
            ("secret = \"\"\"a\nb\"c\"\"\"\nx = 'y'", "secret = \"\"\"*\n***\"\"\"\nx = 'y'"),
            ("token = \"é日🎵\\\"x\"", "token = \"·•🞄***\""),
            // The name of a variable is not a secret; a key that is written instead of the name is one.
            ("api_key_env = \"WRITER_KEY\"", "api_key_env = \"WRITER_KEY\""),
            ("api_key_env = \"a8f3-99\"", "api_key_env = \"*******\""),
            ("a = { api_key_env = [\"a8\"], b = 'c' }", "a = { api_key_env = [\"**\"], b = 'c' }"),
            // Any key may give access if it does not look like a word.
            ("openai_key = 'a8-b'\nkey = \"c9\"\nb = 2", "openai_key = '****'\nkey = \"**\"\nb = 2"),
            ("key = \"domain.label\"\nsort_key = 'alpha'", "key = \"domain.label\"\nsort_key = 'alpha'"),
            ("header = { x = 'y' }\nhaeders.a = 'b'", "header = { x = '*' }\nhaeders.a = '*'"),
            ("readers = ['Ann']", "readers = ['Ann']"),
            ("url = \"redis://me:a b'c@h:1/0\"", "url = \"redis://********@h:1/0\""),
            ("text = 'http://h/x of me@h.example'", "text = 'http://h/x of me@h.example'"),
            // This is not TOML.
            ("api_key \"abc\"\nb = 1", "api_key \"***\"\nb = 1"),
            ("api_key: abc def", "api_key: *******"),
            ("api_key = \"abc\nb = 1", "api_key = \"***\nb = 1"),
            ("password = a b\nc = 1", "password = ***\nc = 1"),
            ("api_key =", "api_key ="),
            // As on the command line.
            ("model.w.with.api_key=a,b=c", "model.w.with.api_key=*****"),
            ("m:={with={token='a'}}", "m:={with={token='*'}}"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn a_diagnostic_does_not_repeat_a_secret() {
        let mut sources = Sources::default();
        let text = "password = \"hun\\tter2\"\ntoken = \"x\"\nurl = \"redis://me:other@h\"";
        let source = sources.add("--set with.token:hun\\tter2", text);
        let mut diagnostics = [Diagnostic::at("x", sources.whole(source), "`hun\tter2` and `x` of example")
            .label("hun\\tter2")
            .related(sources.whole(source), "hun\tter2")
            .note("redis://me:other@h")
            .hint("not hun\tter2".to_owned())];
        mask(&mut sources, &mut diagnostics);
        let shown = format!("{diagnostics:?} {sources:?}");
        assert!(!shown.contains("hun") && !shown.contains("other"), "{shown}");
        assert_eq!(diagnostics[0].message, "`********` and `********` of example");
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_its_lengths(text in "[a-z_=\\[\\]{}.,:#'\"\\\\ \n日é]{0,60}", key in "(api_key|password|headers)?") {
            without_secrets(&format!("{key}{text}"));
            without_secrets(&format!("{text}{key}={text}"));
        }
    }
}
