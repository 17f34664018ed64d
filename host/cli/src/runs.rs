//! `jackfield runs` lists the runs of a folder, describes one of them or one of its items, compares two, and removes runs.

use std::collections::BTreeMap;

use clap::Subcommand;
use jackfield_loader::sandbox::size;
use jackfield_store::{Db, RunJson, Spend, StoreError, blob_totals, disk_use, item_json, read_record};
use serde_json::json;

use super::{
    chosen_run::chosen_run,
    compare,
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
    runs_list::{RunFacts, dollars, list},
    runs_remove::{PruneArgs, RemoveArgs, prune, remove},
    table::{ms, table},
};
use crate::terminal::output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the runs, newest first.
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
    /// Remove runs, with all that was recorded of them.
    #[command(name = "rm", visible_alias = "remove")]
    Remove(RemoveArgs),
    /// Remove old runs: the complete ones beyond the newest N of each pipeline, or that ended long ago, or both.
    Prune(PruneArgs),
}

pub(super) fn runs(command: &Command) -> Exit {
    match command {
        Command::List { args } => list(args),
        Command::Compare(args) => compare::compare(args),
        Command::Remove(args) => remove(args),
        Command::Prune(args) => prune(args),
        Command::Show { run, item, args } => show(run, item.as_deref(), args).unwrap_or_else(|error| {
            print_error(&error, error.hint());
            Exit::Failed
        }),
    }
}

fn show(name: &str, item: Option<&str>, args: &RunsArgs) -> Result<Exit, StoreError> {
    let (path, run) = chosen_run(&args.out, name)?;
    let db = read_record(&path, &run)?;
    if let Some(item) = item {
        return show_item(&run, &db, item, args);
    }
    // All at one moment, and nothing of a record that is damaged.
    let (sessions, items, stages, spend) = db.in_one_transaction(|| {
        db.verify(&run)?;
        Ok((db.sessions()?, db.item_counts()?, db.stage_counts()?, db.spend_by_name(&run.plan)?))
    })?;
    let failures = failures(&run, &db)?;
    let (blobs, bytes) = blob_totals(&path)?;
    let facts = RunFacts::of(&path, &run);
    if args.json {
        let stages: serde_json::Map<_, _> = stages
            .iter()
            .filter_map(|(stage, counts)| {
                let name = run.plan.stages.get(*stage as usize)?.name.clone();
                Some((
                    name,
                    json!({ "ok": counts.ok, "failed": counts.failed, "skipped": counts.skipped, "off": counts.off }),
                ))
            })
            .collect();
        let sessions: Vec<_> = sessions
            .iter()
            .map(|session| json!({ "began": session.began, "ended": session.ended, "state": session.state }))
            .collect();
        let items: std::collections::BTreeMap<_, _> = items.into_iter().collect();
        print_json(&json!({
            "run": run.run, "dir": path.to_string_lossy(), "pipeline": run.pipeline, "file": run.file.to_string_lossy(), "digest": run.digest, "state": facts.state,
            "began": run.began, "ended": run.ended, "sessions": sessions, "items": items, "stages": stages,
            "plugins": run.plugins, "spend": spend, "summary": run.summary, "wall_ms": facts.wall_ms, "cost_usd": facts.usd,
            "only": run.only, "disk_bytes": disk_use(&path),
            "failures": failures.iter().map(|failure| json!({ "stage": failure.stage, "kind": failure.kind,
                "calls": failure.count, "first_item": failure.item, "first_message": failure.message })).collect::<Vec<_>>(),
            "tensors": { "files": blobs, "bytes": bytes },
        }));
        return Ok(Exit::Success);
    }
    output().line(format!("run       {}", run.run));
    output().line(format!("pipeline  {} ({})", run.pipeline, run.file.display()));
    output().line(format!("state     {}", facts.state));
    output().line(format!("began     {}", run.began));
    output().line(format!("ended     {}", run.ended.as_deref().unwrap_or("-")));
    output().line(format!("sessions  {}", sessions.len()));
    output().line(format!("time      {}", facts.wall_ms.map_or_else(|| "-".to_owned(), ms)));
    if let Some(usd) = facts.usd {
        output().line(format!("cost      {} USD", dollars(Some(usd))));
    }
    if !run.only.is_empty() {
        output().line(format!("only      {}", run.only.join(", ")));
    }
    let not_begun = facts.items.map_or(0, |items| items.not_begun);
    let not_begun = (not_begun > 0).then(|| format!("{not_begun} not begun"));
    let name = |state: &str| if state == "running" { "unfinished".to_owned() } else { state.to_owned() };
    let items = items.iter().map(|(state, count)| format!("{count} {}", name(state)));
    let items: Vec<String> = items.chain(not_begun).collect();
    output().line(format!("items     {}", if items.is_empty() { "-".to_owned() } else { items.join(", ") }));
    if blobs > 0 {
        output().line(format!("tensors   {blobs}, {}", size(bytes)));
    }
    output().line(format!("folder    {} ({})", path.display(), size(disk_use(&path))));
    output().line("");
    let any_off = stages.iter().any(|(_, counts)| counts.off > 0);
    let rows = stages.iter().filter_map(|(stage, counts)| {
        let stage = run.plan.stages.get(*stage as usize)?;
        let stats = run.summary.as_ref().and_then(|summary| summary.stages.get(&stage.name));
        let time = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), ms);
        let mut cells =
            vec![stage.name.clone(), counts.ok.to_string(), counts.failed.to_string(), counts.skipped.to_string()];
        cells.extend(any_off.then(|| counts.off.to_string()));
        cells.extend([time(stats.map(|stats| stats.p50_ms)), time(stats.map(|stats| stats.p95_ms))]);
        Some(cells)
    });
    let off = if any_off { &["off"][..] } else { &[] };
    let heads = [&["stage", "ok", "failed", "skipped"][..], off, &["p50", "p95"]].concat();
    output().lines(table(&heads, rows.collect()));
    if !failures.is_empty() {
        output().line("");
        let rows = failures.iter().take(SHOWN_FAILURES).map(|failure| {
            let message: String = failure.message.chars().take(SHOWN_MESSAGE).collect();
            let dots = if failure.message.chars().count() > SHOWN_MESSAGE { "…" } else { "" };
            let item = failure.item.clone().unwrap_or_default();
            vec![
                failure.stage.clone(),
                failure.kind.clone(),
                failure.count.to_string(),
                item,
                format!("{message}{dots}"),
            ]
        });
        output().lines(table(&["failed", "kind", "calls", "such as", "with"], rows.collect()));
    }
    if !spend.is_empty() {
        output().line("");
        output().lines(spending(&spend));
    }
    Ok(Exit::Success)
}

