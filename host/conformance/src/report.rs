//! What a conformance run says.

use std::fmt;

use jackfield_loader::{Digest, Linkage};
use jackfield_plugin_api::Kind;
use serde::{Deserialize, Serialize};

/// How far an extension, or a whole plugin, can be relied on. Each level needs all of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It cannot be loaded, or not be described.
    Broken,
    /// It can be loaded and described.
    Loads,
    /// It opens, and no check of the contract failed.
    Conforming,
    /// It gives the same bytes for the same input and seed.
    Deterministic,
    /// A component that works in the default limits, with nothing granted but what it asks for.
    SandboxClean,
}

impl Level {
    /// The name, such as `sandbox-clean`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Loads => "loads",
            Self::Conforming => "conforming",
            Self::Deterministic => "deterministic",
            Self::SandboxClean => "sandbox-clean",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that is not as it was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was expected.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
    /// How to fix it: `mend` in JSON.
    #[serde(rename = "mend")]
    pub fix: String,
}

impl Finding {
    pub(super) fn new(expected: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { expected: expected.into(), seen: seen.into(), fix: fix.into() }
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The promise is kept, as far as could be seen.
    Passed {
        /// Something worth knowing, such as a measurement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Nothing that breaks the contract, yet something to fix.
    Warning {
        /// What, the first few.
        findings: Vec<Finding>,
    },
    /// The promise is broken.
    Failed {
        /// How, the first few.
        findings: Vec<Finding>,
    },
    /// The check says nothing about this extension.
    NotApplicable {
        /// Why.
        reason: String,
    },
}

/// The most findings of one check that are reported: further ones repeat them.
const MAX_FINDINGS: usize = 3;

impl Outcome {
    pub(super) const fn passed() -> Self {
        Self::Passed { note: None }
    }

    pub(super) fn noted(note: impl Into<String>) -> Self {
        Self::Passed { note: Some(note.into()) }
    }

    pub(super) fn not_applicable(reason: impl Into<String>) -> Self {
        Self::NotApplicable { reason: reason.into() }
    }

    /// Failed, unless there are no findings.
    pub(super) fn from_findings(mut findings: Vec<Finding>) -> Self {
        findings.dedup();
        findings.truncate(MAX_FINDINGS);
        if findings.is_empty() { Self::passed() } else { Self::Failed { findings } }
    }

    /// A warning, unless there are no findings.
    pub(super) fn warning(mut findings: Vec<Finding>) -> Self {
        findings.truncate(MAX_FINDINGS);
        if findings.is_empty() { Self::passed() } else { Self::Warning { findings } }
    }

    /// Whether the promise is broken.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// The findings, if there are any.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Warning { findings } | Self::Failed { findings } => findings,
            Self::Passed { .. } | Self::NotApplicable { .. } => &[],
        }
    }

    /// The name, such as `not-applicable`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed { .. } => "passed",
            Self::Warning { .. } => "warning",
            Self::Failed { .. } => "failed",
            Self::NotApplicable { .. } => "not-applicable",
        }
    }
}

/// A check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its name, such as `bad-input`.
    pub id: String,
    /// What is promised.
    pub promise: String,
    /// The level that it counts for.
    pub level: Level,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What is to be said of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionReport {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The level reached.
    pub level: Level,
    /// Why it is not a higher one; none at the top.
    pub stops: Option<String>,
    /// Every check that was made, in order.
    pub checks: Vec<CheckReport>,
}

impl ExtensionReport {
    /// The check of this name.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckReport> {
        self.checks.iter().find(|check| check.id == id)
    }
}

/// What is to be said of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its alias.
    pub plugin: String,
    /// How it came in.
    #[serde(rename = "form")]
    pub linkage: Linkage,
    /// The file, unless it is linked in.
    pub path: Option<std::path::PathBuf>,
    /// Digest of the artifact.
    pub sha256: Digest,
    /// Version of the contract it was built against.
    pub protocol: String,
    /// The lowest level among its extensions, but for those that no configuration is known to open, if there are others.
    pub level: Level,
    /// Its extensions, in order of kind and name.
    pub extensions: Vec<ExtensionReport>,
}
