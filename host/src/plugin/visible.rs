//! A stranger's words, as a terminal may show them.

use std::{borrow::Cow, fmt::Write as _};

/// The text with whatever cannot be seen, or would move what stands around it, written out: a line stays one line, and
/// colours nothing.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => visible.push_str("\\n"),
            '\r' => visible.push_str("\\r"),
            '\t' => visible.push(' '),
            harmful if is_harmful(harmful) => {
                let _ = write!(visible, "\\u{{{:x}}}", u32::from(harmful));
            }
            shown => visible.push(shown),
        }
    }
    Cow::Owned(visible)
}

/// The same for a text of several lines, which it stays.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    if text.lines().all(|line| matches!(visible(line), Cow::Borrowed(_))) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(visible).collect::<Vec<_>>().join("\n"))
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
        assert_eq!(visible("plain, naïve: 日本語"), "plain, naïve: 日本語");
        assert_eq!(visible("a\n\u{1b}[2Jb\r\u{9b}c\u{202e}d\te"), "a\\n\\u{1b}[2Jb\\r\\u{9b}c\\u{202e}d e");
        assert_eq!(visible_lines("one\n\u{1b}two\n"), "one\n\\u{1b}two\n");
        assert_eq!(visible_lines("one\ntwo"), "one\ntwo");
    }
}
