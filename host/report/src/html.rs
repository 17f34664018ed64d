//! A page is written so that text from outside is escaped by construction.
//!
//! Three ways lead into [`Html`]: a `&'static str`, which can only be a literal of this crate; [`write_escaped!`], which
//! escapes each of its arguments; and [`Html::write_json`], for data of a script. A value that is known only at run time cannot get
//! in by the first way.

use std::fmt::{self, Display, Write as _};

use jackfield_loader::escape_untrusted;

/// HTML under construction. Everything but literals of this crate is added by [`write_escaped!`], which escapes it.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds HTML that was written elsewhere.
    pub(super) fn append(&mut self, part: &Self) {
        self.0.push_str(&part.0);
    }

    /// Only for [`write_escaped!`], which makes sure that every argument is escaped.
    pub(super) fn write_escaped_arguments(&mut self, text: fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to a `String` does not fail");
    }

    /// Adds a literal of this crate as it is: markup, a style, a script.
    pub(super) fn write_static(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// Adds a value as JSON, for a script to parse: in an element `<script type="application/json">`, whose text nothing in it can
    /// end. What the script does with texts in it is the script's to get right: it makes text nodes of them, and no markup.
    pub(super) fn write_json(&mut self, value: &impl serde::Serialize) {
        let json = serde_json::to_string(value).expect("a value of this crate has no keys but texts");
        self.0.push_str(&json.replace('<', "\\u003c"));
    }

    /// The length of the text so far, in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Adds a literal to an [`Html`], with the escaped argument in place of each `{}`. A `{name}` in the literal does not compile,
/// because that value would not be escaped.
macro_rules! write_escaped {
    ($out:expr, $format:literal $(, $argument:expr)* $(,)?) => {
        $out.write_escaped_arguments(format_args!(concat!($format) $(, $crate::html::Escaped(&$argument))*))
    };
}
pub(super) use write_escaped;

/// A value that is displayed such that it is plain text both between tags and in a quoted attribute: characters with a
/// meaning in HTML become entities, and control characters are written out.
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
    fn arguments_are_escaped() {
        let mut html = Html::new();
        write_escaped!(html, "<a title='{}'>{}</a>", "' onclick='x", "</script><img onerror=x>&amp;");
        assert_eq!(
            html.into_string(),
            "<a title='&#39; onclick=&#39;x'>&lt;/script&gt;&lt;img onerror=x&gt;&amp;amp;</a>"
        );
    }

    #[test]
    fn data_cannot_end_its_element() {
        let mut html = Html::new();
        let value = serde_json::json!(["</script><!--", "\u{2028}"]);
        html.write_json(&value);
        let json = html.into_string();
        assert!(!json.contains('<'), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON"), value);
    }

    #[test]
    fn characters_that_turn_or_hide_text_are_written_out() {
        let mut html = Html::new();
        write_escaped!(html, "{}", "a\u{202e}b\u{1b}[2Jc\0");
        let text = html.into_string();
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\0']), "{text:?}");
    }
}
