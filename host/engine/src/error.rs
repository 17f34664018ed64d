//! Why a run could not go on.

use std::{
    io,
    path::{Path, PathBuf},
};

use jackfield_loader::hint_for_threads;
use jackfield_plugin_api::Failure;
use jackfield_services::{PolicyStateError, StudyError};
use jackfield_store::StoreError;

/// Why a run as a whole could not go on. What was finished before is on the record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No file matches the input patterns.
    #[error("no file matches {}", patterns.join(", "))]
    NoInput {
        /// The patterns.
        patterns: Vec<String>,
    },
    /// A folder of JSON files has none.
    #[error("the folder `{}` holds no file whose name ends in `.json`", folder.display())]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A glob pattern cannot be read.
    #[error("bad glob `{pattern}`: {message}")]
    BadGlob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// The source of items failed in the middle.
    #[error("failed to read items from `{}`: {message}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The source of items panicked. What it printed says why.
    #[error("the source of items panicked: there may be further items")]
    SourcePanicked,
    /// The record could not be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a route has learned cannot be read or written.
    #[error(transparent)]
    Route(#[from] PolicyStateError),
    /// What a study holds cannot be read or written.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The policy of the search does not begin.
    #[error("the policy of the search: {}", failure.message())]
    Search {
        /// Why.
        failure: Failure,
    },
    /// A run is given fewer trials than it has.
    #[error("run `{run}` has begun {begun} trials, more than the {count} that `input.count` allows")]
    FewerTrials {
        /// The run.
        run: String,
        /// Trials on its record.
        begun: u64,
        /// Trials that it is to have.
        count: u64,
    },
    /// The machine refused threads.
    #[error("failed to start workers: {0}")]
    Workers(io::Error),
    /// Items were added or taken away since the run began.
    #[error("item {place} was `{was}` when run `{run}` began, now it is `{now}`")]
    ItemsDiffer {
        /// Its position, from 1.
        place: u64,
        /// Its id then.
        was: String,
        /// The id of the item there now.
        now: String,
        /// The run.
        run: String,
    },
    /// Items were asked for that the input does not have.
    #[error("the input has no item {}", ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "))]
    UnknownItems {
        /// Their ids.
        ids: Vec<String>,
        /// What may have been meant, or what there is.
        hint: String,
    },
    /// An item is not what it was when the run began.
    #[error("item `{item}` has changed since run `{run}` began")]
    ItemChanged {
        /// The item.
        item: String,
        /// The run.
        run: String,
    },
}

impl EngineError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoInput { patterns } if patterns.iter().any(|pattern| Path::new(pattern).is_dir()) => {
                Some("it is a folder: add `/*` for the files in it, or `/**/*` for those of its folders too".to_owned())
            }
            Self::NoInput { patterns } if patterns.iter().any(|pattern| pattern.contains("/~/")) => {
                Some("`~` is a folder of that name here: write the path of the home folder".to_owned())
            }
            Self::NoInput { .. } => {
                Some("patterns in a pipeline start from its folder, those of --input from the current one".to_owned())
            }
            Self::EmptyFolder { .. } => Some(
                "for files of other names, or in folders inside it, write a pattern, such as `**/*.json`".to_owned(),
            ),
            Self::ItemChanged { .. } | Self::ItemsDiffer { .. } => {
                Some("start a new run, or restore the input".to_owned())
            }
            Self::UnknownItems { hint, .. } => Some(hint.clone()),
            Self::Store(error) if error.is_without_thread() => Some(hint_for_threads()),
            Self::Store(error) => error.hint(),
            Self::Workers(_) => Some(hint_for_threads()),
            Self::Route(error) => error.hint(),
            Self::Study(error) => error.hint(),
            Self::FewerTrials { begun, .. } => {
                Some(format!("what was tried stays: set `input.count` to {begun} or more, or start a new run"))
            }
            Self::Search { .. } | Self::BadGlob { .. } | Self::Source { .. } | Self::SourcePanicked => None,
        }
    }
}

/// Why a single item could not be read. It becomes a failed item; the run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFault {
    /// What is wrong, naming the place.
    pub message: String,
}
