//! The folder of a run.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use jackfield_loader::{Digest, regular_file};
use jackfield_pipeline::Plan;
use serde::{Deserialize, Serialize};

use super::{
    Spend, StoreError,
    checksum::{is_whole, sealed_json},
    clock,
    db::{Db, STORE},
    find::{LastOf, find, next_order},
    plain::{self, FileIdentity},
    removal::remove_tree,
};
use crate::{RunState, Summary, timestamp};

/// The version of `run.json` that this program writes; it reads those before it. Since 2 there is a checksum.
const FORMAT: u32 = 2;

/// What the record held when a session ended: a record with less is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Items that were taken up.
    pub items: u64,
    /// Results of calls.
    pub results: u64,
    /// Completions.
    pub completions: u64,
    /// Decisions of routes.
    #[serde(default)]
    pub decisions: u64,
    /// Records of what caches were asked.
    #[serde(default)]
    pub lookups: u64,
    /// Events.
    #[serde(default)]
    pub events: u64,
}

impl Recorded {
    /// Whether nothing was begun: there is no item, no call and no completion. That a session began is no work.
    #[must_use]
    pub const fn has_nothing(self) -> bool {
        let Self { items, results, completions, decisions, lookups, events: _ } = self;
        items + results + completions + decisions + lookups == 0
    }
}

/// `run.json`: what ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunJson {
    /// Version of this file's shape.
    pub format: u32,
    /// Checksum of the file. Set as it is written.
    #[serde(default)]
    pub checksum: String,
    /// Id of the run: the name of its folder.
    pub run: String,
    /// Name of the pipeline.
    pub pipeline: String,
    /// The pipeline file, absolute.
    pub file: PathBuf,
    /// Digest of the plan: two runs with the same digest, seed and items have the same results.
    pub digest: Digest,
    /// Version of the program.
    pub version: String,
    /// When the run began (RFC 3339).
    pub began: String,
    /// Where the run stands among those of its folder, the smallest first: when it was made, in milliseconds since 1970; or one
    /// more than the run before it, where the clock was set back in between. 0 in the runs of older programs.
    #[serde(default)]
    pub order: u64,
    /// When it ended, if it did.
    pub ended: Option<String>,
    /// Whether it is at work, interrupted or ended.
    pub state: RunState,
    /// The plugins that stages use, by alias.
    pub plugins: Vec<PluginJson>,
    /// Counts and times of the last session that ended in order.
    pub summary: Option<Summary>,
    /// What the stages spent, in all sessions, by name; those that spent nothing are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spend: BTreeMap<String, Spend>,
    /// What the record held when the last session ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// The ids of the items that the run is restricted to; empty if it is over all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The plan, config and all.
    pub plan: Plan,
}

impl RunJson {
    /// A run of a plan that begins now, in a folder of its own.
    #[must_use]
    pub fn new(folder: &RunFolder, plan: &Plan, file: PathBuf, plugins: Vec<PluginJson>) -> Self {
        Self {
            format: FORMAT,
            checksum: String::new(),
            run: folder.id(),
            pipeline: plan.name.clone(),
            file,
            digest: plan.digest.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began: timestamp(),
            order: next_order(folder.path()),
            ended: None,
            state: RunState::Running,
            plugins,
            summary: None,
            spend: BTreeMap::new(),
            recorded: None,
            only: Vec::new(),
            plan: plan.clone(),
        }
    }
}

/// A plugin in `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginJson {
    /// Its alias.
    pub alias: String,
    /// How it came in.
    #[serde(rename = "form")]
    pub linkage: jackfield_loader::Linkage,
    /// Digest of the artifact.
    pub digest: Digest,
    /// Its file, with what the pipeline says about it, for a resume.
    pub path: Option<PathBuf>,
}

/// Name of the file that holds a folder.
const LOCK: &str = ".lock";

/// What the items of standard input are kept as in the folder of a run.
pub const KEPT_INPUT: &str = "stdin";

/// The file that [`KEPT_INPUT`] is written into first.
pub const KEPT_INPUT_PART: &str = "stdin.part";

/// So many times a folder's lock is tried: whoever looks whether it is held has it for a moment.
const LOCK_TRIES: u32 = 5;

