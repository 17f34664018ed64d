//! Marks at the head of a line that nobody says: bullets, numbers, quotation signs, `>>`, emphasis of Markdown.

/// Signs that begin an item of a list, if a space follows.
const BULLETS: [char; 14] = ['*', '-', '–', '—', '•', '‣', '◦', '▪', '●', '·', '+', '»', '►', '→'];
/// Signs of emphasis in Markdown, the longest first.
const EMPHASIS: [&str; 5] = ["***", "**", "__", "*", "_"];
/// How many marks are taken off one line.
const MOST_MARKS: usize = 6;

/// A line without the marks at its head.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Unmarked<'a> {
    pub(crate) rest: &'a str,
    /// The sign of emphasis that was opened, and has to be closed; empty if there is none.
    pub(crate) emphasis: &'static str,
    /// Whether there was a `>>`, with which captions mark a change of speakers.
    pub(crate) changes_speaker: bool,
}

/// Takes the marks off a line.
pub(crate) fn strip(line: &str) -> Unmarked<'_> {
    let mut found = Unmarked { rest: line.trim_start(), ..Unmarked::default() };
    for _ in 0..MOST_MARKS {
        let rest = if let Some(rest) = chevrons(found.rest) {
            found.changes_speaker = true;
            rest
        } else if let Some(rest) = bullet(found.rest).or_else(|| number(found.rest)).or_else(|| heading(found.rest)) {
            rest
        } else {
            break;
        };
        found.rest = rest.trim_start();
    }
    let opened = EMPHASIS.iter().find(|sign| {
        found
            .rest
            .strip_prefix(**sign)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || is_opening(c)))
    });
    if let Some(sign) = opened {
        found.rest = &found.rest[sign.len()..];
        found.emphasis = sign;
    }
    found
}

/// `>>` and `>>>`, as themselves or as character references.
pub(crate) fn chevrons(text: &str) -> Option<&str> {
    let rest = [">>>", ">>", "&gt;&gt;&gt;", "&gt;&gt;"].iter().find_map(|sign| text.strip_prefix(sign))?;
    Some(rest.trim_start()).filter(|rest| !rest.starts_with(['>', '=']))
}

/// The line after a dash that marks a change of speakers inside of a cue: `- Yes.`, `-Yes.`.
pub(crate) fn dash(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '–', '—', '‐', '‑'])?;
    let begins_speech =
        |c: char| c.is_alphabetic() && !c.is_lowercase() || is_opening(c) || matches!(c, '¿' | '¡' | '…');
    (rest.starts_with(char::is_whitespace) || rest.starts_with(begins_speech)).then(|| rest.trim_start())
}

fn is_opening(c: char) -> bool {
    matches!(c, '[' | '(' | '"' | '“' | '«' | '「' | '\'' | '‘' | '<')
}

fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(BULLETS)?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

/// `1. `, `12) `.
fn number(text: &str) -> Option<&str> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).filter(|end| (1..=3).contains(end))?;
    let rest = text[end..].strip_prefix(['.', ')'])?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

/// `## ` of a heading, `> ` of a quotation.
fn heading(text: &str) -> Option<&str> {
    let rest =
        text.strip_prefix('>').or_else(|| Some(text.trim_start_matches('#')).filter(|rest| rest.len() < text.len()))?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off() {
        for line in
            ["* Ann: x", "- Ann: x", "• Ann: x", "1. Ann: x", "12) Ann: x", "## Ann: x", "> Ann: x", "- > 3. Ann: x"]
        {
            assert_eq!(strip(line), Unmarked { rest: "Ann: x", ..Unmarked::default() }, "{line}");
        }
        for line in [">> Ann: x", ">>> Ann: x", ">>Ann: x", "&gt;&gt; Ann: x", "- >> Ann: x"] {
            assert!(strip(line).changes_speaker && strip(line).rest == "Ann: x", "{line}");
        }
        assert_eq!(strip("**Ann:** x"), Unmarked { rest: "Ann:** x", emphasis: "**", changes_speaker: false });
        assert_eq!(strip("* *Ann:* x").emphasis, "*");
    }

    #[test]
    fn what_is_said_keeps_its_signs() {
        for line in ["-5 degrees", "*", "1.5 million", "#1 is best", "***", "2026. x"] {
            assert_eq!(strip(line).rest, line);
        }
        assert_eq!(dash("-Yes."), Some("Yes."));
        assert_eq!(dash("- yes."), Some("yes."));
        assert_eq!(dash("-5 degrees"), None);
        assert_eq!(dash("-ish"), None);
    }
}
