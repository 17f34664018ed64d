//! Why the record could not be written or read.

use std::{io, path::PathBuf};

use super::find::listed;

/// Why the record could not be written or read. Nothing is ever deleted because of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder could not be written or read.
    #[error("failed to {action} `{}`: {source}", path.display())]
    File {
        /// What was tried, as in "failed to …".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk is full.
    #[error("the disk is full at `{}`", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// Another process holds the run.
    #[error("run `{}` is in use by another process", path.display())]
    InUse {
        /// The run folder.
        path: PathBuf,
    },
    /// The record is damaged.
    #[error("`{}` is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, or what SQLite reports.
        message: String,
    },
    /// It was written by a later program.
    #[error("`{}` was written by a newer jackfield (format {found}; this one reads up to {known})", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The latest version that this program reads.
        known: u64,
    },
    /// Rows of the record are not as they were written.
    #[error("`{}` is damaged: {what} does not have its checksum", path.display())]
    DamagedRows {
        /// The file.
        path: PathBuf,
        /// What is damaged, in words.
        what: String,
    },
    /// The record does not belong to `run.json`.
    #[error("`{}` is not the record that `run.json` speaks of: {message}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// How they differ.
        message: String,
    },
    /// The record is that of another run.
    #[error("`{}` is the record of run `{found}`, not of run `{wanted}`", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Whose record it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// The record is missing.
    #[error("run `{run}` has no record: `{}` is missing", path.display())]
    NoRecord {
        /// The run.
        run: String,
        /// The file.
        path: PathBuf,
    },
    /// There is a symbolic link in the folder of a run.
    #[error("`{}` is a symbolic link, and none is followed in the folder of a run", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The folder of a run was removed or replaced while the run was at work.
    #[error("the run folder `{}` was removed or replaced while the run was at work", path.display())]
    Gone {
        /// The folder.
        path: PathBuf,
    },
    /// There is no such run.
    #[error("there is no run `{name}` in `{}`", folder.display())]
    NoRun {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// Names of runs that may have been meant, the nearest first.
        near: Vec<String>,
    },
    /// Several runs have a name that begins so.
    #[error("`{name}` could be any of {} runs in `{}`", names.len(), folder.display())]
    AmbiguousRun {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// Their names, the newest first.
        names: Vec<String>,
    },
    /// There are runs, but none of this pipeline.
    #[error("there is no run of pipeline `{pipeline}` in `{}`", folder.display())]
    NoRunOfPipeline {
        /// Name of the pipeline.
        pipeline: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The pipelines that there are runs of.
        others: Vec<String>,
    },
    /// A folder that was to be removed is not that of a run.
    #[error("`{}` is not the folder of a run", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// Anything else that SQLite reports.
    #[error("failed to use `{}`: {message}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What is wrong, or what SQLite reports.
        message: String,
    },
    /// The thread that writes is gone.
    #[error("the record is no longer being written")]
    WriterGone,
}

impl StoreError {
    /// What went wrong with a file.
    pub fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path }
        } else {
            Self::File { action, path, source }
        }
    }

    pub(super) fn sqlite(path: impl Into<PathBuf>, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (path, message) = (path.into(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, message },
            _ => Self::Sqlite { path, message },
        }
    }

    /// Whether the file lies where this process may not write or read.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let refused = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
        matches!(self, Self::File { source, .. } if refused.contains(&source.kind()))
    }

    /// Whether the system did not start a thread.
    #[must_use]
    pub fn is_without_thread(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::WouldBlock)
    }

    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Full { .. } => Some("free some space and go on with --resume: nothing finished is lost".to_owned()),
            Self::InUse { .. } => Some("wait for it, or stop it".to_owned()),
            Self::Damaged { path, .. } if path.extension().is_some_and(|ending| ending == "json") => {
                Some("nothing was deleted; put back a copy of the file, or start a new run".to_owned())
            }
            Self::Damaged { .. } => Some(
                "nothing was deleted; `sqlite3 FILE .recover` may save what is left, or start a new run".to_owned(),
            ),
            Self::TooNew { .. } => Some("use that version of jackfield, or a newer one".to_owned()),
            Self::DamagedRows { .. } => Some("go on with the run (--resume): what is damaged is made again".to_owned()),
            Self::Contradiction { .. } | Self::OtherRun { .. } => {
                Some("put back the file that belongs to the run, or start a new run".to_owned())
            }
            Self::NoRecord { .. } => Some("move it back, or start a new run".to_owned()),
            Self::Link { .. } => Some("remove it, or put what it points at in its place".to_owned()),
            Self::Gone { .. } => Some("start a new run: what was recorded went with the folder".to_owned()),
            Self::NoRun { near, .. } if !near.is_empty() => Some(format!("did you mean {}?", listed(near))),
            Self::NoRun { .. } => Some("`jackfield runs list` shows those there are".to_owned()),
            Self::AmbiguousRun { names, .. } => Some(format!("write more of its name: {}", listed(names))),
            Self::NoRunOfPipeline { others, .. } => Some(format!("there are runs of {}", listed(others))),
            Self::NotARun { .. } => Some("name a run: `jackfield runs list` shows those there are".to_owned()),
            Self::File { .. } if self.is_refused() => {
                Some("use --out to name a folder that you may write to".to_owned())
            }
            Self::File { .. } | Self::Sqlite { .. } | Self::WriterGone => None,
        }
    }
}
