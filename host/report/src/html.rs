//! HTML under construction.

use std::fmt::{self, Display, Write as _};

use jackfield_loader::escape_untrusted;

/// HTML under construction. Everything that is not a literal of this crate comes in by [`put!`] and is escaped.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds what is HTML already.
    pub(super) fn add(&mut self, part: &Self) {
        self.0.push_str(&part.0);
    }

    /// For [`put!`], which alone makes sure that all that comes in is escaped.
    pub(super) fn write(&mut self, text: fmt::Arguments<'_>) {
        // A `String` takes everything.
        let _ = self.0.write_fmt(text);
    }

    /// Adds a text of this crate's own as it is: a style, a script.
    pub(super) fn own(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// How long it is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Adds a literal in which each `{}` stands for an argument, escaped. `{name}` is refused by the compiler: the argument
/// would not be escaped.
macro_rules! put {
    ($out:expr, $format:literal $(, $argument:expr)* $(,)?) => {
        $out.write(format_args!(concat!($format) $(, $crate::html::Escaped(&$argument))*))
    };
}
pub(super) use put;

/// As text or as the value of an attribute in quotes: with nothing left of what HTML means by it, and with control
/// characters written out.
pub(super) struct Escaped<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Display + ?Sized> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in escape_untrusted(&self.0.to_string()).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_is_escaped() {
        let mut html = Html::new();
        put!(html, "<a title='{}'>{}</a>", "' onclick='x", "</script><img onerror=x>&amp;");
        assert_eq!(
            html.into_string(),
            "<a title='&#39; onclick=&#39;x'>&lt;/script&gt;&lt;img onerror=x&gt;&amp;amp;</a>"
        );
    }

    #[test]
    fn characters_that_turn_or_hide_text_are_written_out() {
        let mut html = Html::new();
        put!(html, "{}", "a\u{202e}b\u{1b}[2Jc\0");
        let text = html.into_string();
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\0']), "{text:?}");
    }
}
