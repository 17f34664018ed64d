//! The layer of structured output: what is asked for with a JSON Schema is answered with JSON that fits it. An answer that does
//! not fit is asked for once more, with what is wrong with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jackfield_pipeline::{Price, schema_violation};
use jackfield_plugin_api::{
    Completion, CompletionRequest, Failure, FinishReason, LogProbsOn, Message, Result, json_of_answer, sync::lock,
};
use jackfield_store::sum;
use jsonschema::Validator;
use serde_json::Value;

use super::{budget::price_of, in_progress::CompletionInProgress, recording::Recording, retry::Retry};

/// The most validators that are kept.
const MOST_VALIDATORS: usize = 256;
/// The most errors of an answer that are listed.
const MOST_ERRORS: usize = 5;
/// The most characters of an error that are shown.
const MOST_ERROR_CHARS: usize = 200;

/// The schemas of a model's answers and the recording of them, around the layer of tries.
pub(super) struct StructuredOutput {
    validators: Validators,
    recording: Option<Recording>,
    price: Option<Price>,
    retry: Retry,
}

impl StructuredOutput {
    pub(super) fn new(price: Option<Price>, recording: Option<Recording>, retry: Retry) -> Self {
        Self { validators: Validators::default(), recording, price, retry }
    }

    /// Has the model answer, and makes sure that the answer fits the schema of the request, if that is to be validated.
    pub(super) async fn complete(
        &self,
        request: &CompletionRequest,
        progress: &mut CompletionInProgress<'_>,
    ) -> Result<Completion> {
        let validator = match &request.schema {
            Some(schema) if request.validate => Some(self.validators.of_schema(schema)?),
            _ => None,
        };
        let mut completion = self.retry.complete(request, progress).await?;
        let mut usage = completion.usage.unwrap_or_default();
        if let Some(validator) = validator {
            if let Err(wrong) = enforce_schema(&completion.text, &validator) {
                let again = repair_request(request, &completion.text, &wrong);
                let repaired = self.retry.complete(&again, progress).await?;
                usage = sum(usage, repaired.usage.unwrap_or_default());
                completion = merge_repaired(completion, repaired);
            }
            completion.text = enforce_schema(&completion.text, &validator).map_err(|wrong| {
                let is_cut_off = completion.finish == FinishReason::Length;
                let hint = if is_cut_off { "; it was cut off: allow it more tokens" } else { "" };
                Failure::InvalidOutput(format!("the answer does not fit its schema: {wrong}{hint}"))
            })?;
        }
        // Not what the record says: how many calls failed before is a matter of chance.
        completion.usage = Some(usage);
        completion.usd = price_of(self.price, usage);
        if let Some(recording) = &self.recording {
            recording.add(request, &completion);
        }
        Ok(completion)
    }
}

/// Validators by schema: a stage asks with the same few again and again.
#[derive(Default)]
struct Validators {
    known: Mutex<HashMap<Arc<Value>, Arc<Validator>>>,
}

impl Validators {
    /// The validator of a schema.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] if it is not a JSON Schema.
    fn of_schema(&self, schema: &Arc<Value>) -> Result<Arc<Validator>> {
        let mut known = lock(&self.known);
        if let Some(validator) = known.get(schema) {
            return Ok(Arc::clone(validator));
        }
        let validator = jsonschema::validator_for(schema).map_err(|error| {
            Failure::InvalidInput(format!("the schema of the answer is not a valid JSON Schema: {error}"))
        })?;
        if known.len() >= MOST_VALIDATORS {
            known.clear();
        }
        let validator = Arc::new(validator);
        known.insert(Arc::clone(schema), Arc::clone(&validator));
        Ok(validator)
    }
}

/// The JSON of an answer that fits, without the words and the fence that some models put around it; otherwise what is wrong.
fn enforce_schema(text: &str, validator: &Validator) -> std::result::Result<String, String> {
    let json = json_of_answer(text).unwrap_or_else(|| text.trim());
    // This text is part of the request for a better answer, and so of recordings of models: it stays as it is.
    let value: Value = serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
    // A schema can make the search for errors take as long as it likes; whether there are any is soon known.
    if validator.is_valid(&value) {
        return Ok(json.to_owned());
    }
    let wrong: Vec<String> = validator
        .iter_errors(&value)
        .take(MOST_ERRORS)
        .map(|error| schema_violation(&error, Some("the answer"), MOST_ERROR_CHARS))
        .collect();
    if wrong.is_empty() { Ok(json.to_owned()) } else { Err(wrong.join("; ")) }
}

/// The request that asks for a better answer. What is known of the prompt, or of a reply that was given, is not asked for
/// again.
fn repair_request(request: &CompletionRequest, answer: &str, wrong: &str) -> CompletionRequest {
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
fn merge_repaired(first: Completion, better: Completion) -> Completion {
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
    fn an_answer_is_taken_out_of_its_fence_and_has_to_fit_the_schema() {
        let validators = Validators::default();
        let schema =
            Arc::new(json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] }));
        let validator = validators.of_schema(&schema).expect("a schema");
        assert_eq!(enforce_schema(" {\"n\":1}\n", &validator).as_deref(), Ok("{\"n\":1}"));
        assert_eq!(enforce_schema("```json\n{\"n\":1}\n```", &validator).as_deref(), Ok("{\"n\":1}"));
        assert_eq!(enforce_schema("Here:\n```\n{\"n\":1}\n```\nDone.", &validator).as_deref(), Ok("{\"n\":1}"));
        assert!(enforce_schema("I would say {\"n\":1}.", &validator).is_err(), "the whole answer is the answer");
        assert!(enforce_schema("{\"n\":\"1\"}", &validator).expect_err("a string").contains("`/n`"));
        assert!(enforce_schema("Sure!", &validator).expect_err("no JSON").contains("no JSON"));
        assert!(Arc::ptr_eq(&validator, &validators.of_schema(&schema).expect("a schema")));
        assert!(validators.of_schema(&Arc::new(json!({ "type": "no-such" }))).is_err());
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
        let again = repair_request(&request, "no", "it is no JSON");
        assert_eq!(again.messages.len(), 3);
        assert_eq!((again.capture, again.logprobs, again.tokenize, again.embed), (None, None, false, false));
        let own = LogProbs { top: 1, distribution: false, on: LogProbsOn::First(1) };
        let request = CompletionRequest { logprobs: Some(own.clone()), ..request };
        assert_eq!(
            repair_request(&request, "no", "it is no JSON").logprobs,
            Some(own),
            "they are those of the better answer"
        );

        let first = Completion { text: "no".to_owned(), tokens: Some(Vec::new()), ..Completion::default() };
        let better = merge_repaired(first, Completion { text: "{}".to_owned(), ..Completion::default() });
        assert_eq!((better.text.as_str(), better.tokens), ("{}", Some(Vec::new())));
    }
}
