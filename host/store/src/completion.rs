//! What is recorded of a completion.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_plugin_api::{FailureKind, Usage};
use serde::{Deserialize, Serialize};

/// Where an answer came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerSource {
    /// The model.
    Call,
    /// A tier of the model's cache, by name.
    Cache(String),
    /// An equal request that was in progress.
    Shared,
}

/// What is recorded of a completion.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletionRecord {
    /// Its number on the record, once it is recorded.
    pub seq: Option<i64>,
    /// Whether a cache was asked for it.
    pub looked_up: bool,
    /// Name of the model.
    pub model: Arc<str>,
    /// Id of the item that asked; empty for a stage that runs once a run.
    pub item: Arc<str>,
    /// Where the answer came from.
    pub source: AnswerSource,
    /// The kind of its failure, if it failed.
    pub failure: Option<FailureKind>,
    /// Calls made to the model for it: tries, and the repair of an answer.
    pub tries: u32,
    /// Tokens that are paid for: of every call, and those of calls that failed, as far as they may have cost something.
    pub usage: Usage,
    /// US dollars.
    pub usd: f64,
    /// When it was asked for.
    pub began: Instant,
    /// How long it took, waiting included.
    pub took: Duration,
}

impl CompletionRecord {
    /// US dollars, as they can be stored.
    pub(super) fn finite_usd(&self) -> f64 {
        if self.usd.is_finite() { self.usd } else { 0.0 }
    }

    /// Adds what a call cost.
    pub fn charge(&mut self, usage: Usage, usd: f64) {
        self.usage = sum(self.usage, usage);
        self.usd += usd;
    }
}

/// The tokens of two calls.
pub const fn sum(one: Usage, other: Usage) -> Usage {
    one.plus(other)
}
