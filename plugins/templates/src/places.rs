//! Where names are in a template. The parser says which variables a template uses, but not where.

use std::ops::Range;

/// A word within `{{ … }}` or `{% … %}`, with the fields behind it: `review.text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// The name, then the fields.
    pub(crate) path: Vec<&'a str>,
    /// Where it is, in bytes.
    pub(crate) range: Range<usize>,
    /// What it is by what stands before it.
    pub(crate) role: Role,
    /// Whether it stands in a condition: behind an `if`, in the same tag.
    pub(crate) in_condition: bool,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The first word of `{% … %}`.
    Statement,
    /// Behind `|`.
    Filter,
    /// Behind `is` or `is not`.
    Test,
    /// Behind a dot that follows something else than a name: a field of a call's result.
    Field,
    /// Anything else: a variable, or a word of the language.
    Name,
}

/// The words of a template, in order. Whatever is in comments, raw blocks and string literals is none.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{') {
        at += open;
        let is_statement = match text.as_bytes().get(at + 1) {
            Some(b'{') => false,
            Some(b'%') => true,
            Some(b'#') => {
                at = text[at..].find("#}").map_or(text.len(), |end| at + end + 2);
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        let first = found.len();
        at = words_of_tag(text, at + 2, is_statement, &mut found);
        let is_raw = is_statement && found.get(first).is_some_and(|word| word.path == ["raw"]);
        if is_raw {
            at = end_of_raw(text, at);
        }
    }
    found
}

/// The end of a raw block whose tag ends at `from`.
fn end_of_raw(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(open) = text[at..].find("{%") {
        at += open + 2;
        let inside = text[at..].trim_start_matches(['-', '+']).trim_start();
        if inside.starts_with("endraw") {
            return text[at..].find("%}").map_or(text.len(), |end| at + end + 2);
        }
    }
    text.len()
}

/// Adds the words of a tag that begins at `from`; gives back where it ends.
fn words_of_tag<'a>(text: &'a str, from: usize, is_statement: bool, found: &mut Vec<Word<'a>>) -> usize {
    let bytes = text.as_bytes();
    let close: &[u8] = if is_statement { b"%}" } else { b"}}" };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let (mut at, mut is_first, mut depth) = (from, is_statement, 0_usize);
    let (mut before, mut in_condition): (Option<&str>, bool) = (None, false);
    while at < bytes.len() {
        let byte = bytes[at];
        if depth == 0 && bytes[at..].starts_with(close) {
            return at + 2;
        }
        match byte {
            b'"' | b'\'' => {
                at = end_of_string(bytes, at);
                before = Some("\"");
            }
            b'0'..=b'9' => {
                while at < bytes.len() && (is_name(bytes[at]) || bytes[at] == b'.') {
                    at += 1;
                }
                before = Some("0");
            }
            _ if is_name(byte) => {
                let start = at;
                let mut path = Vec::new();
                loop {
                    let word = at;
                    while at < bytes.len() && is_name(bytes[at]) {
                        at += 1;
                    }
                    path.push(&text[word..at]);
                    let goes_on = bytes.get(at) == Some(&b'.')
                        && bytes.get(at + 1).is_some_and(|next| is_name(*next) && !next.is_ascii_digit());
                    if !goes_on {
                        break;
                    }
                    at += 1;
                }
                let role = match before {
                    _ if is_first => Role::Statement,
                    Some("|") => Role::Filter,
                    Some("is") => Role::Test,
                    Some(".") => Role::Field,
                    _ => Role::Name,
                };
                let negated = before == Some("is") && path == ["not"];
                is_first = false;
                if negated {
                    continue;
                }
                if path == ["is"] {
                    before = Some("is");
                    continue;
                }
                before = (path.len() == 1).then(|| path[0]);
                let is_if = matches!(path.as_slice(), ["if" | "elif"]);
                found.push(Word { path, range: start..at, role, in_condition });
                in_condition |= is_if;
            }
            _ => {
                match byte {
                    b'{' => depth += 1,
                    b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let is_sign = is_first && matches!(byte, b'-' | b'+');
                if !byte.is_ascii_whitespace() && !is_sign {
                    before = Some(&text[at..at + 1]);
                }
                at += 1;
            }
        }
    }
    bytes.len()
}

/// Behind a string literal that begins at `from`.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != bytes[from] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        words(text).iter().map(|word| format!("{:?} {}", word.role, &text[word.range.clone()])).collect()
    }

    #[test]
    fn words_are_found_with_what_they_are() {
        assert_eq!(
            shown("a {{ review.text | trim }}{%- if x is not defined and y['z'].w == 1.5 %}{# {{ no }} #}"),
            [
                "Name review.text",
                "Filter trim",
                "Statement if",
                "Name x",
                "Test defined",
                "Name and",
                "Name y",
                "Field w"
            ]
        );
    }

    #[test]
    fn what_is_raw_and_what_is_quoted_is_no_word() {
        assert_eq!(
            shown("{% raw %}{{ no }}{%- endraw %}{{ \"}} no\" ~ 'it\\'s' ~ {'a': yes} }} { no }"),
            ["Statement raw", "Name yes"]
        );
        assert_eq!(shown("{{ open"), ["Name open"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_words_within_it(text in "[ a-z{}%#|.'\"\\\\é-]{0,60}") {
            for word in words(&text) {
                proptest::prop_assert!(text.get(word.range.clone()).is_some());
            }
        }
    }
}
