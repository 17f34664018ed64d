//! Answers held to a JSON Schema.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_pipeline::schema_violation;
use jackfield_plugin_api::{Completion, CompletionRequest, Failure, LogProbsOn, Message, Result};
use jsonschema::Validator;
use serde_json::Value;

/// Validators by schema: a stage asks with the same few again and again.
#[derive(Default)]
pub(super) struct Schemas {
    known: Mutex<HashMap<Arc<Value>, Arc<Validator>>>,
}

/// The most validators that are kept.
const KEPT: usize = 256;

impl Schemas {
    /// The validator of a schema.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if it is no JSON Schema.
    pub(super) fn validator(&self, schema: &Arc<Value>) -> Result<Arc<Validator>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(schema) {
            return Ok(Arc::clone(validator));
        }
        let validator = jsonschema::validator_for(schema)
            .map_err(|error| Failure::InvalidInput(format!("the schema of the answer is no JSON Schema: {error}")))?;
        if known.len() >= KEPT {
            known.clear();
        }
        let validator = Arc::new(validator);
        known.insert(Arc::clone(schema), Arc::clone(&validator));
        Ok(validator)
    }
}

/// The JSON of an answer that fits, without what some models put around it; otherwise what is wrong.
pub(super) fn held(text: &str, validator: &Validator) -> std::result::Result<String, String> {
    let json = bare(text);
    let value: Value = serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
    // A schema can make the search for errors take as long as it likes; whether there are any is soon known.
    if validator.is_valid(&value) {
        return Ok(json.to_owned());
    }
    let wrong: Vec<String> =
        validator.iter_errors(&value).take(5).map(|error| schema_violation(&error, Some("the answer"), 200)).collect();
    if wrong.is_empty() { Ok(json.to_owned()) } else { Err(wrong.join("; ")) }
}

/// The text inside a Markdown fence, if it stands in one.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inside.split_once('\n').map_or(inside, |(_, inside)| inside).trim()
}

/// The request that asks for a better answer. What is known of the prompt, or of a reply that was given, is not asked for
/// again.
pub(super) fn repair(request: &CompletionRequest, answer: &str, wrong: &str) -> CompletionRequest {
    let logprobs = request.logprobs.clone().filter(|logprobs| matches!(logprobs.on, LogProbsOn::First(_)));
    let mut again = CompletionRequest { capture: None, logprobs, tokenize: false, embed: false, ..request.clone() };
    again.messages.push(Message::assistant(answer));
    again.messages.push(Message::user(format!(
        "That answer does not fit the JSON Schema: {wrong}\nAnswer again with nothing but JSON that fits the schema:\n{}",
        request.schema.as_deref().unwrap_or(&Value::Null)
    )));
    again
}

/// The better answer, with what the first one said of the prompt.
pub(super) fn repaired(first: Completion, better: Completion) -> Completion {
    Completion {
        captured: first.captured,
        logprobs: better.logprobs.or(first.logprobs),
        tokens: first.tokens,
        embedding: first.embedding,
        ..better
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Capture, LogProbs};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_taken_out_of_its_fence_and_held_to_the_schema() {
        let schemas = Schemas::default();
        let schema =
            Arc::new(json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] }));
        let validator = schemas.validator(&schema).expect("a schema");
        assert_eq!(held(" {\"n\":1}\n", &validator).as_deref(), Ok("{\"n\":1}"));
        assert_eq!(held("```json\n{\"n\":1}\n```", &validator).as_deref(), Ok("{\"n\":1}"));
        assert!(held("{\"n\":\"1\"}", &validator).expect_err("a string").contains("`/n`"));
        assert!(held("Sure!", &validator).expect_err("no JSON").contains("no JSON"));
        assert!(Arc::ptr_eq(&validator, &schemas.validator(&schema).expect("a schema")));
        assert!(schemas.validator(&Arc::new(json!({ "type": "no-such" }))).is_err());
    }

    #[test]
    fn what_is_known_of_the_prompt_is_not_asked_for_twice_and_stays_with_the_better_answer() {
        let on = LogProbsOn::Reply("yes".to_owned());
        let request = CompletionRequest {
            capture: Some(Capture::default()),
            logprobs: Some(LogProbs { top: 1, distribution: false, on }),
            tokenize: true,
            embed: true,
            ..CompletionRequest::new(vec![Message::user("hello")]).with_schema(json!({}))
        };
        let again = repair(&request, "no", "it is no JSON");
        assert_eq!(again.messages.len(), 3);
        assert_eq!((again.capture, again.logprobs, again.tokenize, again.embed), (None, None, false, false));
        let own = LogProbs { top: 1, distribution: false, on: LogProbsOn::First(1) };
        let request = CompletionRequest { logprobs: Some(own.clone()), ..request };
        assert_eq!(repair(&request, "no", "it is no JSON").logprobs, Some(own), "they are those of the better answer");

        let first = Completion { text: "no".to_owned(), tokens: Some(Vec::new()), ..Completion::default() };
        let better = repaired(first, Completion { text: "{}".to_owned(), ..Completion::default() });
        assert_eq!((better.text.as_str(), better.tokens), ("{}", Some(Vec::new())));
    }
}
