//! The content of an answer: a text, a part, or a list of parts, in either protocol.

use jackfield_plugin_api::AnswerText;

use super::foreign_json::Json;

/// What a content says, by kind.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Content {
    /// The answer's text; `None` if there is none, not even an empty one.
    pub(crate) text: Option<String>,
    /// What was thought before, where that is said.
    pub(crate) thoughts: Option<String>,
    /// Why the model does not answer.
    pub(crate) refusal: Option<String>,
    /// Whether the thoughts have no end, so that there is no answer.
    pub(crate) is_cut_off: bool,
}

impl Content {
    /// The parts of a content. Those of a kind that holds no text are passed over.
    pub(crate) fn of(content: &Json<'_>) -> Self {
        let mut found = Self::default();
        found.add(content);
        found
    }

    fn add(&mut self, content: &Json<'_>) {
        match content {
            Json::Text(text) => self.text.get_or_insert_default().push_str(text),
            Json::List(parts) => parts.iter().for_each(|part| self.add(part)),
            Json::Object(_) => match content.get("type").text().unwrap_or_default() {
                "reasoning" | "reasoning_content" | "thinking" | "thought" => self.add_thought(content),
                "refusal" => {
                    self.refusal =
                        ["refusal", "text"].iter().find_map(|key| content.get(key).words()).map(str::to_owned)
                }
                "redacted_thinking" | "tool_use" => {}
                _ => match content.get("text") {
                    Json::Text(text) => self.text.get_or_insert_default().push_str(text),
                    text => self.add(text.get("value")),
                },
            },
            _ => {}
        }
    }

    fn add_thought(&mut self, part: &Json<'_>) {
        for key in ["thinking", "text", "reasoning", "reasoning_content", "content", "summary"] {
            let mut thought = Self::default();
            thought.add(part.get(key));
            if let Some(thought) = thought.text {
                self.add_thoughts(&thought);
                return;
            }
        }
    }

    fn add_thoughts(&mut self, thought: &str) {
        if thought.trim().is_empty() {
            return;
        }
        let thoughts = self.thoughts.get_or_insert_default();
        if !thoughts.is_empty() {
            thoughts.push('\n');
        }
        thoughts.push_str(thought);
    }

    /// Takes the thoughts out of the text that begins with them. A text that is nothing else is none.
    pub(crate) fn part_thoughts(&mut self) {
        let Some(text) = self.text.take() else { return };
        let AnswerText { reasoning, answer, is_cut_off } = AnswerText::split(&text);
        self.is_cut_off = is_cut_off;
        for thought in reasoning {
            self.add_thoughts(thought);
        }
        self.text = if answer.len() == text.len() {
            Some(text)
        } else {
            Some(answer.to_owned()).filter(|answer| !answer.is_empty())
        };
    }

    /// Whether there is no text, or nothing but blank space.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.as_deref().is_none_or(|text| text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> (Option<String>, Option<String>) {
        let mut content = Content::of(&Json::parse(json).unwrap());
        content.part_thoughts();
        (content.text, content.thoughts)
    }

    #[test]
    fn text_and_thoughts_are_found_in_every_form() {
        let (six, so) = (Some("6".to_owned()), Some("so".to_owned()));
        for (json, text, thoughts) in [
            (r#""6""#, &six, &None),
            (r#"{"type": "text", "text": "6"}"#, &six, &None),
            (r#"{"text": {"value": "6"}}"#, &six, &None),
            (r#"["", "6"]"#, &six, &None),
            (
                r#"[{"type": "thinking", "thinking": "so", "signature": "x"}, {"type": "output_text", "text": "6"}]"#,
                &six,
                &so,
            ),
            (r#"[{"type": "reasoning", "summary": [{"text": "so"}]}, {"type": "text", "text": "6"}]"#, &six, &so),
            (r#"[{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "6"}]"#, &six, &None),
            (r#""<think>so</think> 6""#, &six, &so),
            (r#""<think>so</think>""#, &None, &so),
            (r#""""#, &Some(String::new()), &None),
            ("[]", &None, &None),
            ("null", &None, &None),
            ("6", &None, &None),
        ] {
            assert_eq!(content(json), (text.clone(), thoughts.clone()), "{json}");
        }
        let refused = Content::of(&Json::parse(r#"[{"type": "refusal", "refusal": "no"}]"#).unwrap());
        assert_eq!(refused.refusal.as_deref(), Some("no"));
    }
}
