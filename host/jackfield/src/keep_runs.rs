//! Removing old runs of a pipeline that asks for it (`[runs] keep`), once another one is complete.

use std::path::Path;

use jackfield_pipeline::Plan;
use jackfield_store::{PruneRule, RunState, Summary, list_runs, remove_run, runs_to_prune, sweep_removed};

/// Removes the oldest complete runs of a pipeline beyond those that it keeps, if the run that has just ended is complete. `file`
/// is the file of the pipeline: runs of another one that has the same name stay. Returns how many runs were removed. One that
/// cannot be removed stays, with a warning.
pub fn remove_old_runs(plan: &Plan, file: &Path, summary: &Summary) -> usize {
    let (Some(keep), RunState::Complete) = (plan.keep_runs, summary.state) else { return 0 };
    let Some(out) = summary.dir.parent() else { return 0 };
    let out = if out.as_os_str().is_empty() { Path::new(".") } else { out };
    sweep_removed(out);
    let (mut runs, _) = list_runs(out);
    runs.retain(|(_, run)| run.pipeline == plan.name && run.file == file);
    let keep = usize::try_from(keep).unwrap_or(usize::MAX).max(1);
    let rule = PruneRule { keep, is_complete: true, ..PruneRule::default() };
    let old = runs_to_prune(&runs, rule, std::time::SystemTime::now());
    let mut removed = 0;
    // The run that has just ended may be an old one that went on.
    for folder in old.into_iter().filter(|folder| folder.file_name() != summary.dir.file_name()) {
        match remove_run(folder) {
            Ok(_) => removed += 1,
            Err(error) => tracing::warn!("an old run stays: {error}"),
        }
    }
    removed
}
