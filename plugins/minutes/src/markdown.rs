//! Words of a transcript as markdown that shows exactly those words.

use jackfield_text::Evidence;

/// `text` on one line, with what markdown would take for markup escaped.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut words = text.split_whitespace();
    if let Some(first) = words.next() {
        escape(first, &mut out);
    }
    for word in words {
        out.push(' ');
        escape(word, &mut out);
    }
    out
}

fn escape(word: &str, out: &mut String) {
    for letter in word.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' => {
                out.push('\\');
                out.push(letter);
            }
            // Control characters would be invisible, or end the line.
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
}

/// At most `max` characters of `text`, cut between words, with an ellipsis where something was cut.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        let room = max.saturating_sub(length + usize::from(length > 0));
        if letters > room {
            if length == 0 {
                out.extend(word.chars().take(max));
            }
            while out.ends_with([',', ';', ':', '-', '–']) {
                out.pop();
            }
            out.push('…');
            return out;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += letters;
    }
    out
}

/// The segments that bear something out, such as `[s3] [s7]`: at most `max`, each once, in the order given.
pub(crate) fn marks(evidence: &[Evidence], max: usize) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for place in evidence {
        if seen.len() == max {
            break;
        }
        if !place.segment.is_empty() && !seen.contains(&place.segment.as_str()) {
            seen.push(&place.segment);
        }
    }
    seen.iter().map(|segment| format!("[{}]", inline(segment))).collect::<Vec<_>>().join(" ")
}

/// `count` and the noun, in the number that fits.
pub(crate) fn counted(count: usize, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// Names in a row: `Ann, Bo and Cy`.
pub(crate) fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A sentence without its full stop.
pub(crate) fn unstopped(text: &str) -> &str {
    text.trim().trim_end_matches(['.', '…', ' '])
}

#[cfg(test)]
mod tests {
    use super::{counted, inline, marks, shorten};
    use crate::testing::evidence;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(inline("a *b*\n| <script> [x](y) `z`"), "a \\*b\\* \\| &lt;script> \\[x\\](y) \\`z\\`");
    }

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(shorten("one two three", 7), "one two…");
        assert_eq!(shorten("one two, three", 9), "one two…");
        assert_eq!(shorten("one two", 7), "one two");
        assert_eq!(shorten("çççççç", 3), "ççç…");
        assert_eq!(shorten("", 3), "");
    }

    #[test]
    fn each_segment_is_marked_once() {
        assert_eq!(
            marks(&[evidence("s2", None, "a"), evidence("s2", None, "b"), evidence("s4", None, "c")], 5),
            "[s2] [s4]"
        );
    }

    #[test]
    fn numbers_agree() {
        assert_eq!(counted(1, "risk", "risks"), "1 risk");
        assert_eq!(counted(0, "risk", "risks"), "0 risks");
    }
}
