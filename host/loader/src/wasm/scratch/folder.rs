//! Scratch folders on disk. Those of a process lie in a folder of its own, in which it keeps a file locked. If the lock of such
//! a folder is free, its process was killed, and the folder can be removed.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    sync::{Arc, Mutex, Once, Weak},
    time::{Duration, SystemTime},
};

use jackfield_plugin_api::sync::lock;
use rustix::{fs::OFlags, process::geteuid};
use tempfile::TempDir;

/// The beginning of the names of the folders of all processes.
const PREFIX: &str = "jackfield-scratch-";
/// The file in them that is locked.
const LOCK: &str = ".lock";
/// The name of that file until it is locked.
const UNLOCKED: &str = ".lock.new";
/// The age from which a folder without that file is not one that is just being made.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A scratch folder, for as long as this lives.
pub(in super::super) struct ScratchFolder {
    // The fields are dropped in this order.
    folder: TempDir,
    _process: Arc<ProcessFolder>,
}

/// The folder of this process, which exists while any scratch folder is in it.
struct ProcessFolder {
    folder: TempDir,
    /// The lock, which the kernel gives up with the process.
    _lock: File,
}

static PROCESS: Mutex<Weak<ProcessFolder>> = Mutex::new(Weak::new());

impl ScratchFolder {
    /// An empty folder of this user alone.
    pub(in super::super) fn new() -> io::Result<Self> {
        let process = ProcessFolder::get()?;
        Ok(Self { folder: closed(process.folder.path(), "call-")?, _process: process })
    }

    pub(in super::super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl ProcessFolder {
    fn get() -> io::Result<Arc<Self>> {
        let mut known = lock(&PROCESS);
        if let Some(process) = known.upgrade() {
            return Ok(process);
        }
        let folder = closed(&std::env::temp_dir(), &format!("{PREFIX}{}-", std::process::id()))?;
        let lock_file = File::create_new(folder.path().join(UNLOCKED))?;
        lock_file.lock()?;
        // From now on, other processes may see the file.
        fs::rename(folder.path().join(UNLOCKED), folder.path().join(LOCK))?;
        let process = Arc::new(Self { folder, _lock: lock_file });
        *known = Arc::downgrade(&process);
        Ok(process)
    }
}

fn closed(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

/// Removes, once in a process, what processes of this user have left that were killed.
pub(in super::super) fn sweep() {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep_in(&std::env::temp_dir()));
}

fn sweep_in(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        // If it is a link, the metadata of the link itself is what counts.
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        let ours = about.is_dir() && about.uid() == geteuid().as_raw();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && ours && is_left(&path, &about) {
            match fs::remove_dir_all(&path) {
                Ok(()) => tracing::info!("removed `{}`, which a process left that was killed", path.display()),
                Err(error) => tracing::debug!("`{}` is not removed: {error}", path.display()),
            }
        }
    }
}

/// Whether nobody holds the lock of a process's folder.
fn is_left(folder: &Path, about: &fs::Metadata) -> bool {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let opened = File::options().read(true).custom_flags(flags.cast_signed()).open(folder.join(LOCK));
    match opened {
        Ok(lock) => matches!(lock.try_lock(), Ok(())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let age = about.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
            age.is_some_and(|age| age > ABANDONED)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::TryLockError, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn what_is_left_is_removed_and_what_is_held_or_anothers_is_not() {
        let parent = tempfile::tempdir().expect("a folder");
        let make = |name: &str, lock: bool| {
            let folder = parent.path().join(name);
            fs::create_dir_all(folder.join("call-1/deep")).expect("made");
            fs::write(folder.join("call-1/deep/file"), "left").expect("written");
            if lock {
                fs::write(folder.join(LOCK), "").expect("written");
            }
            folder
        };
        let held = make("jackfield-scratch-1-a", true);
        let lock = File::open(held.join(LOCK)).expect("opened");
        lock.lock().expect("locked");
        let left = make("jackfield-scratch-2-b", true);
        let being_made = make("jackfield-scratch-3-c", false);
        let older = make("jackfield-scratch-d", false);
        File::open(&older).and_then(|folder| folder.set_modified(SystemTime::now() - 2 * ABANDONED)).expect("aged");
        let other = make("something-else", true);
        symlink(&other, parent.path().join("jackfield-scratch-4-e")).expect("linked");
        // A link in it is removed, not what it leads to.
        symlink(&other, left.join("call-1/out")).expect("linked");

        sweep_in(parent.path());
        assert!(held.exists() && being_made.exists() && other.join("call-1/deep/file").exists());
        assert!(!left.exists() && !older.exists());
        drop(lock);
        sweep_in(parent.path());
        assert!(!held.exists());
    }

    #[test]
    fn the_folder_of_a_process_is_locked_and_goes_with_the_last_of_its_calls() {
        let (one, other) = (ScratchFolder::new().expect("made"), ScratchFolder::new().expect("made"));
        let process = one.path().parent().expect("the process's").to_owned();
        assert_eq!(other.path().parent(), Some(&*process));
        assert_eq!(fs::metadata(&process).expect("there").mode() & 0o777, 0o700);
        let lock = File::open(process.join(LOCK)).expect("opened");
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && process.exists());
        drop(other);
        assert!(!process.exists());
    }
}
