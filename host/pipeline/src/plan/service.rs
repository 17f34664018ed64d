//! The models and caches that stages share.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    config_identity::{PathIdentities, identity_of},
    extension::ExtensionRef,
};
use jackfield_loader::sandbox::Limits;
use jackfield_plugin_api::Usage;

/// A model that stages may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelPlan {
    /// The name.
    pub name: String,
    /// The extension that calls it.
    pub extension: ExtensionRef,
    /// The `with` table. It does not contain secrets.
    pub config: Value,
    /// What replaces the paths in it where configurations are compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// Whether it runs in the process or on this machine: then `concurrency` is fixed, and is not adapted.
    #[serde(default)]
    pub local: bool,
    /// How many calls at a time.
    pub concurrency: Concurrency,
    /// Limits on the rate.
    pub rate: Rate,
    /// What a run may spend.
    pub budget: Budget,
    /// What tokens cost, where that is known.
    pub price: Option<Price>,
    /// The most time that a try may take; as long as it takes without one.
    pub timeout: Option<Duration>,
    /// Tries in all, at least 1.
    pub attempts: u32,
    /// The longest delay before the second try; doubled for each further one.
    pub backoff: Duration,
    /// The longest wait that a failure may ask for; one that asks for more is not tried again.
    #[serde(default = "usual_longest_wait")]
    pub longest_wait: Duration,
    /// The cache that keeps its answers, by index.
    pub cache: Option<usize>,
    /// The file to which requests and answers are added, absolute.
    pub record: Option<PathBuf>,
    /// What a call may use up.
    #[serde(default)]
    pub limits: Limits,
}

impl ModelPlan {
    /// The configuration as it is compared: with digests in place of paths.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

/// What `longest_wait` is in a plan that does not have it.
pub(super) const fn usual_longest_wait() -> Duration {
    Duration::from_secs(120)
}

/// How many calls of a model at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// In the beginning.
    pub start: u32,
    /// At the most.
    pub max: u32,
}

/// Limits on the rate of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Calls a second.
    pub requests_per_second: Option<f64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
}

/// What a run may spend on a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// US dollars.
    pub usd: Option<f64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
}

/// What tokens cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars for a million tokens read.
    pub input: f64,
    /// US dollars for a million tokens written.
    pub output: f64,
    /// For those of the tokens read that the server had in its own cache of prompts; as `input` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// For those of the tokens read that the server put into its own cache of prompts; as `input` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// For those of the tokens written that the model thought in; as `output` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<f64>,
}

impl Price {
    /// So many US dollars for a million tokens read, and for a million written, of whatever kind.
    #[must_use]
    pub const fn new(input: f64, output: f64) -> Self {
        Self { input, output, cached_input: None, cache_write: None, reasoning: None }
    }

    /// What tokens cost, in US dollars.
    #[must_use]
    pub fn of(&self, usage: Usage) -> f64 {
        let Usage { input, output, cached_input, cache_write, reasoning } = usage;
        let cost = |tokens: u64, per_million: f64| tokens as f64 * per_million / 1e6;
        let plain_input = input.saturating_sub(cached_input).saturating_sub(cache_write);
        let read = cost(plain_input, self.input)
            + cost(cached_input, self.cached_input.unwrap_or(self.input))
            + cost(cache_write, self.cache_write.unwrap_or(self.input));
        let plain_output = output.saturating_sub(reasoning);
        read + (cost(plain_output, self.output) + cost(reasoning, self.reasoning.unwrap_or(self.output)))
    }

    /// The most that a token read can cost, and one that is written: of a call that is not answered yet, no more is known.
    #[must_use]
    pub fn highest(&self) -> Self {
        let input = self.input.max(self.cached_input.unwrap_or(0.0)).max(self.cache_write.unwrap_or(0.0));
        Self::new(input, self.output.max(self.reasoning.unwrap_or(0.0)))
    }
}

/// A cache that models and stages may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachePlan {
    /// The name.
    pub name: String,
    /// Where values are kept, the fastest first.
    pub tiers: Vec<TierPlan>,
}

/// A tier of a cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierPlan {
    /// The extension that keeps values.
    pub extension: ExtensionRef,
    /// The `with` table. It does not contain secrets.
    pub config: Value,
    /// How long a value is kept; none for as long as there is room.
    pub ttl: Option<Duration>,
    /// What an operation may use up. A native backend is held to `wall` alone, one that is linked in to nothing; `traps` is
    /// the number of failures in a row after which any is left alone for a while.
    #[serde(default = "Limits::of_cache")]
    pub limits: Limits,
}
