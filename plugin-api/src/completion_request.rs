//! Requests for completions.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use crate::{Failure, Result, TensorRef};

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Instructs the model how to behave.
    System,
    /// Asks the model.
    User,
    /// The model, in an earlier answer.
    Assistant,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The text.
    pub content: String,
}

impl Message {
    /// An instruction how to behave.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }

    /// A question to the model.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// An earlier answer of the model.
    #[must_use]
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// A prompt as stages pass it on: the text of a user, or a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Prompt {
    /// The text of the user.
    Text(String),
    /// The conversation so far; at least one message.
    Conversation(Vec<Message>),
}

impl Prompt {
    /// The conversation so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        match self {
            Self::Text(text) => vec![Message::user(text.clone())],
            Self::Conversation(messages) => messages.clone(),
        }
    }
}

/// A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several
/// answers to one prompt numbers them by `replicate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompletionRequest {
    /// The conversation so far; at least one message.
    pub messages: Vec<Message>,
    /// JSON Schema (2020-12) of the answer; servers that support schemas are asked to follow it. The answer is free text without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Arc<Value>>,
    /// Whether the host validates the answer against `schema`: one that does not fit is sent back once, with the error, and
    /// fails as `invalid-output` if that does not help. True by default.
    #[serde(default = "default_true", skip_serializing_if = "is_true")]
    pub validate: bool,
    /// Whether the answer may come from the model's cache, and go there. True by default.
    #[serde(default = "default_true", skip_serializing_if = "is_true")]
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
    /// Seed of sampling, for servers that take one. A local model that is given none draws from the request itself and the
    /// seed in its configuration, never from the stage or the item: equal requests are answered once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Number of this answer among several to the same prompt. Added to the stage's own replicates.
    #[serde(default)]
    pub replicate: u32,
    /// Hidden states to answer with, for models that offer `capture`. With `max_tokens` 0, the model generates no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Edits to run under, for models that offer `edits`. They hold for this request alone: nothing is mutated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Log-probabilities to answer with, for models that offer `logprobs`. With `max_tokens` 0, they are those of the tokens
    /// that the model would answer with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<LogProbs>,
    /// Whether to answer with the tokens of the prompt, as the model reads them, for models that offer `tokenize`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tokenize: bool,
    /// Whether to answer with a vector that stands for the prompt, for models that offer `embed`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub embed: bool,
}

/// Which hidden states to answer with: those of the residual stream. Layer 0 is the embeddings, layer n what the n-th block
/// hands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The layers, in this order; all of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<u32>>,
    /// The positions in the prompt, in this order: from 0 at its first token, or from -1 at its last. The last alone
    /// without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Vec<i64>>,
}

/// Where in a block an edit acts: on what the component adds to the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The output projection of attention.
    AttentionOutput,
    /// The down projection of the MLP.
    MlpDown,
}

/// How an edit treats the norms of the weight matrix's rows. A component adds `y = W x`; under the edit it adds `y'`. With
/// `W_i` the rows of `W`, `n_i` their norms, `v` the unit direction, `w` the weight, and `a` the sum of `v_i W_i / n_i` over
/// all rows:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowNormalization {
    /// `y' = y - w v (v.y)`: what is added along the direction is subtracted, all of it with a weight of 1.
    #[default]
    None,
    /// `y'_i = y_i - w n_i v_i (a.x)`: the rows are normalised before the direction is taken out of them, and get their norms
    /// back after it. Part of the direction is left.
    Pre,
    /// As `pre`, times `s_i = 1 / sqrt(1 - 2 w v_i (W_i.a) / n_i + w^2 v_i^2 |a|^2)`: each row has the norm that it had,
    /// exactly. Part of the direction is left.
    Full,
}

/// An edit: takes a direction out of what a component of a layer adds to the residual stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The component.
    pub component: Component,
    /// The block, from 0.
    pub layer: u32,
    /// A tensor that holds the direction, a unit vector: of shape `[d]`, or `[rows, d]`.
    #[schemars(extend("x-tensor" = {}))]
    pub direction: TensorRef,
    /// Which row of the tensor, where it has several.
    #[serde(default)]
    pub row: u32,
    /// How much of it to take out: 0 leaves everything as it is, 1 takes all of it.
    pub weight: f64,
    /// How the norms of the rows are treated.
    #[serde(default)]
    pub row_normalization: RowNormalization,
}

/// Which log-probabilities to answer with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogProbs {
    /// How many of the likeliest tokens to list at each position; none by default.
    #[serde(default)]
    pub top: u32,
    /// Whether to answer with the whole distribution at each position, as a tensor.
    #[serde(default)]
    pub distribution: bool,
    /// Of which tokens.
    #[serde(default)]
    pub on: LogProbsOn,
}

/// Of which tokens log-probabilities are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogProbsOn {
    /// Of the first tokens, this many, that the model itself answers with.
    First(u32),
    /// Of this reply, read as if the model had generated it (teacher forcing).
    Reply(String),
}

impl Default for LogProbsOn {
    fn default() -> Self {
        Self::First(1)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn default_true() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_true(value: &bool) -> bool {
    *value
}

/// Every key of a [`CompletionRequest`] in JSON.
const KEYS: [&str; 14] = [
    "messages",
    "schema",
    "validate",
    "cached",
    "max_tokens",
    "temperature",
    "stop",
    "seed",
    "replicate",
    "capture",
    "edits",
    "logprobs",
    "tokenize",
    "embed",
];

impl CompletionRequest {
    /// A request of these messages, with everything else as by default.
    #[must_use]
    pub fn new(messages: Vec<Message>) -> Self {
        Self { messages, validate: true, cached: true, ..Self::default() }
    }

    /// Reads the request of a plugin from JSON. An unknown key is refused, as it could be one that changes the answer.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] that says what is wrong.
    #[doc(hidden)]
    pub fn from_json(json: &str) -> Result<Self> {
        let invalid = |what: String| Failure::InvalidInput(format!("not a completion request: {what}"));
        let request = serde_json::from_str(json).map_err(|error| invalid(error.to_string()))?;
        let keys: BTreeMap<String, IgnoredAny> =
            serde_json::from_str(json).map_err(|error| invalid(error.to_string()))?;
        match keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            Some(key) => Err(invalid(format!("unknown field `{key}`, expected one of `{}`", KEYS.join("`, `")))),
            None => Ok(request),
        }
    }

    /// The same with a JSON Schema that the host validates the answer against.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<Arc<Value>>) -> Self {
        self.schema = Some(schema.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;

    use super::*;

    #[test]
    fn a_request_with_a_key_that_is_not_known_is_refused() {
        let schema = schema_for!(CompletionRequest);
        let known = schema.get("properties").and_then(Value::as_object).expect("properties");
        assert!(known.len() == KEYS.len() && KEYS.iter().all(|key| known.contains_key(*key)), "{known:?}");
        let request = CompletionRequest { tokenize: true, ..CompletionRequest::new(vec![Message::user("hello")]) };
        let json = serde_json::to_string(&request).expect("JSON");
        assert_eq!(CompletionRequest::from_json(&json), Ok(request));
        let refusal = |json: &str| CompletionRequest::from_json(json).expect_err("refused").to_string();
        let misspelt = refusal(&json.replace("tokenize", "tokenise"));
        assert!(
            misspelt.starts_with("invalid-input: not a completion request: unknown field `tokenise`"),
            "{misspelt}"
        );
        assert!(misspelt.ends_with("`tokenize`, `embed`"), "{misspelt}");
        assert!(refusal("{}").contains("missing field `messages`"));
        assert!(refusal("[").contains("not a completion request: EOF"));
    }
}
