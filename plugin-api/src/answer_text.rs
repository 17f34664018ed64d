//! What of a model's text is its answer: the text without the reasoning before it, and the JSON that it is as a whole.

use serde::de::IgnoredAny;

/// What models put around their reasoning: each beginning with its end. Servers are expected to take it apart, and many do not.
const REASONING_MARKS: [(&str, &str); 8] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
];

/// A text of a model, with its reasoning apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerText<'a> {
    /// The reasoning with the marks around it; empty if there is none.
    pub reasoning: &'a str,
    /// The answer; empty if the text ends within the reasoning.
    pub answer: &'a str,
    /// Whether the text ends within the reasoning.
    pub is_cut_off: bool,
}

impl<'a> AnswerText<'a> {
    /// Takes reasoning off the beginning of a text: `<think>…</think>` and the marks that other models use, in any case and as
    /// often as they follow each other.
    ///
    /// Reasoning whose beginning is part of the prompt ends with a mark that nothing opens: it counts if a line ends there. A
    /// mark anywhere else is a part of the answer.
    ///
    /// ```
    /// use jackfield_plugin_api::AnswerText;
    ///
    /// assert_eq!(AnswerText::split("<think>Hm.</think>\n\nYes.").answer, "Yes.");
    /// assert_eq!(AnswerText::split("A model thinks in `<think>`.").answer, "A model thinks in `<think>`.");
    /// assert!(AnswerText::split("<think>Perhaps").is_cut_off);
    /// ```
    #[must_use]
    pub fn split(text: &'a str) -> Self {
        let mut answer = text;
        let mut is_reasoned = false;
        loop {
            let rest = answer.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            let opened = REASONING_MARKS.iter().find(|(begin, _)| starts_with(rest, begin));
            let after = match opened {
                Some((begin, end)) => match find(&rest[begin.len()..], end) {
                    Some(start) => &rest[begin.len() + start + end.len()..],
                    None => return Self { reasoning: text.trim(), answer: "", is_cut_off: true },
                },
                None => match end_without_beginning(rest) {
                    Some(end) => &rest[end..],
                    None => break,
                },
            };
            (answer, is_reasoned) = (after, true);
        }
        let reasoning = text[..text.len() - answer.len()].trim();
        Self { reasoning, answer: if is_reasoned { answer.trim_start() } else { answer }, is_cut_off: false }
    }
}

/// The JSON that a text is: all of it, or what stands in its one code fence that holds JSON. Words around a fence are passed
/// over; JSON amid words is none, since it may be an example, a draft or a part of something that was cut off.
///
/// ```
/// use jackfield_plugin_api::json_of_answer;
///
/// assert_eq!(json_of_answer("Here it is:\n```json\n{\"n\": 1}\n```\nAnything else?"), Some("{\"n\": 1}"));
/// assert_eq!(json_of_answer("I would say {\"n\": 1}."), None);
/// ```
#[must_use]
pub fn json_of_answer(text: &str) -> Option<&str> {
    let text = text.trim_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
    if is_json(text) {
        return Some(text);
    }
    if let Some(inside) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) {
        // A fence on a single line.
        let inside = inside.strip_prefix("json").unwrap_or(inside).trim();
        if is_json(inside) {
            return Some(inside);
        }
    }
    let mut found = None;
    for block in fenced_blocks(text) {
        let is_structure = block.starts_with(['{', '[']);
        if is_structure && is_json(block) && found.replace(block).is_some() {
            return None;
        }
    }
    found
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What stands between lines that begin with three backticks or more; the last block may lack its end.
fn fenced_blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut begin: Option<(usize, usize)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let ticks = line.trim_start().bytes().take_while(|byte| *byte == b'`').count();
        match begin {
            None if ticks >= 3 => begin = Some((start + line.len(), ticks)),
            Some((from, opened)) if ticks >= opened && line.trim().len() == ticks => {
                blocks.push(text[from..start].trim());
                begin = None;
            }
            _ => {}
        }
        start += line.len();
    }
    blocks.extend(begin.map(|(from, _)| text[from..].trim()));
    blocks
}

