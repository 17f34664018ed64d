//! What a model thinks before it answers, where servers leave it in the answer's text.

/// The marks that models put around their thoughts.
const MARKS: [(&str, &str); 5] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
];

/// A text in two parts.
#[derive(Debug, PartialEq)]
pub(crate) struct Thoughtful<'a> {
    /// What was thought before it, if the text says so.
    pub(crate) thoughts: Vec<&'a str>,
    /// The answer; empty if the thoughts have no end.
    pub(crate) answer: &'a str,
    /// Whether the thoughts have no end: the text was cut off before there was an answer.
    pub(crate) is_cut_off: bool,
}

/// Parts the answer from the thoughts that stand before it. Marks further on in a text are a part of the answer, which may
/// well speak of them.
pub(crate) fn part(text: &str) -> Thoughtful<'_> {
    let mut thoughts = Vec::new();
    let mut rest = text;
    loop {
        let begin = rest.trim_start();
        let Some((inside, close)) = MARKS.iter().find_map(|(open, close)| Some((begin.strip_prefix(open)?, close)))
        else {
            break;
        };
        let Some((thought, after)) = inside.split_once(close) else {
            thoughts.push(inside.trim());
            return Thoughtful { thoughts, answer: "", is_cut_off: true };
        };
        thoughts.push(thought.trim());
        rest = after;
    }
    if thoughts.is_empty()
        && let Some((thought, after)) = MARKS.iter().find_map(|(open, close)| unopened(rest, open, close))
    {
        thoughts.push(thought.trim());
        rest = after;
    }
    let answer = if thoughts.is_empty() { rest } else { rest.trim_start() };
    thoughts.retain(|thought| !thought.is_empty());
    Thoughtful { thoughts, answer, is_cut_off: false }
}

/// Thoughts whose opening mark is a part of the prompt, as some templates have it: then the closing mark alone comes back, at
/// the end of a line. In code, or within a line, it is a part of the answer.
fn unopened<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let (before, after) = text.split_once(close)?;
    let ends_line = after.trim_start_matches([' ', '\t', '\r']);
    let is_alone = ends_line.is_empty() || ends_line.starts_with('\n');
    let is_in_code = before.matches("```").count() % 2 == 1 || before.trim_start().starts_with(['{', '[']);
    (is_alone && !is_in_code && !before.contains(open)).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(text: &str) -> (String, &str, bool) {
        let Thoughtful { thoughts, answer, is_cut_off } = part(text);
        (thoughts.join("|"), answer, is_cut_off)
    }

    #[test]
    fn thoughts_before_the_answer_are_no_part_of_it() {
        for (text, thoughts, answer) in [
            ("<think>\nsix of {them}\n</think>\n\n6", "six of {them}", "6"),
            ("  \n<thinking>six</thinking>6 ", "six", "6 "),
            ("[THINK]six[/THINK]6", "six", "6"),
            ("◁think▷six◁/think▷6", "six", "6"),
            ("<think></think>\n6", "", "6"),
            ("<think>a</think>\n<think>b</think>6", "a|b", "6"),
            ("it may be six,\nor seven\n</think>\n6", "it may be six,\nor seven", "6"),
            ("</think>\r\n\r\n6", "", "6"),
            ("<think>six</think>", "six", ""),
        ] {
            assert_eq!(parted(text), (thoughts.to_owned(), answer, false), "{text}");
        }
    }

    #[test]
    fn thoughts_without_an_end_leave_no_answer() {
        assert_eq!(parted("<think>\nit may be {\"n\": 6}"), ("it may be {\"n\": 6}".to_owned(), "", true));
        assert_eq!(parted("<thinking>"), (String::new(), "", true));
    }

    #[test]
    fn an_answer_that_speaks_of_the_marks_stays_as_it_is() {
        for text in [
            "",
            " 6\n",
            "Models write <think> and </think>\naround their thoughts.",
            "Close it with `</think>` and go on.",
            "Write:\n```\nthoughts\n</think>\n```\n",
            "{\"n\": \"</think>\"}",
            "[\"a\n</think>\n\"]",
            "<thinker>x</thinker>",
        ] {
            assert_eq!(parted(text), (String::new(), text, false), "{text}");
        }
    }
}
