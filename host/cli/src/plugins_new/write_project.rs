//! Writing a project's files: all of them or none.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::project_file::ProjectFile;

/// Why a project was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteProjectError {
    /// There is a file of this name, or a folder that is not empty.
    #[error("`{}` is there already, and is not an empty folder", .0.display())]
    Taken(PathBuf),
    /// The file system reported an error.
    #[error("cannot make `{}`: {}", .0.display(), .1)]
    Write(PathBuf, io::Error),
}

/// Writes a project into a folder that is empty or not there yet.
pub(crate) fn write_project(dir: &Path, files: &[ProjectFile]) -> Result<(), WriteProjectError> {
    let write_error = |error| WriteProjectError::Write(dir.to_owned(), error);
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.find(|entry| !entry.as_ref().is_ok_and(|entry| entry.file_name() == GIT)) {
            None => fill_empty_folder(dir, files).map_err(write_error),
            Some(_) => Err(WriteProjectError::Taken(dir.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_folder(dir, files).map_err(write_error),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(WriteProjectError::Taken(dir.to_owned())),
        Err(error) => Err(write_error(error)),
    }
}

/// What `git init` leaves: a folder with nothing else is as good as empty.
const GIT: &str = ".git";

/// Makes the folder. The project is written to a temporary folder beside it, which is renamed once it is whole.
fn make_folder(dir: &Path, files: &[ProjectFile]) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let parent = dir.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent)?;
    let temporary = write_to_temporary_folder(parent, files)?;
    fs::rename(temporary.path().join(PROJECT), &dir)
}

/// Fills an empty folder, which may be the current one and so cannot be replaced. The project is written to a temporary folder
/// inside it, whose entries are moved up once it is whole.
fn fill_empty_folder(dir: &Path, files: &[ProjectFile]) -> io::Result<()> {
    let temporary = write_to_temporary_folder(dir, files)?;
    let mut moved = Vec::new();
    let result = fs::read_dir(temporary.path().join(PROJECT))?.try_for_each(|entry| {
        let entry = entry?;
        let target = dir.join(entry.file_name());
        fs::rename(entry.path(), &target)?;
        moved.push(target);
        Ok(())
    });
    if result.is_err() {
        for target in moved {
            let _ = if target.is_dir() { fs::remove_dir_all(target) } else { fs::remove_file(target) };
        }
    }
    result
}

/// The name of the project's folder inside the temporary folder. The temporary folder can be read by this user alone; this one has
/// the usual permissions.
const PROJECT: &str = "project";

/// Makes a temporary folder in `parent` with the project in it.
fn write_to_temporary_folder(parent: &Path, files: &[ProjectFile]) -> io::Result<TempDir> {
    let temporary = tempfile::Builder::new().prefix(".jackfield-new-").tempdir_in(parent)?;
    for file in files {
        let path = temporary.path().join(PROJECT).join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(parent))?;
        fs::write(&path, &file.text)?;
        if file.text.starts_with("#!") {
            let mut permissions = fs::metadata(&path)?.permissions();
            // Everyone who may read it may also execute it.
            permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
            fs::set_permissions(&path, permissions)?;
        }
    }
    Ok(temporary)
}