/// Where reasoning ends whose beginning is not part of the text.
fn end_without_beginning(text: &str) -> Option<usize> {
    if text.starts_with(['{', '[', '`', '"']) {
        return None;
    }
    let ends = REASONING_MARKS.iter().filter_map(|(begin, end)| {
        let at = find(text, end)?;
        let after = &text[at + end.len()..];
        let ends_line = after.trim_start_matches([' ', '\t', '\r']).chars().next().is_none_or(|char| char == '\n');
        (ends_line && find(&text[..at], begin).is_none()).then_some(at + end.len())
    });
    ends.min()
}

fn starts_with(text: &str, mark: &str) -> bool {
    text.as_bytes().get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Where a mark, which is ASCII, first stands in a text.
fn find(text: &str, mark: &str) -> Option<usize> {
    text.as_bytes().windows(mark.len()).position(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_is_apart_from_the_answer() {
        for (text, answer) in [
            ("<think>\n{a number}\n</think>\n\n{\"n\": 1}", "{\"n\": 1}"),
            ("\u{feff} \n<THINK>hm</Think>Yes.", "Yes."),
            ("<think></think><thinking>again</thinking>\nYes.", "Yes."),
            ("[THINK]a [b][/THINK]Yes.", "Yes."),
            ("<|START_THINKING|>a<|END_THINKING|>Yes.", "Yes."),
            ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Yes.", "Yes."),
            ("The template opens it.\n</think>\n\nYes.", "Yes."),
            ("<think>It may say <think> itself.\n</think>\nmore\n</think>\nYes.", "Yes."),
        ] {
            let split = AnswerText::split(text);
            assert_eq!(split.answer, answer, "{text}");
            assert!(!split.reasoning.is_empty() && text.contains(split.reasoning), "{text}");
            assert!(!split.is_cut_off, "{text}");
        }
    }

    #[test]
    fn marks_within_an_answer_are_part_of_it() {
        for text in [
            " Yes.\n",
            "",
            "The block `<think>a</think>` is reasoning.",
            "It ends with </think>, and then comes the answer.",
            "First:\n<think>\nan example\n</think>\nas shown.",
            "{\"text\": \"a\\n</think>\n\"}",
        ] {
            assert_eq!(AnswerText::split(text), AnswerText { reasoning: "", answer: text, is_cut_off: false });
        }
    }

    #[test]
    fn a_text_that_ends_within_its_reasoning_has_no_answer() {
        for text in ["<think>Perhaps {\"n\": 1}", "<think>a</think>\n<think>b", "[THINK]"] {
            let split = AnswerText::split(text);
            assert_eq!((split.reasoning, split.answer, split.is_cut_off), (text, "", true));
        }
    }

    #[test]
    fn json_is_the_whole_answer_or_in_its_one_fence() {
        let object = "{\"n\": 1}";
        for text in [
            " {\"n\": 1}\n",
            "\u{feff}{\"n\": 1}",
            "```json\n{\"n\": 1}\n```",
            "```\n{\"n\": 1}```",
            "```{\"n\": 1}```",
            "Here it is:\n\n  ```JSON\n  {\"n\": 1}\n  ```\nDone.",
            "It was cut off after:\n```json\n{\"n\": 1}",
            "Install it:\n```sh\nrun {this}\n```\nand:\n````json\r\n{\"n\": 1}\r\n````\r\n",
        ] {
            assert_eq!(json_of_answer(text), Some(object), "{text}");
        }
        assert_eq!(json_of_answer("7"), Some("7"));
        let with_ticks = "{\"text\": \"\\n```\\n\",\n\"n\": 1}";
        assert_eq!(json_of_answer(&format!("Here:\n```json\n{with_ticks}\n```")), Some(with_ticks));
    }

    #[test]
    fn json_amid_words_several_fences_and_parts_of_json_are_no_answer() {
        for text in [
            "",
            "Sure!",
            "I would say {\"n\": 1}.",
            "{\"n\": 1} or {\"n\": 2}",
            "{\"outer\": {\"n\": 1}",
            "```json\n{\"n\": 1}\n```\nor\n```json\n{\"n\": 2}\n```",
            "```json\n{\"outer\": {\"n\": 1}\n```",
        ] {
            assert_eq!(json_of_answer(text), None, "{text}");
        }
    }
}
