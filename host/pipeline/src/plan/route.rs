//! How a stage's arm is picked, and what is learned from it.

use std::{collections::BTreeMap, path::PathBuf};

use jackfield_plugin_api::Arm;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    config_identity::{PathIdentities, identity_of},
    extension::ExtensionRef,
    wire::Wire,
};

/// How a stage's arm is picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutePlan {
    /// The policy that picks it.
    pub extension: ExtensionRef,
    /// The policy's `with` table.
    pub config: Value,
    /// What replaces the paths in it where configurations are compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// What there is to pick from, never nothing.
    pub arms: Vec<ArmPlan>,
    /// What items have in common that are best served by the same arm.
    pub context: Option<Wire>,
    /// The number to learn from.
    pub reward: Option<Wire>,
    /// The numbers to learn from.
    pub objectives: Vec<ObjectivePlan>,
    /// Decisions that may wait for what comes of them, at least 1: an item is routed by what came of all items but the last
    /// `in_flight` - 1 before it.
    pub in_flight: u64,
    /// The file in which what is learned is kept from run to run, absolute.
    pub state: Option<PathBuf>,
}

impl RoutePlan {
    /// The policy's configuration as it is compared: with digests in place of paths.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

/// An arm of a routed stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmPlan {
    /// As the policy knows it.
    pub arm: Arm,
    /// The stage's `with` table, with that of the arm laid over it.
    pub config: Value,
    /// What replaces the paths in it where configurations are compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: PathIdentities,
    /// The model that the stage may call, by index.
    pub model: Option<usize>,
}

impl ArmPlan {
    /// The configuration as it is compared: with digests in place of paths.
    #[must_use]
    pub fn config_identity(&self) -> Value {
        identity_of(&self.config, &self.paths)
    }
}

/// A number to learn from, among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectivePlan {
    /// The name.
    pub name: String,
    /// The wire to it, which is read once the item is done.
    pub wire: Wire,
    /// Whether less is better.
    pub minimize: bool,
}
