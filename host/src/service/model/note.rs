//! What is noted and counted of completions.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jackfield_plugin_api::{Failure, FailureKind, Usage};
use serde::{Deserialize, Serialize};

/// Where an answer came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The model.
    Call,
    /// A tier of the model's cache, by name.
    Cache(String),
    /// An equal request that was under way.
    Shared,
}

/// What is noted of a completion.
#[derive(Clone, Debug, PartialEq)]
pub struct CallNote {
    /// Its number on the record, once it stands there.
    pub seq: Option<i64>,
    /// Whether a cache was asked for it.
    pub looked_up: bool,
    /// Name of the model.
    pub model: Arc<str>,
    /// Id of the item that asked; empty for a stage that runs once a run.
    pub item: Arc<str>,
    /// Where the answer came from.
    pub source: Source,
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

impl CallNote {
    /// Adds what a call cost.
    pub(super) fn charge(&mut self, usage: Usage, usd: f64) {
        self.usage = sum(self.usage, usage);
        self.usd += usd;
    }
}

/// The tokens of two calls.
pub(super) const fn sum(one: Usage, other: Usage) -> Usage {
    Usage { input: one.input.saturating_add(other.input), output: one.output.saturating_add(other.output) }
}

/// Counts of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelCount {
    /// Completions that the model was called for.
    pub calls: u64,
    /// Completions that came from a cache, or shared the call of an equal one.
    pub cached: u64,
    /// Completions that failed for good.
    #[serde(default)]
    pub failed: u64,
    /// Calls made again.
    #[serde(default)]
    pub retries: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// US dollars.
    pub usd: f64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) cached: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) spent: Mutex<(Usage, f64)>,
}

impl Counters {
    /// The counts so far.
    pub(super) fn count(&self) -> ModelCount {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (usage, usd) = *self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        ModelCount {
            calls: count(&self.calls),
            cached: count(&self.cached),
            failed: count(&self.failed),
            retries: count(&self.retries),
            tokens_in: usage.input,
            tokens_out: usage.output,
            usd,
        }
    }

    /// Counts a completion that has ended.
    pub(super) fn ended(&self, failure: Option<&Failure>, source: &Source) {
        match (failure, source) {
            (Some(_), _) => &self.failed,
            (None, Source::Call) => &self.calls,
            (None, _) => &self.cached,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what a call cost.
    pub(super) fn paid(&self, usage: Usage, usd: f64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.0 = sum(spent.0, usage);
        spent.1 += usd;
    }
}
