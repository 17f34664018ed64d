//! Descriptions of extensions.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds of extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Answers one document per document: the workhorse of a pipeline.
    Analyzer,
    /// Answers prompts: see [`Model`](crate::Model).
    Model,
    /// Keeps values for a while: see [`CacheBackend`](crate::CacheBackend).
    CacheBackend,
    /// Picks the arm that a stage runs with: see [`RoutingPolicy`](crate::RoutingPolicy).
    RoutingPolicy,
    /// Finds the directions that set two sets of prompts apart: see [`DirectionExtractor`](crate::DirectionExtractor).
    DirectionExtractor,
}

impl Kind {
    /// The name used in the contract, such as `analyzer`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Model => "model",
            Self::CacheBackend => "cache-backend",
            Self::RoutingPolicy => "routing-policy",
            Self::DirectionExtractor => "direction-extractor",
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Analyzer, Self::Model, Self::CacheBackend, Self::RoutingPolicy, Self::DirectionExtractor];

    /// Whether a stage runs extensions of this kind: they answer documents with documents.
    #[must_use]
    pub const fn is_for_stages(self) -> bool {
        matches!(self, Self::Analyzer | Self::DirectionExtractor)
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much change an author promises to spare those who use the extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stability {
    /// Config and output may change with any version.
    #[default]
    Experimental,
    /// Config and output change with a new minor version at most, and the change is announced.
    Beta,
    /// Config and output keep their meaning within a major version.
    Stable,
}

/// A permission asked for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// What is asked for, such as `clock` or `http:api.example.org`.
    pub name: String,
    /// Why, for the person who decides.
    pub reason: String,
}

/// A worked example: the test kit runs it and compares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What the example shows.
    pub summary: String,
    /// The `with` table.
    pub config: Value,
    /// The input document.
    pub input: Value,
    /// The output document that the input gives.
    pub output: Value,
}

/// The description of an extension: enough to check a pipeline without running it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The kind.
    pub kind: Kind,
    /// Lower-case words joined by hyphens, unique within the kind.
    pub name: String,
    /// Semantic version of the plugin that offers it.
    pub version: String,
    /// One line, without a full stop.
    pub summary: String,
    /// JSON Schema (2020-12) of the `with` table.
    pub config: Value,
    /// JSON Schema of an input document.
    pub input: Value,
    /// JSON Schema of an output document.
    pub output: Value,
    /// Permissions asked for; none is given without a grant.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Worked examples.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// How stable the extension is.
    #[serde(default)]
    pub stability: Stability,
}
