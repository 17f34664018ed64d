//! The files that a run depends on, and whether they changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use jackfield::internal::expand_folders;
use jackfield::internal::lock_path;
use jackfield_pipeline::ParsedPipeline;

use super::run::Args;

/// The time at which a file was written and its length in bytes, or none if there is no such file.
pub(super) type Stamp = Option<(SystemTime, u64)>;

/// The files that a run depends on.
pub(super) struct WatchedFiles {
    /// Files and folders, absolute. Of a folder, the files directly in it are watched.
    files: Vec<PathBuf>,
    /// The globs of the pipeline's input.
    patterns: Vec<String>,
    /// The folder of the run folders. The runs write there, so it is not watched.
    out: PathBuf,
}

impl WatchedFiles {
    /// The files of a pipeline. Without a parsed pipeline, those which are known without reading the pipeline.
    pub(super) fn new(args: &Args, parsed: Option<&ParsedPipeline>) -> Self {
        let path = &args.pipeline.path;
        let file = if path.is_dir() { path.join("pipeline.toml") } else { path.clone() };
        let mut files = vec![file, lock_path(path)];
        files.extend(parsed.iter().flat_map(|parsed| parsed.files()));
        let files = files.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)).collect();
        let patterns = parsed.map(|parsed| parsed.patterns().to_vec()).unwrap_or_default();
        Self { files, patterns, out: std::path::absolute(&args.out).unwrap_or_else(|_| args.out.clone()) }
    }

    /// The stamps of all watched files as they are now.
    pub(super) fn stamps(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut stamps: BTreeMap<PathBuf, Stamp> = self.files.iter().map(|path| (path.clone(), stamp(path))).collect();
        // A configuration may name a folder for the files in it.
        let in_folders = self.files.iter().flat_map(|path| visible_entries(path));
        // A pattern that cannot be listed is reported by the run.
        let matched =
            self.patterns.iter().filter_map(|pattern| expand_folders(std::slice::from_ref(pattern)).ok()).flatten();
        for path in in_folders.chain(matched).filter(|path| !path.starts_with(&self.out)) {
            let stamp = stamp(&path);
            if stamp.is_some() {
                stamps.insert(path, stamp);
            }
        }
        stamps
    }

    /// Waits for a change, and then until nothing has changed for one more sleep, so that a file written in steps is one
    /// change. Returns the files that changed, or none once `sleep` says that the waiting is to end.
    pub(super) fn wait_for_change(
        &self,
        before: &BTreeMap<PathBuf, Stamp>,
        sleep: impl Fn() -> bool,
    ) -> Option<BTreeSet<PathBuf>> {
        let mut last = before.clone();
        loop {
            if sleep() {
                return None;
            }
            let now = self.stamps();
            let is_settled = now == last;
            last = now;
            if is_settled && last != *before {
                let differs = |path: &&PathBuf| before.get(*path) != last.get(*path);
                return Some(before.keys().chain(last.keys()).filter(differs).cloned().collect());
            }
        }
    }
}

/// How many of the watched files exist.
pub(super) fn existing_files(stamps: &BTreeMap<PathBuf, Stamp>) -> u64 {
    stamps.values().flatten().count() as u64
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The entries of a folder whose names do not begin with a dot. Anything else than a folder has none.
fn visible_entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.filter(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")))
}
