//! Removing runs. A run that is removed is renamed first, so that no half of one is ever taken for a run: whatever ends the
//! process in between, the rest goes with the next removal.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    RunFolder, StoreError,
    db::STORE,
    file_name::file_name_of,
    find::{Head, folders},
};

/// The beginning of the name of a folder that is being removed.
pub(super) const REMOVING: &str = ".removing-";

/// Whether a folder is that of a run: a real folder, in which a run has begun.
pub(super) fn is_run(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|there| there.is_dir() || there.is_symlink());
    is_folder && folder.join("run.json").is_file()
}

/// Removes a run that no process is at work on, with all that is in its folder. Symbolic links are removed, and what they
/// point at stays. Returns how many bytes it took on disk.
///
/// # Errors
/// If it is not the folder of a run, if it is in use, or if it cannot be removed.
pub fn remove_run(folder: &Path) -> Result<u64, StoreError> {
    let there = fs::symlink_metadata(folder).map_err(|source| StoreError::file("remove", folder, source))?;
    if there.is_symlink() {
        return Err(StoreError::Link { path: folder.to_owned() });
    }
    // Of a folder of somebody else's, nothing goes because a file in it is called `run.json`.
    let is_file = |name: &str| fs::symlink_metadata(folder.join(name)).is_ok_and(|there| there.is_file());
    if !there.is_dir()
        || !is_file("run.json")
        || !(is_file(STORE) || Head::of(folder).is_some_and(|head| head.is_of_a_run()))
    {
        return Err(StoreError::NotARun { path: folder.to_owned() });
    }
    let _held = RunFolder::hold_with_links(folder.to_owned())?;
    let bytes = disk_use(folder);
    remove_tree(folder)?;
    Ok(bytes)
}

/// Removes a folder: renamed first, then emptied.
pub(super) fn remove_tree(folder: &Path) -> Result<(), StoreError> {
    let removed = |source| StoreError::file("remove", folder, source);
    let name = file_name_of(&folder.file_name().unwrap_or_default().to_string_lossy());
    let aside = folder.with_file_name(format!("{REMOVING}{name}"));
    // Left by a removal of a run of this name that did not come to its end.
    if fs::symlink_metadata(&aside).is_ok_and(|there| there.is_dir()) {
        fs::remove_dir_all(&aside).map_err(removed)?;
    }
    fs::rename(folder, &aside).map_err(removed)?;
    fs::remove_dir_all(&aside).map_err(removed)
}

/// Removes what removals left that did not come to their end.
pub fn sweep_removed(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_string_lossy().starts_with(REMOVING) {
            // Another process may be at it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the files of an item of a run whose lock this process holds, so that none of them is left when the item is made
/// again. `item_folder` is the name of their folder in `items`.
///
/// # Errors
/// If they cannot be removed.
pub fn remove_item_files(run: &Path, item_folder: &str) -> Result<(), StoreError> {
    let folder = run.join("items").join(item_folder);
    let removed = match fs::symlink_metadata(&folder) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(&folder),
        // A link or a file is no work of ours: whoever writes there refuses it.
        _ => Ok(()),
    };
    removed.map_err(|source| StoreError::file("remove", folder, source))
}

/// What a folder or a file takes on disk, in bytes, with all below it. Symbolic links are not followed; what cannot be read
/// counts as nothing.
#[must_use]
pub fn disk_use(path: &Path) -> u64 {
    let mut open = vec![path.to_owned()];
    let mut bytes = 0_u64;
    while let Some(path) = open.pop() {
        let Ok(there) = fs::symlink_metadata(&path) else { continue };
        bytes = bytes.saturating_add(there.blocks().saturating_mul(512));
        if there.is_dir() {
            open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    bytes
}

/// The folders of the runs below a folder, in no order.
#[must_use]
pub fn run_folders(out: &Path) -> Vec<PathBuf> {
    folders(out)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn run(out: &Path, name: &str) -> PathBuf {
        let folder = out.join(name);
        fs::create_dir_all(folder.join("items/a")).expect("made");
        for file in ["run.json", STORE, "items/a/brief.json"] {
            fs::write(folder.join(file), "{}").expect("written");
        }
        folder
    }

    #[test]
    fn a_run_goes_with_all_that_is_in_it_and_what_a_link_points_at_stays() {
        let out = tempfile::tempdir().expect("a folder");
        let elsewhere = out.path().join("elsewhere");
        fs::write(&elsewhere, "kept").expect("written");
        let folder = run(out.path(), "talks-1");
        symlink(&elsewhere, folder.join("items/a/link")).expect("a link");
        symlink(out.path(), folder.join("up")).expect("a link");
        assert!(remove_run(&folder).expect("removed") > 0);
        let left: Vec<_> =
            fs::read_dir(out.path()).expect("read").map(|entry| entry.expect("one").file_name()).collect();
        assert_eq!(left, ["elsewhere"]);
    }

    #[test]
    fn nothing_goes_that_is_not_a_run_or_is_in_use() {
        let out = tempfile::tempdir().expect("a folder");
        let mine = out.path().join("mine");
        fs::create_dir(&mine).expect("made");
        fs::write(mine.join("run.json"), "{}").expect("written");
        let refused = remove_run(&mine).expect_err("no record").to_string();
        assert!(refused.contains("is not the folder of a run"), "{refused}");
        let folder = run(out.path(), "talks-1");
        let link = out.path().join("talks-2");
        symlink(&folder, &link).expect("a link");
        assert!(matches!(remove_run(&link), Err(StoreError::Link { .. })));
        let held = RunFolder::hold(folder.clone()).expect("held");
        assert!(matches!(remove_run(&folder), Err(StoreError::InUse { .. })));
        drop(held);
        remove_run(&folder).expect("removed");
        assert!(mine.exists() && !folder.exists());
    }

    #[test]
    fn what_a_killed_removal_left_is_no_run_and_goes_with_the_next() {
        let out = tempfile::tempdir().expect("a folder");
        let folder = run(out.path(), "talks-1");
        fs::rename(&folder, out.path().join(format!("{REMOVING}talks-1"))).expect("renamed");
        assert!(folders(out.path()).is_empty());
        sweep_removed(out.path());
        assert_eq!(fs::read_dir(out.path()).expect("read").count(), 0);
    }
}
