//! Finding runs: by their name, by a part of it, or as the last one.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Deserialize;

use super::{
    RunJson, StoreError, clock,
    folder::read_run,
    plain,
    removal::{REMOVING, is_run},
};

/// Stands for any text in the name of a run: lists show long names with it.
pub const ELLIPSIS: char = '…';

/// The ending of every run's name, `-20260131-142501-3f9a`, in characters.
const ENDING_CHARS: usize = 21;

/// The most runs that a message names.
const NAMED: usize = 6;

/// Which run `last` is.
#[derive(Clone, Copy, Debug)]
pub enum LastOf<'a> {
    /// The one that was made last in the folder.
    Folder,
    /// The last one of a pipeline; there has to be one.
    Pipeline(PipelineOfRun<'a>),
    /// The last one of a pipeline; of the folder, if there is none.
    PipelineOrFolder(PipelineOfRun<'a>),
}

/// A pipeline, as a run names it.
#[derive(Clone, Copy, Debug)]
pub struct PipelineOfRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its file, absolute. Of two pipelines of one name, it tells which is meant.
    pub file: &'a Path,
}

/// What orders a run among others, read without the rest of `run.json`.
#[derive(Deserialize)]
pub(super) struct Head {
    pipeline: String,
    file: PathBuf,
    began: String,
    #[serde(default)]
    order: u64,
    #[serde(default)]
    format: u32,
    #[serde(default)]
    run: String,
}

impl Head {
    /// Whether it has all that each version writes: a file of somebody else's may be called `run.json`, too.
    pub(super) fn is_of_a_run(&self) -> bool {
        self.format > 0 && !self.run.is_empty()
    }

    /// That of the run in a folder; none if it cannot be read.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        serde_json::from_str(&plain::read(&folder.join("run.json")).ok()?).ok()
    }

    fn order(&self) -> u64 {
        order_of(self.order, &self.began)
    }
}

/// Where a run stands: its number, or that of the time when it began, for the runs of older programs.
fn order_of(order: u64, began: &str) -> u64 {
    let milliseconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
    };
    if order > 0 { order } else { humantime::parse_rfc3339(began).map_or(0, milliseconds) }
}

/// The number of a run that is made now: after all others of its folder, whatever the clock says.
pub(super) fn next_order(folder: &Path) -> u64 {
    let now = clock::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let beside = folder.parent().map(folders).unwrap_or_default();
    let last = beside.iter().filter_map(|folder| Some(Head::of(folder)?.order())).max();
    last.map_or(0, |last| last.saturating_add(1)).max(u64::try_from(now).unwrap_or(u64::MAX))
}

/// The folder of a run, without taking hold of it.
pub(super) fn find(out: &Path, name: &str, last: LastOf<'_>) -> Result<PathBuf, StoreError> {
    for path in [PathBuf::from(name), out.join(name)] {
        if !name.is_empty() && path.join("run.json").is_file() {
            return Ok(path);
        }
    }
    let runs = folders(out);
    if name == "last" {
        return find_last(out, &runs, last);
    }
    let matches = |path: &&PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        match name.split_once(ELLIPSIS) {
            Some((beginning, ending)) => file.starts_with(beginning) && file.ends_with(ending),
            None => file.starts_with(name),
        }
    };
    // Nothing, as an empty variable of a shell, names no run.
    let is_blank = name.trim_matches([ELLIPSIS, ' ']).is_empty();
    let found: Vec<&PathBuf> = runs.iter().filter(|path| !is_blank && matches(path)).collect();
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(StoreError::NoRun {
            name: name.to_owned(),
            folder: out.to_owned(),
            near: near(name, newest_first(runs)),
        }),
        several => {
            let names = newest_first(several.iter().map(|path| (*path).clone()).collect());
            Err(StoreError::AmbiguousRun { name: name.to_owned(), folder: out.to_owned(), names })
        }
    }
}