/// The pause between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(4);

/// The folder of a run, held by this process. One that this process has made, and in which no run has begun, is removed when
/// it is dropped.
pub struct RunFolder {
    path: PathBuf,
    /// Held until the process ends, however it ends.
    _lock: File,
    guard: FolderGuard,
    /// Whether this process has made it.
    is_new: bool,
    /// The folder above it, if this process has made that too.
    made_above: Option<PathBuf>,
}

/// Checks whether a folder is still the one that is held.
#[derive(Clone, Debug)]
pub struct FolderGuard {
    folder: PathBuf,
    /// The file that is held.
    held: Option<FileIdentity>,
}

impl FolderGuard {
    /// Checks the folder.
    ///
    /// # Errors
    /// [`StoreError::Gone`] if the folder was removed, or another one is in its place.
    pub fn check(&self) -> Result<(), StoreError> {
        let found = FileIdentity::at(&self.folder.join(LOCK));
        if found.is_some() && found == self.held { Ok(()) } else { Err(StoreError::Gone { path: self.folder.clone() }) }
    }
}

impl RunFolder {
    /// Makes a new folder below `out`: `<pipeline>-<date>-<time>-<4 digits>`.
    pub fn create(out: &Path, pipeline: &str) -> Result<Self, StoreError> {
        let now = clock::now();
        let stamp: String = humantime::format_rfc3339_seconds(now)
            .to_string()
            .chars()
            .filter_map(|c| if c == 'T' { Some('-') } else { c.is_ascii_digit().then_some(c) })
            .collect();
        let noise = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        for attempt in 0..1000 {
            let suffix = (noise ^ std::process::id().rotate_left(16)).wrapping_add(attempt) & 0xffff;
            let path = out.join(format!("{pipeline}-{stamp}-{suffix:04x}"));
            let made_above = (!out.exists()).then(|| out.to_owned());
            fs::create_dir_all(out).map_err(|source| StoreError::file("make", out, source))?;
            match fs::create_dir(&path) {
                Ok(()) => {
                    let mut folder = Self::hold(path)?;
                    (folder.is_new, folder.made_above) = (true, made_above);
                    return Ok(folder);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(StoreError::file("make", path, source)),
            }
        }
        Err(StoreError::file("make", out, std::io::Error::other("every name is taken")))
    }

    /// Takes hold of an existing folder: a path, or the name of a run below `out`; the beginning of a name will do where
    /// it is unique, and `last` is the newest run.
    pub fn open(out: &Path, name: &str) -> Result<Self, StoreError> {
        Self::open_of(out, name, LastOf::Folder)
    }

    /// As [`open`](Self::open), where `last` is the newest run of a pipeline.
    pub fn open_of(out: &Path, name: &str, last: LastOf<'_>) -> Result<Self, StoreError> {
        Self::hold(find(out, name, last)?)
    }

    /// Takes hold of a folder, whatever is in it but symbolic links.
    pub fn hold(path: PathBuf) -> Result<Self, StoreError> {
        plain::refuse_links(&path)?;
        Self::hold_with_links(path)
    }

    /// Takes hold of a folder that is not going to be read.
    pub(super) fn hold_with_links(path: PathBuf) -> Result<Self, StoreError> {
        let file = path.join(LOCK);
        if let Ok(there) = fs::symlink_metadata(&file) {
            let regular = regular_file::only_regular(there.file_type());
            regular.map_err(|source| StoreError::file("lock", &file, source))?;
        }
        let lock = plain::lock_file(&file).map_err(|source| StoreError::file("make", &file, source))?;
        let mut tries = LOCK_TRIES;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                // Somebody may just be looking whether it is held.
                Err(TryLockError::WouldBlock) if tries > 1 => {
                    tries -= 1;
                    thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path }),
                Err(TryLockError::Error(source)) => return Err(StoreError::file("lock", file, source)),
            }
        }
        let guard = FolderGuard { folder: path.clone(), held: FileIdentity::at(&file) };
        Ok(Self { path, _lock: lock, guard, is_new: false, made_above: None })
    }

    /// Removes the folder with all that is in it, if this process has made it; what was there before stays.
    ///
    /// # Errors
    /// If something in it cannot be removed.
    pub fn discard(self) -> Result<(), StoreError> {
        if !self.is_new {
            return Ok(());
        }
        self.guard.check()?;
        self.remove()
    }

    fn remove(&self) -> Result<(), StoreError> {
        remove_tree(&self.path)?;
        // It stays if there is anything else in it.
        self.made_above.iter().for_each(|above| _ = fs::remove_dir(above));
        Ok(())
    }

    /// Checks whether the folder is still the one that is held.
    #[must_use]
    pub fn guard(&self) -> FolderGuard {
        self.guard.clone()
    }

    /// Whether a run has begun in the folder.
    #[must_use]
    pub fn has_run(&self) -> bool {
        fs::symlink_metadata(self.path.join("run.json")).is_ok()
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Id of the run.
    #[must_use]
    pub fn id(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The SQLite file, opened.
    pub fn db(&self) -> Result<Db, StoreError> {
        Db::open(&self.path.join(STORE))
    }

    /// The SQLite file of a run that has begun, opened.
    ///
    /// # Errors
    /// If it is missing: opening it would make an empty one.
    pub fn db_of_run(&self) -> Result<Db, StoreError> {
        existing(&self.path, &self.id())?;
        self.db()
    }

    /// Writes `run.json`.
    pub fn write_run(&self, run: &RunJson) -> Result<(), StoreError> {
        let text = sealed_json(&RunJson { format: FORMAT, ..run.clone() });
        super::atomic::write_in_held_folder(&self.path.join("run.json"), super::atomic::Durable::Yes, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        })
    }

    /// Reads `run.json`.
    pub fn read_run(&self) -> Result<RunJson, StoreError> {
        read_run(&self.path)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.is_new || self.has_run() || self.guard.check().is_err() {
            return;
        }
        // A folder without a run is of no use to anybody. Whatever somebody else has put there stays, and so does the folder.
        let _ = fs::remove_dir(self.path.join("calls"));
        let is_own = |entry: fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            [LOCK, KEPT_INPUT, KEPT_INPUT_PART].contains(&&*name) || name.starts_with(STORE)
        };
        if fs::read_dir(&self.path).into_iter().flatten().flatten().all(is_own) {
            let _ = self.remove();
        }
    }
}

