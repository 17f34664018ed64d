//! Completions: the answers of models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TensorRef;

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FinishReason {
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
    /// Those of `input` that the server read from its own cache of prompts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_input: u64,
    /// Those of `input` that the server put into its own cache of prompts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write: u64,
    /// Those of `output` that the model thought in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning: u64,
}

impl Usage {
    /// So many tokens read and written, of which no more is known.
    #[must_use]
    pub const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached_input: 0, cache_write: 0, reasoning: 0 }
    }

    /// The tokens of two calls.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cached_input: self.cached_input.saturating_add(other.cached_input),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Completion {
    /// The text; JSON if the request had a schema that the answer was validated against.
    pub text: String,
    /// Why it ended.
    #[serde(default)]
    pub finish: FinishReason,
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
    /// What the model thought before it answered, where it says that apart from the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The hidden states that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// The log-probabilities that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<TokenLogProbs>,
    /// The tokens of the prompt, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<Token>>,
    /// The vector that was asked for, of shape `[d]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-tensor" = { "shape": ["embedding"] }))]
    pub embedding: Option<TensorRef>,
}

/// Hidden states of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    /// The hidden states, of shape `[positions, layers, d]`.
    #[schemars(extend("x-tensor" = { "shape": ["positions", "layers", "d"] }))]
    pub hidden_states: TensorRef,
    /// The layers, in order.
    pub layers: Vec<u32>,
    /// The positions in the prompt, from 0, in order.
    pub positions: Vec<u32>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its text; a part of a character is written as U+FFFD.
    pub text: String,
}

/// Log-probabilities of a sequence of tokens. Natural logarithms; a token that cannot come has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenLogProbs {
    /// The tokens, in order.
    pub tokens: Vec<TokenLogProb>,
    /// The whole distribution at each position, of shape `[positions, vocabulary]`, if it was asked for; negative infinity
    /// for a token that cannot come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-tensor" = { "shape": ["logprob_positions", "vocabulary"] }))]
    pub distribution: Option<TensorRef>,
}

/// A token of a sequence, and what was likely in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenLogProb {
    /// The token.
    pub token: Token,
    /// Its log-probability, given all before it; none if it cannot come.
    pub logprob: Option<f64>,
    /// The likeliest tokens in its place, the likeliest first, as many as were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<LikelyToken>,
}

/// A token that was likely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LikelyToken {
    /// The token.
    pub token: Token,
    /// Its log-probability.
    pub logprob: f64,
}

impl Completion {
    /// Tokens, zero where they are not known. An answer from a cache used none.
    #[must_use]
    pub fn tokens(&self) -> Usage {
        if self.cached { Usage::default() } else { self.usage.unwrap_or_default() }
    }
}
