//! What is asked of a model and what it answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Says how to behave.
    System,
    /// Asks.
    User,
    /// Answered earlier.
    Assistant,
}

/// A turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// How to behave.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }

    /// What is asked.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// What was answered.
    #[must_use]
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several answers
/// to one prompt counts `replicate` up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompletionRequest {
    /// The conversation so far; at least one message.
    pub messages: Vec<Message>,
    /// JSON Schema (2020-12) of the answer; servers that can are told to follow it. Free text without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Arc<Value>>,
    /// Whether the host holds the answer to `schema`: one that breaks it is sent back once, with the error, and fails as
    /// `invalid-output` if that does not help. True by default.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub held: bool,
    /// Whether the answer may come from the model's cache, and go there. True by default.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub cached: bool,
    /// The most tokens of an answer; the server's default without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Temperature of sampling, 0 to 2; the server's default without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Texts that end the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Seed of sampling, for servers that take one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Number of this answer among several to the same prompt. Added to the stage's own replicates.
    #[serde(default)]
    pub replicate: u32,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_true(value: &bool) -> bool {
    *value
}

impl CompletionRequest {
    /// A request of these messages, with everything else as by default.
    #[must_use]
    pub fn new(messages: Vec<Message>) -> Self {
        Self { messages, held: true, cached: true, ..Self::default() }
    }

    /// The same with a JSON Schema that the host holds the answer to.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<Arc<Value>>) -> Self {
        self.schema = Some(schema.into());
        self
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// It reached `max_tokens` or the model's own limit.
    Length,
    /// Something else, such as a filter that cut it.
    Other,
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Completion {
    /// The text; JSON if the request had a schema that was held.
    pub text: String,
    /// Why it ended.
    #[serde(default)]
    pub finish: Finish,
    /// Tokens, as the server counts them. Absent where it does not: the host then counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The model, as the server calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether no call was made for it. Set by the host; a model leaves it.
    #[serde(default)]
    pub cached: bool,
    /// What its tokens cost in USD, whether or not it was cached. Set by the host; a model leaves it.
    #[serde(default)]
    pub usd: f64,
}

impl Completion {
    /// Tokens, zero where they are not known. An answer from a cache used none.
    #[must_use]
    pub fn tokens(&self) -> Usage {
        if self.cached { Usage::default() } else { self.usage.unwrap_or_default() }
    }
}
