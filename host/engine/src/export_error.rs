//! Why an item was not exported.

use jackfield_store::StoreError;

use super::error::EngineError;

/// Why an item was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input of the run cannot be read, or the machine refused threads.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What the stage reads is not there.
    #[error("stage `{stage}` has no input for item `{item}`: {why}")]
    NoInput {
        /// The stage that exports.
        stage: String,
        /// Id of the item.
        item: String,
        /// What is missing.
        why: String,
    },
    /// The input of the run is not what it was.
    #[error("item `{item}` is not in the input of the run any more, or is not what it was")]
    ItemChanged {
        /// Id of the item.
        item: String,
    },
    /// The stage failed.
    #[error("stage `{stage}` failed for item `{item}`, {kind}: {message}")]
    Failed {
        /// The stage that exports.
        stage: String,
        /// Id of the item.
        item: String,
        /// Name of the failure's kind, or `timed-out`.
        kind: String,
        /// What went wrong.
        message: String,
    },
}

impl ExportError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::ItemChanged { .. } => Some("start a new run, or restore the input".to_owned()),
            Self::NoInput { .. } => Some("go on with the run (--resume), or export another item".to_owned()),
            Self::Failed { .. } => None,
        }
    }
}
