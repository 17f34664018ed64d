//! Errors of SQLite, as failures.

use std::path::Path;

use jackfield_plugin_api::prelude::*;
use rusqlite::ErrorCode;

/// A failure of a call.
pub(super) fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let path = path.display();
    let Some(code) = error.sqlite_error_code() else {
        return Failure::Internal(format!("the cache `{path}`: {error}"));
    };
    Failure::Unavailable(match code {
        ErrorCode::DiskFull => format!("the disk is full: the cache `{path}` takes no more"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            format!("another process has held the cache `{path}` for too long")
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            format!("the cache `{path}` is damaged: delete it, and it will be made anew")
        }
        ErrorCode::ReadOnly => format!("the cache `{path}` cannot be written: it is read-only"),
        _ => format!("the cache `{path}`: {error}"),
    })
}

/// Where a cache can be that is not writable here.
pub(super) const ANOTHER_PATH: &str = "keep it elsewhere: `with = { path = \"...\" }` in its tier";

/// A failure of opening: what will not pass by itself is a fault of the configuration.
pub(super) fn opening_failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let shown = path.display();
    match error.sqlite_error_code() {
        // Whatever it is, it is left alone; a run goes on without it.
        Some(ErrorCode::NotADatabase) => {
            Failure::Unavailable(format!("`{shown}` is not a SQLite file: name another `path`, or delete it"))
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            // The other tiers serve, as beside a server that is unreachable: a folder is often read-only on another machine.
            Failure::Unavailable(format!("the cache `{shown}` cannot be written ({error}); {ANOTHER_PATH}"))
        }
        _ => failure(path, error),
    }
}
