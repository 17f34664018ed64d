//! `jackfield runs rm` and `jackfield runs prune` remove runs.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, IsTerminal as _},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::ArgGroup;
use jackfield_loader::sandbox::size;
use jackfield_store::{
    PruneRule, RunJson, RunState, StoreError, disk_use, list_runs, remove_run, runs_to_prune, sweep_removed,
};
use serde_json::json;

use super::{
    chosen_run::folder_to_remove,
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
    table::counted,
};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    /// The runs: the name of each, the beginning of it, its folder, or `last`.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,

    /// Do not ask; needed where there is no terminal to ask at.
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    args: RunsArgs,
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["keep", "older"]))]
pub(super) struct PruneArgs {
    /// Keep the newest N runs of each pipeline.
    #[arg(long, value_name = "N")]
    keep: Option<usize>,

    /// Remove only runs that ended longer ago than this: `30d`, `12h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older: Option<Duration>,

    /// Only runs of the pipeline of this name.
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,

    /// Also runs that are not complete: those that failed, in part or as a whole, were interrupted or were killed.
    #[arg(long)]
    unfinished: bool,

    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    args: RunsArgs,
}

pub(super) fn remove(args: &RemoveArgs) -> Exit {
    let out = &args.args.out;
    let mut folders = BTreeSet::new();
    for name in &args.runs {
        match folder_to_remove(out, name) {
            // Without what may lead around a link: a slash at the end, or a dot.
            Ok(folder) => _ = folders.insert(folder.components().collect::<PathBuf>()),
            Err(error) => {
                print_error(&error, error.hint());
                return Exit::Usage;
            }
        }
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    if !args.yes {
        if !(std::io::stdin().is_terminal() && terminal().interactive()) {
            let hint = Some("add --yes: there is no terminal to ask at".to_owned());
            print_error(format!("{} would be removed; nothing was", counted(folders.len() as u64, "run")), hint);
            return Exit::Usage;
        }
        // A quiet program asks too.
        for folder in &folders {
            terminal().say_failure(format!("{}  {}", size(disk_use(folder)), folder.display()));
        }
        terminal().say_failure(format!("remove {}? [y/N]", counted(folders.len() as u64, "run")));
        let mut answer = String::new();
        // Whoever answers nothing has not agreed.
        let _ = std::io::stdin().lock().read_line(&mut answer);
        if !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            terminal().say("nothing was removed");
            return Exit::Success;
        }
    }
    sweep_removed(out);
    remove_all(&folders, &args.args)
}

pub(super) fn prune(args: &PruneArgs) -> Exit {
    if !args.args.has_folder() {
        return Exit::Usage;
    }
    let out = &args.args.out;
    let (runs, damaged) = list_runs(out);
    for error in &damaged {
        print_error(error, error.hint());
    }
    let rule = PruneRule {
        keep: args.keep.unwrap_or(0),
        older: args.older,
        pipeline: args.pipeline.as_deref(),
        is_complete: !args.unfinished,
    };
    let chosen: Vec<PathBuf> = runs_to_prune(&runs, rule, SystemTime::now()).into_iter().cloned().collect();
    if args.dry_run {
        let bytes: u64 = chosen.iter().map(|folder| disk_use(folder)).sum();
        if args.args.json {
            print_json(&json!({ "would_remove": shown(&chosen), "bytes": bytes }));
        } else {
            chosen.iter().for_each(|folder| output().path(folder));
            terminal().say(format!("would remove {}: {}", counted(chosen.len() as u64, "run"), size(bytes)));
            say_left(&runs, chosen.len(), args);
        }
        return Exit::Success;
    }
    sweep_removed(out);
    let removed = remove_all(&chosen, &args.args);
    let exit = if damaged.is_empty() { removed } else { Exit::Failed };
    if !args.args.json {
        say_left(&runs, chosen.len(), args);
    }
    exit
}

/// Paths as JSON has them.
fn shown(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Says how many runs are left, and that there are some that only another option removes.
fn say_left(runs: &[(PathBuf, RunJson)], removed: usize, args: &PruneArgs) {
    let left = runs.len() - removed;
    if removed == 0 && left > 0 {
        let is_unfinished = |(_, run): &(PathBuf, RunJson)| run.state != RunState::Complete;
        let has_more = !args.unfinished && runs.iter().any(is_unfinished);
        let hint = if has_more { "; those that are not complete go with --unfinished" } else { "" };
        terminal().say(format!("{} left as they are{hint}", counted(left as u64, "run")));
    }
}

fn remove_all(folders: &[PathBuf], args: &RunsArgs) -> Exit {
    let (mut removed, mut bytes, mut exit) = (Vec::new(), 0_u64, Exit::Success);
    for folder in folders {
        match remove_run(folder) {
            Ok(size) => {
                bytes += size;
                removed.push(folder.clone());
            }
            // Somebody else was faster.
            Err(StoreError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                print_error(&error, error.hint());
                exit = Exit::Failed;
            }
        }
    }
    if args.json {
        print_json(&json!({ "removed": shown(&removed), "bytes": bytes }));
    } else if !removed.is_empty() || exit == Exit::Success {
        terminal().say(format!("removed {}: {} free", counted(removed.len() as u64, "run"), size(bytes)));
    }
    exit
}