fn find_last(out: &Path, runs: &[PathBuf], last: LastOf<'_>) -> Result<PathBuf, StoreError> {
    let mut heads: Vec<(Head, &PathBuf)> = runs.iter().filter_map(|path| Some((Head::of(path)?, path))).collect();
    // One that cannot be read has no place among the others: it is reported where there is nothing else.
    let unreadable = || runs.iter().find(|path| Head::of(path).is_none()).cloned();
    heads.sort_by(|(one, one_path), (other, other_path)| {
        (one.order(), &one.began, one_path).cmp(&(other.order(), &other.began, other_path))
    });
    let last_in_folder = || heads.last().map(|(_, path)| (*path).clone());
    let last_of = |pipeline: PipelineOfRun<'_>| {
        let named: Vec<_> = heads.iter().filter(|(head, _)| head.pipeline == pipeline.name).collect();
        // The folder of a pipeline may have been moved: then its name has to do.
        let same_file = named.iter().rev().find(|(head, _)| head.file == pipeline.file);
        same_file.or(named.last()).map(|(_, path)| (*path).clone())
    };
    let found = match last {
        LastOf::Folder => last_in_folder(),
        LastOf::Pipeline(pipeline) => last_of(pipeline),
        LastOf::PipelineOrFolder(pipeline) => last_of(pipeline).or_else(last_in_folder),
    };
    found.or_else(unreadable).ok_or_else(|| match last {
        LastOf::Pipeline(PipelineOfRun { name, .. }) if !heads.is_empty() => {
            let mut others: Vec<String> = heads.iter().map(|(head, _)| head.pipeline.clone()).collect();
            others.sort();
            others.dedup();
            StoreError::NoRunOfPipeline { pipeline: name.to_owned(), folder: out.to_owned(), others }
        }
        _ => StoreError::NoRun { name: "last".to_owned(), folder: out.to_owned(), near: Vec::new() },
    })
}

/// The folder of a run: a path, or the name of a run below `out`, the beginning of it where it is unique, or `last`.
///
/// # Errors
/// If there is none, or if several could be meant.
pub fn find_run(out: &Path, name: &str, last: LastOf<'_>) -> Result<PathBuf, StoreError> {
    find(out, name, last)
}

/// The names of the runs in these folders, the newest first.
fn newest_first(mut folders: Vec<PathBuf>) -> Vec<String> {
    folders.sort_by_cached_key(|path| std::cmp::Reverse(Head::of(path).map(|head| head.order())));
    folders.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
}

/// The names that somebody may have meant, the nearest first: those that hold the text somewhere, or that are a few slips away
/// from it, in the part that was written.
fn near(name: &str, names: Vec<String>) -> Vec<String> {
    let (wanted, written) = (name.to_lowercase(), name.chars().count());
    if written < 3 {
        return Vec::new();
    }
    let slips = |known: &str| {
        let known = known.to_lowercase();
        let beginning: String = known.chars().take(written).collect();
        let pipeline: String = known.chars().take(known.chars().count().saturating_sub(ENDING_CHARS)).collect();
        let distance = |part: &str| strsim::damerau_levenshtein(&wanted, part);
        if known.contains(&wanted) { 0 } else { distance(&beginning).min(distance(&pipeline)) }
    };
    let mut near: Vec<(usize, String)> = names.into_iter().map(|name| (slips(&name), name)).collect();
    near.retain(|(slips, _)| *slips <= written.div_ceil(4));
    // Of equally near ones, the newest stays first.
    near.sort_by_key(|(slips, _)| *slips);
    near.into_iter().take(NAMED).map(|(_, name)| name).collect()
}

/// Names of runs for a message: the first few, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The folders of runs below a folder. Those that are being removed are not among them.
pub(super) fn folders(out: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    let is_whole = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with(REMOVING);
    entries.filter(is_whole).map(|entry| entry.path()).filter(|path| is_run(path)).collect()
}

/// The runs below a folder in the order in which they were made, and the folders whose `run.json` cannot be read.
pub fn list_runs(out: &Path) -> (Vec<(PathBuf, RunJson)>, Vec<StoreError>) {
    let (mut runs, mut damaged) = (Vec::new(), Vec::new());
    for path in folders(out) {
        match read_run(&path) {
            Ok(run) => runs.push((path, run)),
            Err(error) => damaged.push(error),
        }
    }
    runs.sort_by(|(one_path, one), (other_path, other)| {
        let order = |run: &RunJson| order_of(run.order, &run.began);
        (order(one), &one.began, one_path).cmp(&(order(other), &other.began, other_path))
    });
    (runs, damaged)
}

/// Reads the record of a run without taking hold of it.
pub fn peek(out: &Path, name: &str) -> Result<(PathBuf, RunJson), StoreError> {
    peek_of(out, name, LastOf::Folder)
}

