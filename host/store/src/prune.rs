//! Which runs are old enough to be removed.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::{RunJson, RunState, is_held};

/// Which runs are removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PruneRule<'a> {
    /// So many of the newest runs of each pipeline stay, of those that the rule is about.
    pub keep: usize,
    /// Those that ended, or began and did not end, less long ago than this stay.
    pub older: Option<Duration>,
    /// The rule is about the runs of this pipeline alone.
    pub pipeline: Option<&'a str>,
    /// The rule is about complete runs alone.
    pub is_complete: bool,
}

/// The folders of the runs that a rule removes, of runs in the order in which they were made. Runs that a process is at work
/// on stay, and a link to a run is none. Runs of some items alone are counted by themselves: they do not take the place of a run
/// of all items.
#[must_use]
pub fn runs_to_prune<'a>(runs: &'a [(PathBuf, RunJson)], rule: PruneRule<'_>, now: SystemTime) -> Vec<&'a PathBuf> {
    let mut newer: BTreeMap<(&str, &[String]), usize> = BTreeMap::new();
    let mut pruned = Vec::new();
    for (folder, run) in runs.iter().rev() {
        let is_meant = rule.pipeline.is_none_or(|pipeline| pipeline == run.pipeline)
            && (!rule.is_complete || run.state == RunState::Complete)
            && (run.state != RunState::Running || !is_held(folder));
        let is_link = fs::symlink_metadata(folder).is_ok_and(|there| there.is_symlink());
        if !is_meant || is_link {
            continue;
        }
        let newer = newer.entry((&run.pipeline, &run.only)).or_default();
        *newer += 1;
        if *newer > rule.keep && rule.older.is_none_or(|older| is_older(run, older, now)) {
            pruned.push(folder);
        }
    }
    pruned
}

/// Whether a run ended so long ago. One whose time cannot be read, or is to come, did not.
fn is_older(run: &RunJson, older: Duration, now: SystemTime) -> bool {
    let ended = run.ended.as_ref().unwrap_or(&run.began);
    let ended = humantime::parse_rfc3339(ended).ok();
    ended.and_then(|ended| now.duration_since(ended).ok()).is_some_and(|age| age > older)
}
