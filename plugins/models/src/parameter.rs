//! Parameters of a request that not every model takes.

use jackfield_plugin_api::prelude::*;

/// A parameter of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Document)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// The most tokens of an answer.
    MaxTokens,
    /// How freely words are drawn.
    Temperature,
    /// Texts that end an answer.
    Stop,
    /// What draws start from.
    Seed,
}