/// So many kinds of failures are shown, the most frequent first.
const SHOWN_FAILURES: usize = 8;

/// So many characters of a failure's message are shown.
const SHOWN_MESSAGE: usize = 40;

/// Failures of one kind.
struct Failures {
    /// The stage; none of the items' own failures has one.
    stage: String,
    kind: String,
    count: u64,
    /// The first item that has it.
    item: Option<String>,
    /// What went wrong with that.
    message: String,
}

/// The failures of a run by stage and kind, the most frequent first; and the items that could not be read or written.
fn failures(run: &RunJson, db: &Db) -> Result<Vec<Failures>, StoreError> {
    let mut found: BTreeMap<(u32, String), Failures> = BTreeMap::new();
    db.each_failure(|row| {
        let stage = run.plan.stages.get(row.stage as usize).map(|stage| stage.name.clone()).unwrap_or_default();
        let kind = row.kind.clone();
        let first = || Failures { stage, kind: row.kind, count: 0, item: row.item, message: row.message };
        found.entry((row.stage, kind)).or_insert_with(first).count += 1;
    })?;
    let mut failures: Vec<Failures> = found.into_values().collect();
    let (count, first) = db.item_faults()?;
    if let Some((item, message)) = first {
        failures.push(Failures { stage: "-".to_owned(), kind: "item".to_owned(), count, item: Some(item), message });
    }
    failures.sort_by_key(|failures| std::cmp::Reverse(failures.count));
    Ok(failures)
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
