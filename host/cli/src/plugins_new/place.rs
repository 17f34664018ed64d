//! Putting a project's files in their place: all of them or none.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::template::File;

/// Why a project was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    /// The folder is somebody's already.
    #[error("`{}` is there already, and is not an empty folder", .0.display())]
    Taken(PathBuf),
    /// It could not be written.
    #[error("cannot make `{}`: {}", .0.display(), .1)]
    Write(PathBuf, io::Error),
}

/// Writes a project into a folder that is empty or not there yet.
pub(super) fn place(dir: &Path, files: &[File]) -> Result<(), PlaceError> {
    let wrong = |error| PlaceError::Write(dir.to_owned(), error);
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => fill(dir, files).map_err(wrong),
            Some(_) => Err(PlaceError::Taken(dir.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(dir, files).map_err(wrong),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(PlaceError::Taken(dir.to_owned())),
        Err(error) => Err(wrong(error)),
    }
}

/// Makes the folder: written aside, then renamed.
fn make(dir: &Path, files: &[File]) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let parent = dir.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent)?;
    let aside = aside(parent, files)?;
    fs::rename(aside.path().join(PROJECT), &dir)
}

/// Fills an empty folder, which may be the one that the user is in: written aside in it, then moved up.
fn fill(dir: &Path, files: &[File]) -> io::Result<()> {
    let aside = aside(dir, files)?;
    let mut moved = Vec::new();
    let done = fs::read_dir(aside.path().join(PROJECT))?.try_for_each(|entry| {
        let entry = entry?;
        let target = dir.join(entry.file_name());
        fs::rename(entry.path(), &target)?;
        moved.push(target);
        Ok(())
    });
    if done.is_err() {
        for target in moved {
            let _ = if target.is_dir() { fs::remove_dir_all(target) } else { fs::remove_file(target) };
        }
    }
    done
}

/// The name of the project's folder in the temporary one, which is closed to others; this one is as any.
const PROJECT: &str = "project";

/// A temporary folder with the project.
fn aside(parent: &Path, files: &[File]) -> io::Result<TempDir> {
    let aside = tempfile::Builder::new().prefix(".jackfield-new-").tempdir_in(parent)?;
    for file in files {
        let path = aside.path().join(PROJECT).join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(parent))?;
        fs::write(&path, &file.text)?;
        if file.text.starts_with("#!") {
            let mut permissions = fs::metadata(&path)?.permissions();
            // Whoever may read it may run it.
            permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
            fs::set_permissions(&path, permissions)?;
        }
    }
    Ok(aside)
}
