//! The folder of a run.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jackfield_loader::{Digest, regular_file};
use jackfield_pipeline::Plan;
use serde::{Deserialize, Serialize};

use super::{
    Spend, StoreError,
    checksum::{is_whole, sealed_json},
    clock,
    db::{Db, STORE},
    plain::{self, FileIdentity},
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
            ended: None,
            state: RunState::Running,
            plugins,
            summary: None,
            spend: BTreeMap::new(),
            recorded: None,
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

/// The folder of a run, held by this process.
pub struct RunFolder {
    path: PathBuf,
    /// Held until the process ends, however it ends.
    _lock: File,
    guard: FolderGuard,
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
            fs::create_dir_all(out).map_err(|source| StoreError::file("make", out, source))?;
            match fs::create_dir(&path) {
                Ok(()) => return Self::hold(path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(StoreError::file("make", path, source)),
            }
        }
        Err(StoreError::file("make", out, std::io::Error::other("every name is taken")))
    }

    /// Takes hold of an existing folder: a path, or the name of a run below `out`; the beginning of a name will do where
    /// it is unique, and `last` is the newest run.
    pub fn open(out: &Path, name: &str) -> Result<Self, StoreError> {
        Self::hold(find(out, name)?)
    }

    /// Takes hold of a folder, whatever is in it but symbolic links.
    pub fn hold(path: PathBuf) -> Result<Self, StoreError> {
        plain::refuse_links(&path)?;
        let file = path.join(LOCK);
        if let Ok(there) = fs::symlink_metadata(&file) {
            let regular = regular_file::only_regular(there.file_type());
            regular.map_err(|source| StoreError::file("lock", &file, source))?;
        }
        let lock = plain::lock_file(&file).map_err(|source| StoreError::file("make", &file, source))?;
        match lock.try_lock() {
            Ok(()) => {
                let guard = FolderGuard { folder: path.clone(), held: FileIdentity::at(&file) };
                Ok(Self { path, _lock: lock, guard })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(StoreError::file("lock", file, source)),
        }
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

/// The folder of a run, without taking hold of it.
fn find(out: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let direct = Path::new(name);
    for path in [direct.to_owned(), out.join(name)] {
        if path.join("run.json").is_file() {
            return Ok(path);
        }
    }
    let mut runs = folders(out);
    if name != "last" {
        runs.retain(|path| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)));
    }
    runs.sort_by_key(|path| read_run(path).map(|run| run.began).unwrap_or_default());
    match runs.as_slice() {
        [only] => Ok(only.clone()),
        [.., newest] if name == "last" => Ok(newest.clone()),
        _ => Err(StoreError::NoRun { name: name.to_owned(), folder: out.to_owned() }),
    }
}

fn folders(out: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.join("run.json").is_file()).collect()
}

/// The part of `run.json` that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn read_run(path: &Path) -> Result<RunJson, StoreError> {
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

/// The runs below a folder, oldest first, and the folders whose `run.json` cannot be read.
pub fn list_runs(out: &Path) -> (Vec<(PathBuf, RunJson)>, Vec<StoreError>) {
    let (mut runs, mut damaged) = (Vec::new(), Vec::new());
    for path in folders(out) {
        match read_run(&path) {
            Ok(run) => runs.push((path, run)),
            Err(error) => damaged.push(error),
        }
    }
    runs.sort_by(|a, b| (&a.1.began, &a.0).cmp(&(&b.1.began, &b.0)));
    (runs, damaged)
}

/// Reads the record of a run without taking hold of it.
pub fn peek(out: &Path, name: &str) -> Result<(PathBuf, RunJson), StoreError> {
    let path = find(out, name)?;
    plain::refuse_links(&path)?;
    let run = read_run(&path)?;
    Ok((path, run))
}
