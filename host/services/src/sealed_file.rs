//! Files in which something is kept from run to run: JSON with a version and a checksum.

use std::{
    fs::{self, File},
    path::Path,
};

use jackfield_loader::regular_file;
use jackfield_store::{StoreError, is_whole};
use serde::{Deserialize, de::DeserializeOwned};

/// The part of a file that says its version.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    format: u32,
}

/// What is in a file; none if there is no file. `latest` is the latest version that can be read, `first_sealed` the first one
/// that has a checksum.
///
/// # Errors
/// If the file cannot be read, is damaged, or was written by a later program.
pub(super) fn read<T: DeserializeOwned>(path: &Path, latest: u32, first_sealed: u32) -> Result<Option<T>, StoreError> {
    let damaged = |message: String| StoreError::Damaged { path: path.to_owned(), message };
    let text = match regular_file::read_text(path, regular_file::MOST_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // Bytes that are not text.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(damaged(error.to_string())),
        Err(source) => return Err(StoreError::file("read", path, source)),
    };
    let Version { format: found } = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if found > latest {
        return Err(StoreError::TooNew { path: path.to_owned(), found: found.into(), known: latest.into() });
    }
    let has_checksum = text.contains("\n  \"checksum\": ");
    if (found >= first_sealed || has_checksum) && !is_whole(&text) {
        return Err(damaged("it is not as it was written: its checksum is another".to_owned()));
    }
    serde_json::from_str(&text).map(Some).map_err(|error| damaged(error.to_string()))
}

/// Locks a file against other processes, for as long as what is returned lives; waits until nobody else has locked it.
///
/// # Errors
/// If the file beside it that is locked cannot be made.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let (lock, file) = lock_file(path)?;
    file.lock().map_err(|source| StoreError::file("lock", lock, source))?;
    Ok(file)
}

/// The same, without waiting: none if somebody else has locked it.
///
/// # Errors
/// As those of [`lock`].
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, StoreError> {
    let (lock, file) = lock_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(source)) => Err(StoreError::file("lock", lock, source)),
    }
}

fn lock_file(path: &Path) -> Result<(std::path::PathBuf, File), StoreError> {
    let lock = path.with_extension("lock");
    if let Some(folder) = lock.parent() {
        fs::create_dir_all(folder).map_err(|source| StoreError::file("make", folder, source))?;
    }
    if let Ok(about) = fs::metadata(&lock) {
        regular_file::only_regular(about.file_type()).map_err(|source| StoreError::file("make", &lock, source))?;
    }
    let file = File::create(&lock).map_err(|source| StoreError::file("make", &lock, source))?;
    Ok((lock, file))
}
