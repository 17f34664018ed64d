//! Takes the markup out of the text of cues: tags, commands of SubStation, character references.

use std::borrow::Cow;

use crate::time;

/// Tags with more bytes between their brackets are not tags; names in other alphabets take two or three a letter.
const LONGEST_TAG: usize = 512;
/// Tags of WebVTT and of HTML that mark text up and are not said.
const TAGS: [&str; 26] = [
    "v", "c", "i", "b", "u", "s", "em", "strong", "ruby", "rt", "rp", "lang", "font", "span", "p", "div", "sub", "sup",
    "small", "big", "tt", "a", "strike", "del", "ins", "center",
];

/// The text of a line of a cue without markup. The voice of each `<v …>` tag is handed to `take_voice` with the text up
/// to there, and nothing where a voice ends.
pub(crate) fn text_of(line: &str, mut take_voice: impl FnMut(&str, Option<&str>)) -> String {
    if !line.contains(['<', '{', '&', '\\', '[']) {
        return line.to_owned();
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    // Where the next closing brackets stand, kept so that a row of opening ones is searched once.
    let (mut next_angle, mut next_brace) = (Close::new('>'), Close::new('}'));
    while let Some(opening) = rest.find(['<', '{', '\\', '[']) {
        text.push_str(&rest[..opening]);
        let tail = &rest[opening..];
        let at = line.len() - tail.len();
        rest = if let Some(tag) =
            tail.strip_prefix('<').and_then(|inner| next_angle.inner(line, at, inner)).filter(|tag| is_tag(tag))
        {
            if is_break(tag) {
                text.push(' ');
            } else if let Some(name) = voice_name(tag) {
                take_voice(&resolved(&text), Some(name));
                text.clear();
            } else if tag.eq_ignore_ascii_case("/v") {
                take_voice(&resolved(&text), None);
                text.clear();
            }
            &tail[tag.len() + 2..]
        } else if let Some(command) =
            tail.strip_prefix('{').and_then(|inner| next_brace.inner(line, at, inner)).filter(|inner| is_command(inner))
        {
            &tail[command.len() + 2..]
        } else if let Some(after) = ["\\N", "\\h", "[br]"].iter().find_map(|sign| tail.strip_prefix(sign)) {
            text.push(' ');
            after
        } else {
            text.push_str(&tail[..1]);
            &tail[1..]
        };
    }
    text.push_str(rest);
    resolved(&text).into_owned()
}

/// Finds closing brackets, each once.
struct Close {
    sign: char,
    at: Option<usize>,
}

impl Close {
    fn new(sign: char) -> Self {
        Self { sign, at: None }
    }

    /// What stands between the opening bracket at `open` of the line, which `inner` follows, and the next closing one.
    fn inner<'a>(&mut self, line: &str, open: usize, inner: &'a str) -> Option<&'a str> {
        if self.at.is_none_or(|at| at < open) {
            self.at = Some(inner.find(self.sign).map_or(line.len(), |length| open + 1 + length));
        }
        let at = self.at.filter(|&at| at < line.len())?;
        let inner = &inner[..at - open - 1];
        (inner.len() <= LONGEST_TAG).then_some(inner)
    }
}

/// `<v Ann>`, `<v.loud Ann>`.
fn voice_name(tag: &str) -> Option<&str> {
    let (kind, name) = tag.split_once(char::is_whitespace)?;
    (kind == "v" || kind.starts_with("v.")).then(|| name.trim()).filter(|name| !name.is_empty())
}

/// A tag of the formats, not a lesser-than sign.
fn is_tag(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let kind = name.split(|c: char| matches!(c, '.' | '=' | '/') || c.is_whitespace()).next().unwrap_or_default();
    TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(kind)) || is_break(inner) || time::clock(name).is_some()
}

/// `<br>`, `<br/>`, `</br>`.
fn is_break(inner: &str) -> bool {
    inner.trim_matches(['/', ' ']).eq_ignore_ascii_case("br")
}

/// A command of SubStation, `{\an8}`, or one of MicroDVD, `{y:i}`.
fn is_command(inner: &str) -> bool {
    inner.starts_with('\\') || matches!(inner.as_bytes(), [b'y' | b'Y' | b'c' | b'C' | b'f' | b's' | b'P', b':', ..])
}

/// The text with its character references as characters; a reference to a direction mark is nothing.
fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let text = html_escape::decode_html_entities(text);
    match crate::clean::clean(&text) {
        Cow::Borrowed(_) => Cow::Owned(text.into_owned()),
        Cow::Owned(clean) => Cow::Owned(clean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> String {
        text_of(line, |_, _| {})
    }

    #[test]
    fn markup_is_not_text() {
        assert_eq!(plain("<i>One</i><br>two {\\i1}three{\\i0} <EM>four</EM>\\Nfive"), "One two three four five");
        assert_eq!(plain("<font color=\"red\">a</font> <c.yellow.bg_blue>b</c> <00:00:01.500>c"), "a b c");
        assert_eq!(plain("{\\an8\\pos(1,2)}up[br]down{y:i}"), "up down");
    }

    #[test]
    fn other_brackets_are_text() {
        assert_eq!(
            plain("3 < 4 > 2 {laughs} <laughs> [sighs] C:\\temp"),
            "3 < 4 > 2 {laughs} <laughs> [sighs] C:\\temp"
        );
        assert_eq!(plain("<<<i>>>"), "<<>>");
    }

    #[test]
    fn character_references_are_resolved() {
        assert_eq!(
            plain(
                "It&apos;s John&#x27;s, isn&#8217;t it&hellip; &lt;i&gt; &eacute; &AMP; &#39;x&#39;&nbsp;y&lrm; R&D &unknown;"
            ),
            "It's John's, isn’t it… <i> é & 'x' y R&D &unknown;"
        );
        assert_eq!(plain("&amp;lt;"), "&lt;", "resolved once");
    }
}
