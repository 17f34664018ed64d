//! What of a model's text is its answer: the text without the reasoning before it, and the JSON that it is as a whole.

use serde::de::IgnoredAny;

/// What models put around their reasoning: each beginning with its end. Servers are expected to take it apart, and many do not.
const REASONING_MARKS: [(&str, &str); 9] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
];

/// So many blocks that nothing opens are taken off at most.
const MOST_UNOPENED: usize = 8;
/// So many fences of an answer are looked into at most.
const MOST_FENCES: usize = 64;

/// A text of a model, with its reasoning apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerText<'a> {
    /// The blocks of reasoning before the answer, without the marks around them; none that is empty.
    pub reasoning: Vec<&'a str>,
    /// The answer; empty if the text ends within the reasoning.
    pub answer: &'a str,
    /// Whether the text ends within the reasoning.
    pub is_cut_off: bool,
}

impl<'a> AnswerText<'a> {
    /// Takes reasoning off the beginning of a text: `<think>…</think>` and the marks that other models use, in any case and as
    /// often as they follow each other.
    ///
    /// Reasoning whose beginning is part of the prompt ends with a mark that nothing opens: it counts if a line ends there,
    /// unless that is in code. A mark anywhere else is a part of the answer.
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
        let mut reasoning = Vec::new();
        let mut is_cut_off = false;
        let mut unopened_count = 0;
        loop {
            let rest = answer.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            let opened = REASONING_MARKS.iter().find(|(begin, _)| starts_with(rest, begin));
            let (block, after) = match opened {
                Some((begin, end)) => {
                    let inside = &rest[begin.len()..];
                    let close = find(inside, end);
                    is_cut_off = close.is_none();
                    close.map_or((inside, ""), |at| (&inside[..at], &inside[at + end.len()..]))
                }
                // Each looks through the rest of the text.
                None if unopened_count == MOST_UNOPENED => break,
                None => match end_without_beginning(rest) {
                    Some((at, end)) => {
                        unopened_count += 1;
                        (&rest[..at], &rest[end..])
                    }
                    None => break,
                },
            };
            reasoning.push(block.trim());
            answer = after.trim_start();
        }
        reasoning.retain(|block| !block.is_empty());
        Self { reasoning, answer, is_cut_off }
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
    let mut found = None;
    let mut rest = text;
    for _ in 0..MOST_FENCES {
        let Some(start) = ["```", "~~~"].iter().filter_map(|fence| rest.find(fence)).min() else { break };
        let sign = if rest[start..].starts_with('`') { '`' } else { '~' };
        let inside = rest[start..].trim_start_matches(sign);
        let inside = inside.trim_start_matches(|char: char| char.is_ascii_alphanumeric()).trim_start();
        let fence = sign.to_string().repeat(3);
        let Some(end) = end_of_structure(inside) else {
            // Something else is fenced.
            let Some(end) = inside.find(&fence) else { break };
            rest = inside[end..].trim_start_matches(sign);
            continue;
        };
        rest = &inside[end..];
        let after = inside[end..].trim_start();
        // The last fence may lack its end.
        if after.is_empty() || after.starts_with(&fence) {
            if found.replace(&inside[..end]).is_some() {
                return None;
            }
            rest = after.trim_start_matches(sign);
        }
    }
    found
}

/// Where the object or the list ends that a text begins with.
fn end_of_structure(text: &str) -> Option<usize> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Where reasoning ends whose beginning is not part of the text, and where what follows begins.
fn end_without_beginning(text: &str) -> Option<(usize, usize)> {
    if text.starts_with(['{', '[', '`', '"']) {
        return None;
    }
    let ends = REASONING_MARKS.iter().filter_map(|(begin, end)| {
        let at = find(text, end)?;
        let (before, after) = (&text[..at], &text[at + end.len()..]);
        let ends_line = after.trim_start_matches([' ', '\t', '\r']).chars().next().is_none_or(|char| char == '\n');
        let is_in_code = before.matches("```").count() % 2 == 1;
        (ends_line && !is_in_code && find(before, begin).is_none()).then_some((at, at + end.len()))
    });
    ends.min()
}

fn starts_with(text: &str, mark: &str) -> bool {
    text.as_bytes().get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Where a mark first stands in a text, its ASCII letters in any case.
fn find(text: &str, mark: &str) -> Option<usize> {
    text.as_bytes().windows(mark.len()).position(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_is_apart_from_the_answer() {
        for (text, reasoning, answer) in [
            ("<think>\n{a number}\n</think>\n\n{\"n\": 1}", "{a number}", "{\"n\": 1}"),
            ("\u{feff} \n<THINK>hm</Think>Yes. ", "hm", "Yes. "),
            ("<think></think><thinking>again</thinking>\nYes.", "again", "Yes."),
            ("<think>a</think>\n<think>b</think>Yes.", "a|b", "Yes."),
            ("[THINK]a [b][/THINK]Yes.", "a [b]", "Yes."),
            ("◁think▷a◁/think▷Yes.", "a", "Yes."),
            ("<|START_THINKING|>a<|END_THINKING|>Yes.", "a", "Yes."),
            (
                "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
                "a<|end|><|start|>assistant",
                "Yes.",
            ),
            ("The template opens it.\n</think>\n\nYes.", "The template opens it.", "Yes."),
            ("</think>\r\n\r\nYes.", "", "Yes."),
            (
                "<think>It may say <think> itself.\n</think>\nmore\n</think>\nYes.",
                "It may say <think> itself.|more",
                "Yes.",
            ),
            ("<think>a</think>", "a", ""),
        ] {
            let split = AnswerText::split(text);
            assert_eq!(
                (&*split.reasoning.join("|"), split.answer, split.is_cut_off),
                (reasoning, answer, false),
                "{text}"
            );
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
            "Write:\n```\nreasoning\n</think>\n```\n",
            "{\"text\": \"a\n</think>\n\"}",
            "<thinker>x</thinker>",
        ] {
            assert_eq!(AnswerText::split(text), AnswerText { reasoning: Vec::new(), answer: text, is_cut_off: false });
        }
    }

    #[test]
    fn a_text_of_nothing_but_marks_is_soon_done_with() {
        let text = "a\n</think>\n".repeat(30_000);
        let split = AnswerText::split(&text);
        assert_eq!(split.reasoning.len(), MOST_UNOPENED);
        assert!(!split.answer.is_empty());
    }

    #[test]
    fn a_text_that_ends_within_its_reasoning_has_no_answer() {
        for (text, reasoning) in [
            ("<think>Perhaps {\"n\": 1}", "Perhaps {\"n\": 1}"),
            ("<think>a</think>\n<think>b", "a|b"),
            ("[THINK]", ""),
        ] {
            let split = AnswerText::split(text);
            assert_eq!((&*split.reasoning.join("|"), split.answer, split.is_cut_off), (reasoning, "", true));
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
            "Here is the JSON: ```json\n{\"n\": 1}\n```\nDone.",
            "Here:\n```json\n{\"n\": 1}```\nDone.",
            "~~~json\n{\"n\": 1}\n~~~\nDone.",
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
            "```sh\nrun\n```\n{\"n\": 1}",
            "```json\n{\"n\": 1}\n```\nor\n```json\n{\"n\": 2}\n```",
            "```json\n{\"outer\": {\"n\": 1}\n```",
        ] {
            assert_eq!(json_of_answer(text), None, "{text}");
        }
    }
}