/// As [`peek`], where `last` is the newest run of a pipeline.
pub fn peek_of(out: &Path, name: &str, last: LastOf<'_>) -> Result<(PathBuf, RunJson), StoreError> {
    let path = find(out, name, last)?;
    plain::refuse_links(&path)?;
    let run = read_run(&path)?;
    Ok((path, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with runs: the name of each, its pipeline, its file, its number and when it began.
    fn runs(runs: &[(&str, &str, &str, u64, &str)]) -> tempfile::TempDir {
        let out = tempfile::tempdir().expect("a folder");
        for (name, pipeline, file, order, began) in runs {
            let folder = out.path().join(name);
            fs::create_dir(&folder).expect("made");
            let json = serde_json::json!({
                "format": 2, "run": name, "pipeline": pipeline, "file": file, "began": began, "order": order,
            });
            fs::write(folder.join("run.json"), json.to_string()).expect("written");
        }
        out
    }

    fn last<'a>(name: &'a str, file: &'a str) -> PipelineOfRun<'a> {
        PipelineOfRun { name, file: Path::new(file) }
    }

    fn name_of(found: Result<PathBuf, StoreError>) -> String {
        let path = found.expect("a run");
        path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    #[test]
    fn the_last_run_is_the_one_that_was_made_last_whatever_the_clock_said() {
        let out = runs(&[
            ("a-1", "a", "/a.toml", 5_000, "2026-01-03T00:00:00Z"),
            ("a-2", "a", "/a.toml", 5_001, "2026-01-01T00:00:00Z"),
            // Of an older program, which gave no numbers.
            ("a-0", "a", "/a.toml", 0, "1970-01-01T00:00:01Z"),
        ]);
        assert_eq!(name_of(find(out.path(), "last", LastOf::Folder)), "a-2");
        assert!(next_order(&out.path().join("a-3")) > 5_001);
        let far = runs(&[("a-1", "a", "/a.toml", u64::MAX - 5, "2026-01-03T00:00:00Z")]);
        assert_eq!(next_order(&far.path().join("a-3")), u64::MAX - 4, "the clock says less");
    }

    #[test]
    fn the_last_run_of_a_pipeline_is_no_other_pipelines() {
        let out = runs(&[
            ("a-1", "a", "/one/a.toml", 1, ""),
            ("a-2", "a", "/two/a.toml", 2, ""),
            ("b-3", "b", "/b.toml", 3, ""),
        ]);
        let found = |of| name_of(find(out.path(), "last", of));
        assert_eq!(found(LastOf::Folder), "b-3");
        assert_eq!(found(LastOf::Pipeline(last("a", "/one/a.toml"))), "a-1", "of two of one name, the file tells");
        assert_eq!(found(LastOf::Pipeline(last("a", "/moved/a.toml"))), "a-2", "its folder may have been moved");
        assert_eq!(found(LastOf::PipelineOrFolder(last("c", "/c.toml"))), "b-3");
        let refused = find(out.path(), "last", LastOf::Pipeline(last("c", "/c.toml"))).expect_err("none");
        assert!(refused.to_string().contains("no run of pipeline `c`"), "{refused}");
        assert_eq!(refused.hint().as_deref(), Some("there are runs of `a`, `b`"));
    }

    #[test]
    fn a_name_that_several_runs_begin_with_is_refused_with_their_names_and_an_unknown_one_with_those_near_it() {
        let out = runs(&[
            ("talks-20260131-142501-3f9a", "talks", "/t.toml", 1, ""),
            ("talks-20260201-142501-77aa", "talks", "/t.toml", 2, ""),
        ]);
        let ambiguous = find(out.path(), "talks-2026", LastOf::Folder).expect_err("two");
        assert!(ambiguous.to_string().starts_with("`talks-2026` could be any of 2 runs in `"), "{ambiguous}");
        let hint = ambiguous.hint().expect("a hint");
        assert!(hint.contains("`talks-20260201-142501-77aa`, `talks-20260131-142501-3f9a`"), "newest first: {hint}");
        assert_eq!(name_of(find(out.path(), "talks-20260131", LastOf::Folder)), "talks-20260131-142501-3f9a");
        for blank in ["", "…", " "] {
            let none = find(out.path(), blank, LastOf::Folder);
            assert!(matches!(none, Err(StoreError::NoRun { .. })), "{none:?}");
        }
        assert_eq!(name_of(find(out.path(), "ta…-77aa", LastOf::Folder)), "talks-20260201-142501-77aa");
        for slip in ["tolks-20260131-142501-3f9a", "Talks-20260131", "3f9a"] {
            let unknown = find(out.path(), slip, LastOf::Folder).expect_err("none");
            let hint = unknown.hint().expect("a hint");
            assert!(hint.starts_with("did you mean `talks-20260131-142501-3f9a`"), "{slip}: {hint}");
        }
        let unknown = find(out.path(), "something-else", LastOf::Folder).expect_err("none");
        assert_eq!(unknown.hint().as_deref(), Some("`jackfield runs list` shows those there are"));
    }
}