/// Whether a process is at work on the run in a folder; false where that cannot be known.
#[must_use]
pub fn is_held(folder: &Path) -> bool {
    let Ok(lock) = plain::open(&folder.join(LOCK)) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The part of `run.json` that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

pub(super) fn read_run(path: &Path) -> Result<RunJson, StoreError> {
    let file = path.join("run.json");
    let text = match plain::read(&file) {
        Ok(text) => text,
        Err(_) if fs::symlink_metadata(&file).is_ok_and(|there| there.is_symlink()) => {
            return Err(StoreError::Link { path: file });
        }
        // Bytes that are no text.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Err(StoreError::Damaged { path: file, message: error.to_string() });
        }
        Err(source) => return Err(StoreError::file("read", &file, source)),
    };
    let damaged = |message: String| StoreError::Damaged { path: file.clone(), message };
    let Version { format } = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if format > FORMAT {
        return Err(StoreError::TooNew { path: file, found: format.into(), known: FORMAT.into() });
    }
    if format == 0 || format > 1 && !is_whole(&text) || format == 1 && text.contains("\n  \"checksum\": ") {
        return Err(damaged("it is not as it was written: its checksum is another".to_owned()));
    }
    serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))
}

/// The SQLite file in the folder of a run.
fn existing(folder: &Path, run: &str) -> Result<PathBuf, StoreError> {
    let store = folder.join(STORE);
    match fs::symlink_metadata(&store) {
        Ok(_) => Ok(store),
        Err(_) => Err(StoreError::NoRecord { run: run.to_owned(), path: store }),
    }
}

/// The record of a run that was [peeked](peek) at, for reading alone.
///
/// # Errors
/// If it is missing or cannot be read.
pub fn read_record(folder: &Path, run: &RunJson) -> Result<Db, StoreError> {
    Db::read(&existing(folder, &run.run)?)
}
