//! Files of a run's folder, which may come from a stranger: no symbolic link inside it is followed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use jackfield_loader::regular_file;

use super::StoreError;

/// Opens a file that is read, unless it is a link or something that never ends.
pub(super) fn open(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK, a pipe waits for somebody to write to it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The bytes of a file.
pub(super) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a file that is written from its beginning; what was in it goes.
pub(super) fn create(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK, a pipe of that name waits for somebody to read from it.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Opens a file to hold a lock on, and leaves what is in it.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    OpenOptions::new().write(true).create(true).truncate(false).custom_flags(flags).open(path)
}

/// Makes a folder in one that exists, unless it exists too. Never makes the one above: it must be noticed when that is gone.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let made = match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => Ok(()),
            Ok(there) if there.is_symlink() => return Err(StoreError::Link { path: path.to_owned() }),
            Ok(_) => Err(error),
            Err(error) => Err(error),
        },
        made => made,
    };
    made.map_err(|source| StoreError::file("make", path, source))
}

/// Refuses a run's folder with a symbolic link directly in it, or with what would keep a reader waiting, such as a FIFO: no
/// program of ours makes one.
pub(super) fn refuse_links(folder: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(|source| StoreError::file("read", folder, source))?;
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            return Err(StoreError::Link { path: entry.path() });
        }
        if !kind.is_dir() {
            regular_file::only_regular(kind).map_err(|source| StoreError::file("use", entry.path(), source))?;
        }
    }
    Ok(())
}

/// What tells a file from every other, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity(u64, u64);

impl FileIdentity {
    /// That of the file at a path; none if there is none.
    pub(super) fn at(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().map(|there| Self(there.dev(), there.ino()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_what_would_keep_a_reader_waiting_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("items")).expect("made");
        fs::write(folder.path().join("run.json"), "{}").expect("written");
        refuse_links(folder.path()).expect("an honest run");
        let fifo = folder.path().join("store.sqlite");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        let refused = refuse_links(folder.path()).expect_err("refused").to_string();
        assert!(refused.contains("store.sqlite") && refused.contains("a FIFO, not a regular file"), "{refused}");
        // Nor is it waited for where a file is written.
        create(&fifo).expect_err("nobody reads it");
    }
}
