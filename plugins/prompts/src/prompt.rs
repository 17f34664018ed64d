//! The analyzer `prompt`.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jackfield_plugin_api::prelude::*;
use jackfield_templates::{Template, Values};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Map;

use crate::{
    answer::Answer,
    conversation::Conversation,
    limits::Counter,
    settings::{AnswerSchema, PromptMessage, Shots, Tokenizer},
    shots,
};

/// What `prompt` reads: the variables of its templates, whatever their names are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Variables(pub Map<String, Value>);

impl JsonSchema for Variables {
    fn schema_name() -> Cow<'static, str> {
        "Variables".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The variables of the templates: `in = { review = \"input.text\" }` gives them `review`.",
            "type": "object",
            "additionalProperties": true,
        })
    }
}

/// Asks a model a prompt, once for each item.
///
/// The messages are templates in the language of Jinja, whose variables are the fields of `in`: with
/// `in = { review = "input.text" }`, `{{ review }}` is the text of the item. Texts are inserted as they are, other values as
/// JSON; `{% for … %}` and `{% if … %}` work, and a template includes no other. `jackfield check` refuses a template that is
/// not one, a variable that `in` does not give, and a field of `in` that no template uses.
///
/// The answer is `{ text }`. With `schema` it is the JSON value that the schema describes: servers that support schemas are
/// asked to follow it, the host compares the answer with it and asks once more if it does not fit, and wires into the stage
/// are checked against it. The stage needs a model.
#[derive(Clone, Debug, Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct Prompt {
    /// What the model is told before it is asked: a template, or `{ file = "system.txt" }`.
    pub system: Option<Template>,
    /// What the model is asked: a template, or `{ file = "question.txt" }`.
    pub user: Option<Template>,
    /// The whole conversation, in place of `system` and `user`. The last message is the user's.
    #[config(default)]
    pub messages: Vec<PromptMessage>,
    /// Examples, which the model is shown as earlier questions and answers: a list of tables, each with the variables of the
    /// last message of the user and `answer`, a text or any other value, which is shown as JSON; or `{ file = "examples.jsonl" }`,
    /// the same as JSON lines, or a CSV file with a header.
    #[config(default)]
    pub examples: Shots,
    /// JSON Schema (2020-12) of the answer, as a table, or `{ file = "answer.json" }`. Free text without it.
    pub schema: Option<AnswerSchema>,
    /// Most tokens of an answer; the server's default without it.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
    /// Temperature of sampling; the server's default without it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// Texts that end the answer.
    #[config(default)]
    pub stop: Vec<String>,
    /// Seed of sampling, for servers that take one.
    pub seed: Option<u64>,
    /// Most tokens of a variable, by its name: `{ review = 2000 }`. A longer text ends with the last sentence that fits, or
    /// failing that the last word; of a list the first elements are kept that fit.
    #[config(default)]
    pub limits: BTreeMap<String, usize>,
    /// What counts the tokens of `limits`.
    #[config(default)]
    pub tokenizer: Tokenizer,
    /// The messages, parsed.
    #[serde(skip)]
    #[schemars(skip)]
    conversation: Conversation,
    /// The schema of answers, read.
    #[serde(skip)]
    #[schemars(skip)]
    answer_schema: Option<Arc<Value>>,
}

impl Analyzer for Prompt {
    const NAME: &'static str = "prompt";
    const STABILITY: Stability = Stability::Experimental;
    type Input = Variables;
    type Output = Answer;

    fn open(mut self) -> Result<Self> {
        let invalid = Failure::InvalidConfig;
        let shots = shots::read(&self.examples).map_err(|why| invalid(format!("`examples`: {why}")))?;
        self.conversation =
            Conversation::new(self.system.as_ref(), self.user.as_ref(), &self.messages, &shots).map_err(invalid)?;
        for (name, most) in &self.limits {
            if !self.conversation.uses(name) {
                let known = self.conversation.variables();
                return Err(invalid(format!("`limits` has `{name}`, which no template uses; they use {known}")));
            }
            if *most == 0 {
                return Err(invalid(format!("`limits` leaves nothing of `{name}`: a limit is at least 1 token")));
            }
        }
        self.answer_schema = match &self.schema {
            Some(schema) => Some(schema.read().map_err(|why| invalid(format!("`schema`: {why}")))?),
            None => None,
        };
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let permission = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            permission("model", "to have the prompt answered"),
            permission("model:tokenize", "to cut texts in the model's own tokens, with `tokenizer = \"model\"`"),
        ]
    }

    fn examples() -> Vec<Example> {
        let sentiment = json!({
            "type": "object",
            "properties": { "sentiment": { "enum": ["positive", "negative"] } },
            "required": ["sentiment"],
            "additionalProperties": false,
        });
        vec![
            Example {
                summary: "a text as an answer".to_owned(),
                config: json!({ "user": "Say in one word what this is about: {{ review }}" }),
                input: json!({ "review": "The kettle leaks." }),
                output: json!({ "text": "A kettle" }),
            },
            Example {
                summary: "an answer under a schema".to_owned(),
                config: json!({
                    "system": "You judge reviews.",
                    "user": "{{ review }}",
                    "examples": [{ "review": "It works well.", "answer": { "sentiment": "positive" } }],
                    "schema": sentiment,
                }),
                input: json!({ "review": "The kettle leaks." }),
                output: json!({ "sentiment": "negative" }),
            },
        ]
    }

    async fn analyze(&self, input: Variables, host: &Host<'_>) -> Result<Answer> {
        let Variables(mut variables) = input;
        let mut counter = Counter::new(self.tokenizer, host);
        for (name, most) in &self.limits {
            if let Some(value) = variables.get_mut(name) {
                counter.cut(name, value, *most).await?;
            }
        }
        let messages = self.conversation.messages(&Values::new(&variables))?;
        let completion = host.complete(self.request(messages)).await?;
        match &self.answer_schema {
            Some(_) => Answer::json(&completion.text),
            None => Ok(Answer::text(completion.text)),
        }
    }
}

impl Prompt {
    fn request(&self, messages: Vec<Message>) -> CompletionRequest {
        CompletionRequest {
            schema: self.answer_schema.clone(),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            stop: self.stop.clone(),
            seed: self.seed,
            ..CompletionRequest::new(messages)
        }
    }
}

#[cfg(test)]
mod tests;
