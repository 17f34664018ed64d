//! A stage of the plan: what it runs, how often, and under which policy.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    condition::WhenPlan,
    config_identity::{PathIdentities, identity_of},
    extension::ExtensionRef,
    route::{ArmPlan, RoutePlan},
    views::ViewMarks,
    wire::{InputExpr, Wire},
};
use jackfield_loader::sandbox::Limits;

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    /// The name.
    pub name: String,
    /// The extension that does the work.
    pub extension: ExtensionRef,
    /// The `with` table.
    pub config: Value,
    /// What replaces the paths in it where configurations are compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// What each call gets.
    pub input: InputExpr,
    /// How often the stage runs.
    pub scope: Scope,
    /// The list that it runs over, an element a call.
    pub for_each: Option<Wire>,
    /// How many calls for each element (or in all, without `for_each`); the results are a list when this is set.
    pub repeat: Option<u32>,
    /// When it is on; always without this. A stage that is off makes no call and has no result, which is no flaw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<WhenPlan>,
    /// The stages that it reads, ascending, by index.
    pub reads: Vec<usize>,
    /// How its calls are made.
    pub policy: Policy,
    /// What a call may use up.
    pub limits: Limits,
    /// The model that it may call, by index.
    pub model: Option<usize>,
    /// The cache that keeps its results, by index.
    pub cache: Option<usize>,
    /// The cache that its extension may use, by index.
    pub store: Option<usize>,
    /// Whether items are reported before it is done: it is declared so, or reads a stage that is.
    pub deferred: bool,
    /// How its arm is picked, for each item; without a route it runs as described here.
    #[serde(default)]
    pub route: Option<RoutePlan>,
    /// What of its result is to be looked at: what its extension marks so, or that of a stage which reads it. The result of a
    /// stage with several calls is their list.
    #[serde(default, skip_serializing_if = "ViewMarks::is_empty")]
    pub views: ViewMarks,
    /// The schema that its answers are held to, where its configuration says it; else that of its extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

impl StagePlan {
    /// Whether its result is the list of its calls' results.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.for_each.is_some() || self.repeat.is_some()
    }

    /// The stage with each of its arms, or as it is: what is opened and called.
    #[must_use]
    pub fn with_arms(&self) -> Vec<Self> {
        let Some(route) = &self.route else { return vec![self.clone()] };
        let with = |arm: &ArmPlan| Self {
            config: arm.config.clone(),
            paths: arm.paths.clone(),
            model: arm.model,
            route: None,
            ..self.clone()
        };
        route.arms.iter().map(with).collect()
    }

    /// The configuration as it is compared: with digests in place of paths.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

/// How often a stage runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Once a run: it depends on no item.
    Run,
    /// Once an item.
    Item,
    /// Once over all items, after the last of them.
    All,
}

/// How the calls of a stage are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The most time that a call may take; none for no bound.
    pub timeout: Option<Duration>,
    /// Tries in all, at least 1; a failure that can heal is tried again.
    pub attempts: u32,
    /// Delay before the second try; doubled for each further one.
    pub backoff: Duration,
    /// The longest wait that a failure may ask for; one that asks for more is not tried again.
    #[serde(default = "super::service::usual_longest_wait")]
    pub longest_wait: Duration,
    /// What a failure means for the item.
    pub on_error: OnError,
    /// The most calls at a time; none for as many as there are workers (or 64 for stages that wait).
    pub concurrency: Option<u32>,
    /// The most documents in a batch.
    pub batch: u32,
}

/// What a stage's failure means for its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The stage alone fails; the item goes on and ends `partial`.
    Continue,
    /// The element is left out of the stage's list, which does not affect the item while other elements are left.
    Drop,
    /// The item stops and is `failed`.
    Fail,
}

/// The most calls of a stage for one item: `for_each` times `repeat`.
pub const MOST_CALLS: u32 = 1_000_000;
