//! A stranger's words, as a terminal may show them.

use std::{borrow::Cow, fmt::Write as _};

/// The text with whatever cannot be seen, or would move what stands around it, written out: a line stays one line, and
/// colours nothing.
pub(crate) fn escape_untrusted(text: &str) -> Cow<'_, str> {
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

/// The same for a text of several lines, which it stays.
pub(crate) fn escape_untrusted_lines(text: &str) -> Cow<'_, str> {
    if text.lines().all(|line| matches!(escape_untrusted(line), Cow::Borrowed(_))) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(escape_untrusted).collect::<Vec<_>>().join("\n"))
}

fn is_harmful(char: char) -> bool {
    char.is_control() || is_invisible(char)
}

/// Marks that have no shape of their own: they change direction, join, separate or tag.
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
    }
}
