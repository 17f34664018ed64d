//! The scratch folders that the host makes for a call, and what they hold.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How often they are looked at.
const PAUSE: Duration = Duration::from_millis(100);
/// What a file takes at the least: its name and its node are something, too.
const LEAST: u64 = 4096;

/// The folders; removed when the instance is.
pub(super) struct Scratch {
    folders: Vec<TempDir>,
    next: Instant,
}

impl Scratch {
    pub(super) fn new(folders: Vec<TempDir>) -> Self {
        Self { folders, next: Instant::now() + PAUSE }
    }

    /// Whether they hold more than this. They are looked at now and then, and the more there is in them the more seldom.
    pub(super) fn is_over(&mut self, most: u64) -> bool {
        let began = Instant::now();
        if self.folders.is_empty() || began < self.next {
            return false;
        }
        let over = holds_more_than(self.folders.iter().map(TempDir::path), most);
        self.next = Instant::now() + PAUSE.max(began.elapsed() * 10);
        over
    }
}

fn holds_more_than<'a>(folders: impl Iterator<Item = &'a Path>, most: u64) -> bool {
    let mut open: Vec<PathBuf> = folders.map(Path::to_owned).collect();
    let mut held = 0_u64;
    while let Some(folder) = open.pop() {
        // What cannot be read is gone: the guest is at work meanwhile.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            // Of a link, not of what it leads to.
            let Ok(entry_is) = entry.metadata() else { continue };
            if entry_is.is_dir() {
                open.push(entry.path());
            }
            held = held.saturating_add(on_disk(&entry_is).max(LEAST));
            if held > most {
                return true;
            }
        }
    }
    false
}

#[cfg(unix)]
fn on_disk(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(file).saturating_mul(512)
}

#[cfg(not(unix))]
fn on_disk(file: &fs::Metadata) -> u64 {
    file.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_folder_holds_is_counted_by_what_it_takes() {
        let folder = tempfile::tempdir().expect("a folder");
        let holds = |most| holds_more_than([folder.path()].into_iter(), most);
        assert!(!holds(0));
        fs::create_dir(folder.path().join("inner")).expect("made");
        fs::write(folder.path().join("inner/empty"), "").expect("written");
        assert!(holds(2 * LEAST - 1) && !holds(2 * LEAST));
        fs::write(folder.path().join("inner/file"), vec![1; 1 << 20]).expect("written");
        assert!(holds(1 << 20) && !holds(2 << 20));
        // A hole takes no room.
        fs::File::create(folder.path().join("hole")).and_then(|file| file.set_len(1 << 40)).expect("made");
        assert!(!holds(2 << 20));
    }
}
