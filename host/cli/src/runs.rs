//! `jackfield runs` lists the runs of a folder, describes one of them or one of its items, and compares two.

use std::collections::BTreeMap;

use clap::Subcommand;
use jackfield_loader::sandbox::size;
use jackfield_store::{Db, RunJson, RunState, Spend, StoreError, blob_totals, item_json, list_runs, peek, read_record};
use serde_json::json;

use super::{
    compare,
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
    table::{ms, table},
};
use crate::terminal::output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the runs, oldest first.
    List {
        #[command(flatten)]
        args: RunsArgs,
    },
    /// Describe a run.
    Show {
        /// Name of the run, the beginning of it, its folder, or `last`.
        run: String,
        /// Describe this item instead: its results, and what each stage spent on it.
        #[arg(long, value_name = "ID")]
        item: Option<String>,
        #[command(flatten)]
        args: RunsArgs,
    },
    /// Compare two runs: what became slower, more expensive or worse.
    Compare(compare::Args),
}

pub(super) fn runs(command: &Command) -> Exit {
    match command {
        Command::List { args } => list(args),
        Command::Compare(args) => compare::compare(args),
        Command::Show { run, item, args } => show(run, item.as_deref(), args).unwrap_or_else(|error| {
            print_error(&error, error.hint());
            Exit::Failed
        }),
    }
}

fn list(args: &RunsArgs) -> Exit {
    let (runs, damaged) = list_runs(&args.out);
    for error in &damaged {
        print_error(error, error.hint());
    }
    if args.json {
        let runs = runs.iter().map(|(path, run)| {
            json!({ "run": run.run, "pipeline": run.pipeline, "state": run.state, "began": run.began, "ended": run.ended,
                    "dir": path, "items": run.summary.as_ref().map(|summary| summary.items) })
        });
        print_json(&json!({ "runs": runs.collect::<Vec<_>>() }));
    } else {
        let rows = runs.iter().map(|(_, run)| {
            let items = run.summary.as_ref().map_or_else(|| "-".to_owned(), |summary| summary.items.total.to_string());
            vec![run.run.clone(), state(run), items, run.began.clone()]
        });
        output().lines(table(&["run", "state", "items", "began"], rows.collect()));
    }
    if damaged.is_empty() { Exit::Success } else { Exit::Failed }
}

/// The state of a run. One that is marked as running may have been killed: only its lock would show which.
fn state(run: &RunJson) -> String {
    if run.state == RunState::Running { "running or killed".to_owned() } else { run.state.name().to_owned() }
}

fn show(name: &str, item: Option<&str>, args: &RunsArgs) -> Result<Exit, StoreError> {
    let (path, run) = peek(&args.out, name)?;
    let db = read_record(&path, &run)?;
    if let Some(item) = item {
        return show_item(&run, &db, item, args);
    }
    // All at one moment, and nothing of a record that is damaged.
    let (sessions, items, stages, spend) = db.in_one_transaction(|| {
        db.verify(&run)?;
        Ok((db.sessions()?, db.item_counts()?, db.stage_counts()?, db.spend_by_name(&run.plan)?))
    })?;
    let (blobs, bytes) = blob_totals(&path)?;
    if args.json {
        let stages: serde_json::Map<_, _> = stages
            .iter()
            .filter_map(|(stage, counts)| {
                let name = run.plan.stages.get(*stage as usize)?.name.clone();
                Some((name, json!({ "ok": counts.ok, "failed": counts.failed, "skipped": counts.skipped })))
            })
            .collect();
        let sessions: Vec<_> = sessions
            .iter()
            .map(|session| json!({ "began": session.began, "ended": session.ended, "state": session.state }))
            .collect();
        let items: std::collections::BTreeMap<_, _> = items.into_iter().collect();
        print_json(&json!({
            "run": run.run, "dir": path, "pipeline": run.pipeline, "file": run.file, "digest": run.digest, "state": run.state,
            "began": run.began, "ended": run.ended, "sessions": sessions, "items": items, "stages": stages,
            "plugins": run.plugins, "spend": spend, "summary": run.summary,
            "tensors": { "files": blobs, "bytes": bytes },
        }));
        return Ok(Exit::Success);
    }
    output().line(format!("run       {}", run.run));
    output().line(format!("pipeline  {} ({})", run.pipeline, run.file.display()));
    output().line(format!("state     {}", state(&run)));
    output().line(format!("began     {}", run.began));
    output().line(format!("ended     {}", run.ended.as_deref().unwrap_or("-")));
    output().line(format!("sessions  {}", sessions.len()));
    let items: Vec<String> = items.iter().map(|(state, count)| format!("{count} {state}")).collect();
    output().line(format!("items     {}", if items.is_empty() { "-".to_owned() } else { items.join(", ") }));
    if blobs > 0 {
        output().line(format!("tensors   {blobs}, {}", size(bytes)));
    }
    output().line(format!("folder    {}", path.display()));
    output().line("");
    let rows = stages.iter().filter_map(|(stage, counts)| {
        let stage = run.plan.stages.get(*stage as usize)?;
        let stats = run.summary.as_ref().and_then(|summary| summary.stages.get(&stage.name));
        let time = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), ms);
        Some(vec![
            stage.name.clone(),
            counts.ok.to_string(),
            counts.failed.to_string(),
            counts.skipped.to_string(),
            time(stats.map(|stats| stats.p50_ms)),
            time(stats.map(|stats| stats.p95_ms)),
        ])
    });
    output().lines(table(&["stage", "ok", "failed", "skipped", "p50", "p95"], rows.collect()));
    if !spend.is_empty() {
        output().line("");
        output().lines(spending(&spend));
    }
    Ok(Exit::Success)
}

/// The table of what the stages spent.
fn spending(spend: &BTreeMap<String, Spend>) -> String {
    let rows = spend.iter().map(|(stage, spend)| {
        let rate = spend.cache_hit_rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
        let counts = [spend.calls, spend.cached, spend.failed, spend.tokens_in, spend.tokens_out];
        let counts = counts.map(|count| count.to_string());
        [stage.clone()].into_iter().chain(counts).chain([format!("{:.4}", spend.cost_usd), rate]).collect()
    });
    let header = ["spent by", "calls", "cached", "failed", "tokens in", "tokens out", "USD", "cache hits"];
    table(&header, rows.collect())
}

fn show_item(run: &RunJson, db: &Db, id: &str, args: &RunsArgs) -> Result<Exit, StoreError> {
    let found = db.in_one_transaction(|| {
        let Some(item) = db.item_by_id(id)? else { return Ok(None) };
        db.verify_item(item.index as i64, run)?;
        let spend = db.spend_of_item_by_name(id, &run.plan)?;
        Ok(Some((item_json(db, &run.plan, &item)?, spend)))
    })?;
    let Some((mut shown, spend)) = found else {
        print_error(format!("run `{}` has no item `{id}`", run.run), None);
        return Ok(Exit::Usage);
    };
    if args.json {
        shown["run"] = run.run.as_str().into();
        shown["spend"] = json!(spend);
        print_json(&shown);
        return Ok(Exit::Success);
    }
    output().lines(serde_json::to_string_pretty(&shown).unwrap_or_default());
    if !spend.is_empty() {
        output().line("");
        output().lines(spending(&spend));
    }
    Ok(Exit::Success)
}
