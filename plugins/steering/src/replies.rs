//! Replies of a model, which the scores are computed from.

use jackfield_plugin_api::prelude::*;

/// A reply of a model.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Reply {
    /// What it says.
    pub text: String,
    /// How many tokens it has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Whether it ended by itself; false for one that was cut short.
    #[serde(default)]
    pub complete: bool,
    /// The text of its first tokens, where that was asked for: the beginning of `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<String>,
    /// The beginning of the reply on whose tokens the distributions are: that of the base where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<String>,
    /// Log-probabilities of all tokens of the vocabulary in the place of each token of `followed`, given all before it;
    /// negative infinity for a token that cannot come. Where `followed` is empty, in the place of the first token alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-tensor" = { "shape": [null, "vocabulary"] }))]
    pub distribution: Option<TensorRef>,
}

/// What scores read.
#[derive(Clone, Debug, Default, PartialEq, Document)]
pub struct Replies {
    /// The replies, in order of the prompts; at least one.
    pub replies: Vec<Reply>,
}

impl Replies {
    /// Refuses a set without replies, of which nothing can be said.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.replies.is_empty() {
            return Err(Failure::InvalidInput("there are no replies".to_owned()));
        }
        Ok(())
    }
}

/// A share of a whole that is not 0.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
