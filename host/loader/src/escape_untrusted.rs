//! Escapes text from plugins, models and files, so that it can be shown in a terminal.

use std::{borrow::Cow, fmt::Write as _};

/// Escapes all characters that are invisible or that would move the text around them. The result is one line and has no
/// colours.
pub fn escape_untrusted(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push(' '),
            harmful if is_harmful(harmful) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(harmful));
            }
            harmless => shown.push(harmless),
        }
    }
    Cow::Owned(shown)
}

/// As [`escape_untrusted`], but keeps line breaks.
pub fn escape_untrusted_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|char| char != '\n' && is_harmful(char)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(escape_untrusted).collect::<Vec<_>>().join("\n"))
}

/// As [`escape_untrusted_lines`], but keeps the sequences that set colours and weight.
pub fn escape_untrusted_but_style(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|char| char != '\n' && is_harmful(char)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        let parameters = &rest[start + 2..];
        let end = parameters.find(|char: char| !char.is_ascii_digit() && char != ';').unwrap_or(parameters.len());
        shown.push_str(&escape_untrusted_lines(&rest[..start]));
        if parameters[end..].starts_with('m') {
            shown.push_str(&rest[start..start + 2 + end + 1]);
            rest = &parameters[end + 1..];
        } else {
            shown.push_str(&escape_untrusted("\u{1b}"));
            rest = &rest[start + 1..];
        }
    }
    shown.push_str(&escape_untrusted_lines(rest));
    Cow::Owned(shown)
}

/// As [`escape_untrusted_lines`], for a JSON text, whose data stays the same: such characters are in its strings only, where they
/// can be written as `\u` and four digits.
pub fn escape_untrusted_json(text: &str) -> Cow<'_, str> {
    let harmful = |char: char| char != '\n' && is_harmful(char);
    if !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if harmful(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal would not show the character, but act on it or hide it.
pub fn is_harmful(char: char) -> bool {
    char.is_control() || is_invisible(char)
}

/// Whether a character has no shape of its own: such characters change the direction, join, separate or tag.
pub(super) fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(escape_untrusted("plain, naïve: 日本語"), "plain, naïve: 日本語");
        assert_eq!(escape_untrusted("a\n\u{1b}[2Jb\r\u{9b}c\u{202e}d\te"), "a\\n\\u{1b}[2Jb\\r\\u{9b}c\\u{202e}d e");
        assert_eq!(escape_untrusted_lines("one\n\u{1b}two\n"), "one\n\\u{1b}two\n");
        assert_eq!(escape_untrusted_lines("one\ntwo"), "one\ntwo");
        assert_eq!(escape_untrusted_lines("one\r\ntwo"), "one\\r\ntwo");
    }

    #[test]
    fn of_a_coloured_text_only_the_colours_pass() {
        let drawn = "\u{1b}[1;31merror\u{1b}[0m\n\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[38;5;9mx";
        let shown = "\u{1b}[1;31merror\u{1b}[0m\n\\u{1b}[2J\\u{1b}]0;title\\u{7}\u{1b}[38;5;9mx";
        assert_eq!(escape_untrusted_but_style(drawn), shown);
        assert_eq!(escape_untrusted_but_style("\u{1b}[\u{1b}[1\u{1b}["), "\\u{1b}[\\u{1b}[1\\u{1b}[");
    }

    #[test]
    fn json_shows_nothing_harmful_and_says_the_same() {
        let value = serde_json::json!({ "a\u{9b}": "\u{7f}\u{202e}\u{e0041}\u{1b}\n\t", "b": ["\u{2028}", "naïve"] });
        let text = serde_json::to_string_pretty(&value).expect("JSON");
        let shown = escape_untrusted_json(&text);
        assert!(!shown.chars().any(|char| char != '\n' && is_harmful(char)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }
}
