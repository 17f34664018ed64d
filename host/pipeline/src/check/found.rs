//! The results of the passes of the check, which later passes use.

use std::collections::BTreeMap;

use jackfield_plugin_api::{Dimension, Values};
use jackfield_templates::Variable;
use serde_json::Value;

use crate::{
    diagnostics::Span,
    parsed::WireRef,
    plan::{ArmPlan, PathIdentities},
};
use jackfield_loader::{ExtensionEntry, Plugin};

/// A `with` table that was checked, with what replaces the paths in it where configurations are compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckedConfig {
    /// The templates in it; none where one of them is wrong, or where it is not checked.
    pub(crate) templates: Option<Vec<TemplateUse>>,
    pub(crate) value: Value,
    pub(crate) paths: PathIdentities,
}

/// What a template of a configuration uses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TemplateUse {
    /// Its file, if it is not written in the pipeline.
    pub(crate) file: Option<String>,
    /// Its variables, each with where it is, and the line if it is in a file.
    pub(crate) variables: Vec<(Variable, (Span, Option<usize>))>,
}

/// The extension of a model or of a tier of a cache, with its configuration.
pub(crate) struct ServiceFound<'a> {
    /// None if there is no such extension, which is reported.
    pub(crate) extension: Option<(&'a Plugin, &'a ExtensionEntry)>,
    pub(crate) config: CheckedConfig,
}

/// A number to learn from, as it is written.
#[derive(Clone)]
pub(crate) struct Objective {
    pub(crate) name: String,
    pub(crate) wire: WireRef,
    /// Whether less is better.
    pub(crate) minimize: bool,
}

/// What is known of the services; parallel to the parsed pipeline.
#[derive(Default)]
pub(crate) struct Services<'a> {
    pub(crate) models: Vec<ServiceFound<'a>>,
    pub(crate) tiers: Vec<Vec<ServiceFound<'a>>>,
}

impl<'a> Services<'a> {
    /// The model of this index in the parsed pipeline.
    pub(crate) fn model(&self, index: usize) -> Option<&ServiceFound<'a>> {
        self.models.get(index)
    }

    /// The extensions of the tiers, by cache.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = impl Iterator<Item = Option<(&'a Plugin, &'a ExtensionEntry)>>> {
        self.tiers.iter().map(|tiers| tiers.iter().map(|tier| tier.extension))
    }

    /// The extensions of the models.
    pub(crate) fn models(&self) -> impl Iterator<Item = Option<(&'a Plugin, &'a ExtensionEntry)>> {
        self.models.iter().map(|model| model.extension)
    }
}

/// What is known of a stage's route.
pub(crate) struct RouteFound<'a> {
    pub(crate) found: Option<(&'a Plugin, &'a ExtensionEntry)>,
    pub(crate) config: CheckedConfig,
    pub(crate) arms: Vec<ArmPlan>,
    pub(crate) objectives: Vec<Objective>,
}

impl<'a> RouteFound<'a> {
    /// The extension of the policy.
    pub(crate) fn policy(&self) -> Option<(&'a Plugin, &'a ExtensionEntry)> {
        self.found
    }

    /// What it picks from.
    pub(crate) fn arms(&self) -> &[ArmPlan] {
        &self.arms
    }
}

/// What is known of the search.
pub(crate) struct SearchFound<'a> {
    pub(crate) found: Option<(&'a Plugin, &'a ExtensionEntry)>,
    pub(crate) config: CheckedConfig,
    pub(crate) space: SpaceFound,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) reports: Vec<WireRef>,
    pub(crate) points: Vec<Values>,
    /// Configurations that stages have with some of the values, each with its stage.
    pub(crate) tried_configs: Vec<(usize, Value)>,
}

impl<'a> SearchFound<'a> {
    /// The extension of the policy.
    pub(crate) fn policy(&self) -> Option<(&'a Plugin, &'a ExtensionEntry)> {
        self.found
    }

    /// Configurations that a stage has with some of the values.
    pub(crate) fn configs_of(&self, stage: usize) -> impl Iterator<Item = &Value> {
        self.tried_configs.iter().filter(move |(of, _)| *of == stage).map(|(_, config)| config)
    }

    /// The space.
    pub(crate) fn space(&self) -> &SpaceFound {
        &self.space
    }
}

/// The keys that are searched; a key that a condition names comes before the key that has the condition.
#[derive(Default)]
pub(crate) struct SpaceFound {
    pub(crate) keys: Vec<SearchedKey>,
    /// The stages that are searched, each with the span of the first of its keys, including those whose keys are all wrong.
    pub(crate) stages: BTreeMap<usize, Span>,
    /// Whether the keys are the whole space, because nothing in it is wrong.
    pub(crate) whole: bool,
}

/// A key of a stage that is searched.
pub(crate) struct SearchedKey {
    pub(crate) dimension: Dimension,
    /// The stage, by index in the parsed pipeline.
    pub(crate) stage: usize,
    /// The path to the key from the stage's `with`.
    pub(crate) path: Vec<String>,
    /// The span of its name.
    pub(crate) span: Span,
    /// What was written for it, by index in the parsed pipeline.
    pub(crate) parsed: usize,
}
