//! The states of runs and items.

use serde::{Deserialize, Serialize};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Still at work, or killed.
    Running,
    /// Stopped before the end, and resumable.
    Interrupted,
    /// Every stage of every item is done.
    Complete,
    /// Something failed, something was done.
    Partial,
    /// Nothing was done.
    Failed,
}

impl RunState {
    /// The name used on the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// Every stage is done.
    Ok,
    /// A trial of a search that was stopped before its end, as hopeless.
    Pruned,
    /// Some stage failed, some was done.
    Partial,
    /// It could not be read, or was stopped, or nothing was done; or its files could not be written.
    Failed,
}

impl ItemState {
    /// The name used on the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pruned => "pruned",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing of it is left to do, in this session or in another.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Ok | Self::Pruned)
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Pruned, Self::Partial, Self::Failed].into_iter().find(|state| state.name() == name)
    }
}
