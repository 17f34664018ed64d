//! The file of recorded answers: JSON Lines, an answer a line.

use std::collections::HashMap;

use jackfield_plugin_api::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;

/// What the answer to a request depends on, as JSON with sorted keys: all of it but `replicate`, which is recorded
/// apart, and `validate` and `cached`, which tell the host what to do with the answer.
#[must_use]
pub fn canonical(request: &CompletionRequest) -> String {
    json::canonical(&identity(request))
}

/// The line that records an answer, without the newline. What the host adds to a completion (`cached`, `usd`) is left
/// out.
#[must_use]
pub fn line(request: &CompletionRequest, replicate: u32, completion: &Completion) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        request: Value,
        replicate: u32,
        completion: &'a Completion,
    }
    let completion = Completion { cached: false, usd: 0.0, ..completion.clone() };
    let line = Line { request: identity(request), replicate, completion: &completion };
    json::canonical(&serde_json::to_value(line).unwrap_or_default())
}

/// The request as JSON, without what its answer does not depend on.
fn identity(request: &CompletionRequest) -> Value {
    let mut value = serde_json::to_value(request).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        for key in ["replicate", "validate", "cached"] {
            map.remove(key);
        }
    }
    value
}

/// All answers to one request.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The request, of whichever replicate came first.
    pub(super) request: CompletionRequest,
    /// Number of the line it was first on, from 1.
    pub(super) line: usize,
    /// Answers by replicate.
    pub(super) answers: HashMap<u32, Completion>,
}

/// The answers of a file.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Requests, in the order of the file.
    pub(super) requests: Vec<Recorded>,
    /// Where in `requests` the one of this [`canonical`] form is.
    indices: HashMap<String, usize>,
}

impl Recording {
    /// Reads a file. Where a request was answered more than once, the last answer counts.
    ///
    /// # Errors
    /// What is wrong with which line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            request: CompletionRequest,
            #[serde(default)]
            replicate: Option<u32>,
            completion: Completion,
        }
        let mut recording = Self::default();
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let Line { request, replicate, completion } = json::parse_line(line, text)?;
            let replicate = replicate.unwrap_or(request.replicate);
            let completion = Completion { cached: false, usd: 0.0, ..completion };
            let index = *recording.indices.entry(canonical(&request)).or_insert_with(|| {
                recording.requests.push(Recorded { request, line, answers: HashMap::new() });
                recording.requests.len() - 1
            });
            recording.requests[index].answers.insert(replicate, completion);
        }
        Ok(recording)
    }

    /// The answers to this request.
    pub(super) fn find(&self, request: &CompletionRequest) -> Option<&Recorded> {
        self.indices.get(&canonical(request)).map(|&index| &self.requests[index])
    }

    /// How many answers there are.
    pub(super) fn answer_count(&self) -> usize {
        self.requests.iter().map(|recorded| recorded.answers.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked() -> CompletionRequest {
        CompletionRequest::new(vec![Message::user("Why?\n\"so\"")])
    }

    #[test]
    fn only_what_the_answer_depends_on_is_in_the_canonical_form() {
        let other = CompletionRequest { replicate: 3, validate: false, cached: false, ..asked() };
        assert_eq!(canonical(&asked()), canonical(&other));
        assert_eq!(canonical(&asked()), r#"{"messages":[{"content":"Why?\n\"so\"","role":"user"}]}"#);
        assert_ne!(canonical(&asked()), canonical(&CompletionRequest { temperature: Some(0.0), ..asked() }));
        assert_ne!(canonical(&asked()), canonical(&asked().with_schema(json!({}))));
    }

    #[test]
    fn what_is_written_is_read() {
        let completion = Completion {
            text: "So.\n".into(),
            finish: FinishReason::Length,
            usage: Some(Usage::new(1, 2)),
            model: Some("tiny".into()),
            cached: true,
            usd: 0.5,
            reasoning: Some("Hm.".into()),
            ..Completion::default()
        };
        let request = asked().with_schema(json!({ "type": "string" }));
        let file = format!("{}\n\n{}\n", line(&request, 2, &completion), line(&asked(), 0, &completion));
        let recording = Recording::parse(&file).unwrap();
        let recorded = recording.find(&request).unwrap();
        assert_eq!(recorded.answers[&2], Completion { cached: false, usd: 0.0, ..completion });
        assert_eq!((recorded.line, recording.answer_count()), (1, 2));
        assert!(!line(&request, 2, &recorded.answers[&2]).contains('\n'));
    }

    #[test]
    fn a_broken_line_is_reported_with_its_number() {
        let good = line(&asked(), 0, &Completion::default());
        let error = |second: &str| Recording::parse(&format!("{good}\n{second}")).unwrap_err();
        assert_eq!(
            error(&good[..good.len() - 1]),
            format!("line 2, column {}: EOF while parsing an object", good.len() - 1)
        );
        assert!(error("{\"a\": 1}").starts_with("line 2, column 4: unknown field `a`"), "{}", error("{\"a\": 1}"));
        assert!(error("{}").contains("missing field `request`"));
    }
}
