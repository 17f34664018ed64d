//! Words of a transcript as Markdown that shows exactly those words.

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
    let mut letters = word.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        match letter {
            '<' => out.push_str("&lt;"),
            // Within a word it is not markup.
            '_' if before.is_some_and(char::is_alphanumeric)
                && letters.peek().is_some_and(|next| next.is_alphanumeric()) =>
            {
                out.push('_');
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' => {
                out.push('\\');
                out.push(letter);
            }
            // Control characters would be invisible, or end the line.
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
        before = Some(letter);
    }
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

/// Names in a row, shortened: `Ann, Bo and Cy`.
pub(crate) fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => short_name(only).to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| short_name(name)).collect();
            format!("{} and {}", first.join(", "), short_name(last))
        }
    }
}

/// A speaker's label without what stands in brackets behind the name, such as a constituency.
pub(crate) fn short_name(label: &str) -> &str {
    match label.split_once(" (") {
        Some((name, _)) if !name.trim().is_empty() => name.trim(),
        _ => label,
    }
}

/// A sentence without its full stop.
pub(crate) fn unstopped(text: &str) -> &str {
    text.trim().trim_end_matches(['.', '…', ' '])
}

#[cfg(test)]
mod tests {
    use super::{counted, inline, marks, names};
    use crate::testing::evidence;

    #[test]
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(inline("a *b*\n| <script> [x](y) `z`"), "a \\*b\\* \\| &lt;script> \\[x\\](y) \\`z\\`");
    }

    #[test]
    fn an_underscore_within_a_word_stays() {
        assert_eq!(inline("item_6 _this_"), "item_6 \\_this\\_");
    }

    #[test]
    fn each_segment_is_marked_once() {
        assert_eq!(
            marks(&[evidence("s2", None, "a"), evidence("s2", None, "b"), evidence("s4", None, "c")], 5),
            "[s2] [s4]"
        );
    }

    #[test]
    fn names_stand_without_what_is_in_brackets() {
        assert_eq!(names(&["Mr. A (Leeds)".into(), "(B)".into(), "C".into()]), "Mr. A, (B) and C");
    }

    #[test]
    fn numbers_agree() {
        assert_eq!(counted(1, "risk", "risks"), "1 risk");
        assert_eq!(counted(0, "risk", "risks"), "0 risks");
    }
}
