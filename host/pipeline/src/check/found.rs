//! What the passes of the check have found out so far, for the passes after them.

use std::collections::BTreeMap;

use jackfield_loader::{Offer, Plugin};
use jackfield_plugin_api::{Dimension, Values};
use serde_json::Value;

use crate::{
    diagnostics::Span,
    draft::WireRef,
    plan::{ArmPlan, PathIdentities},
};

/// A `with` table that was checked, with what stands for the paths in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckedConfig {
    pub(crate) value: Value,
    pub(crate) paths: PathIdentities,
}

/// An extension that was found, with its configuration.
pub(crate) type Found<'a> = (Option<(&'a Plugin, &'a Offer)>, CheckedConfig);

/// What is known of the services; parallel to the draft.
#[derive(Default)]
pub(crate) struct Services<'a> {
    pub(crate) models: Vec<Found<'a>>,
    pub(crate) tiers: Vec<Vec<Found<'a>>>,
}

impl<'a> Services<'a> {
    /// The model of this index in the draft.
    pub(crate) fn model(&self, index: usize) -> Option<&Found<'a>> {
        self.models.get(index)
    }

    /// The extensions of the tiers, by cache.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = impl Iterator<Item = Option<(&'a Plugin, &'a Offer)>>> {
        self.tiers.iter().map(|tiers| tiers.iter().map(|(found, _)| *found))
    }

    /// The extensions of the models.
    pub(crate) fn models(&self) -> impl Iterator<Item = Option<(&'a Plugin, &'a Offer)>> {
        self.models.iter().map(|(found, _)| *found)
    }
}

/// What is known of a stage's route.
pub(crate) struct RouteFound<'a> {
    pub(crate) found: Option<(&'a Plugin, &'a Offer)>,
    pub(crate) config: CheckedConfig,
    pub(crate) arms: Vec<ArmPlan>,
    pub(crate) objectives: Vec<(String, WireRef, bool)>,
}

impl<'a> RouteFound<'a> {
    /// The extension of the policy.
    pub(crate) fn policy(&self) -> Option<(&'a Plugin, &'a Offer)> {
        self.found
    }

    /// What it picks from.
    pub(crate) fn arms(&self) -> &[ArmPlan] {
        &self.arms
    }
}

/// What is known of the search.
pub(crate) struct SearchFound<'a> {
    pub(crate) found: Option<(&'a Plugin, &'a Offer)>,
    pub(crate) config: CheckedConfig,
    pub(crate) space: SpaceFound,
    pub(crate) objectives: Vec<(String, WireRef, bool)>,
    pub(crate) reports: Vec<WireRef>,
    pub(crate) points: Vec<Values>,
    /// Configurations that stages have with some of the values, each with its stage.
    pub(crate) tried: Vec<(usize, Value)>,
}

impl<'a> SearchFound<'a> {
    /// The extension of the policy.
    pub(crate) fn policy(&self) -> Option<(&'a Plugin, &'a Offer)> {
        self.found
    }

    /// Configurations that a stage has with some of the values.
    pub(crate) fn configs_of(&self, stage: usize) -> impl Iterator<Item = &Value> {
        self.tried.iter().filter(move |(of, _)| *of == stage).map(|(_, config)| config)
    }

    /// The space.
    pub(crate) fn space(&self) -> &SpaceFound {
        &self.space
    }
}

/// The keys that are searched, what a condition is on before what depends on it.
#[derive(Default)]
pub(crate) struct SpaceFound {
    pub(crate) keys: Vec<SearchedKey>,
    /// The stages that are searched, each with where the first of its keys stands: those too of whose keys none is as it
    /// should be.
    pub(crate) stages: BTreeMap<usize, Span>,
    /// Whether that is all of the space: nothing of it is wrong.
    pub(crate) whole: bool,
}

/// A key of a stage that is searched.
pub(crate) struct SearchedKey {
    pub(crate) dimension: Dimension,
    /// The stage, by index in the draft.
    pub(crate) stage: usize,
    /// The way to the key from the stage's `with`.
    pub(crate) path: Vec<String>,
    /// Where its name stands.
    pub(crate) span: Span,
    /// What was written for it, by index in the draft.
    pub(crate) draft: usize,
}
