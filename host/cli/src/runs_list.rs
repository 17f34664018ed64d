//! `jackfield runs list`: the runs of a folder, and what is known of each.

use std::path::Path;

use jackfield_store::{
    Db, ELLIPSIS, ItemCounts, ItemState, RunJson, RunState, Spend, StoreError, is_held, list_runs, read_record,
};
use serde_json::json;

use super::{
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
    table::{ms, table},
};
use crate::terminal::output;

/// How wide a list is, unless the names of pipelines make it wider.
const WIDTH: usize = 80;

/// The ending of a run's name that is always shown: when it began, and its number.
const ENDING_CHARS: usize = 20;

/// What is known of a run without reading its results.
pub(super) struct RunFacts {
    /// How it stands, in a word.
    pub(super) state: &'static str,
    /// Its items; none if that is not known.
    pub(super) items: Option<ItemCounts>,
    /// How long its sessions lasted together, in milliseconds.
    pub(super) wall_ms: Option<f64>,
    /// What it cost in US dollars, in all sessions; none if it asked no model.
    pub(super) usd: Option<f64>,
}

impl RunFacts {
    pub(super) fn of(folder: &Path, run: &RunJson) -> Self {
        let state = state(folder, run);
        // A session that did not end in order has left the summary of the one before.
        if let Some(summary) = run.summary.as_ref().filter(|summary| summary.state == run.state) {
            let asked = run.spend.values().any(Spend::has_completions);
            let usd = asked.then(|| run.spend.values().map(|spend| spend.cost_usd).sum());
            return Self { state, items: Some(summary.items), wall_ms: Some(summary.wall_ms), usd };
        }
        // Its last session is at work, or did not end in order: what there is stands on its record alone.
        Self::on_record(folder, run, state).unwrap_or(Self { state, items: None, wall_ms: None, usd: None })
    }

    fn on_record(folder: &Path, run: &RunJson, state: &'static str) -> Result<Self, StoreError> {
        let db = read_record(folder, run)?;
        let spent = db.spent()?;
        let usd = (!spent.is_empty()).then(|| spent.iter().map(|(_, count)| count.usd).sum());
        let wall_ms = db.session_times()?.into_iter().map(|(_, us)| us as f64 / 1000.0).sum();
        Ok(Self { state, items: Some(items_of(&db)?), wall_ms: Some(wall_ms), usd })
    }
}

fn items_of(db: &Db) -> Result<ItemCounts, StoreError> {
    let mut items = ItemCounts::default();
    for (state, count) in db.item_counts()? {
        match ItemState::from_name(&state) {
            Some(state) => items.add_many(state, count),
            None => items.unfinished += count,
        }
    }
    Ok(items)
}

/// The state of a run. Of one that is marked as running, its lock shows whether it was killed.
pub(super) fn state(folder: &Path, run: &RunJson) -> &'static str {
    match run.state {
        RunState::Running if !is_held(folder) => "killed",
        state => state.name(),
    }
}

/// Dollars, as lists show them.
pub(super) fn dollars(usd: Option<f64>) -> String {
    usd.map_or_else(|| "-".to_owned(), |usd| format!("{usd:.4}"))
}

pub(super) fn list(args: &RunsArgs) -> Exit {
    if !args.has_folder() {
        return Exit::Usage;
    }
    let (mut runs, damaged) = list_runs(&args.out);
    runs.reverse();
    for error in &damaged {
        print_error(error, error.hint());
    }
    let facts: Vec<RunFacts> = runs.iter().map(|(folder, run)| RunFacts::of(folder, run)).collect();
    if args.json {
        let runs = runs.iter().zip(&facts).map(|((path, run), facts)| {
            json!({ "run": run.run, "pipeline": run.pipeline, "state": facts.state, "began": run.began, "ended": run.ended,
                    "dir": path.to_string_lossy(), "items": facts.items, "wall_ms": facts.wall_ms, "cost_usd": facts.usd })
        });
        print_json(&json!({ "runs": runs.collect::<Vec<_>>() }));
    } else {
        let rows = runs.iter().zip(&facts).map(|((path, _), facts)| {
            let count = |items: ItemCounts| match items.total + items.unfinished + items.not_begun {
                all if all == items.total => all.to_string(),
                all => format!("{} of {all}", items.total),
            };
            let failed = |items: ItemCounts| (items.failed + items.partial).to_string();
            let unknown = || "-".to_owned();
            vec![
                // Its folder, by which commands find it: it may be a copy, or have another name now.
                path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                facts.state.to_owned(),
                facts.items.map_or_else(unknown, count),
                facts.items.map_or_else(unknown, failed),
                facts.wall_ms.map_or_else(unknown, ms),
                dollars(facts.usd),
            ]
        });
        let header = ["run", "state", "items", "failed", "time", "USD"];
        output().lines(table(&header, with_short_names(&header, rows.collect())));
    }
    if damaged.is_empty() { Exit::Success } else { Exit::Failed }
}

/// Shortens the names in the first column where the table would be too wide. A command takes a shortened name too.
fn with_short_names(header: &[&str], mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let width_of = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or_default() + 2
    };
    let others: usize = (1..header.len()).map(width_of).sum();
    let most = WIDTH.saturating_sub(others).max(ENDING_CHARS + 3);
    for name in rows.iter_mut().filter_map(|row| row.first_mut()) {
        let length = name.chars().count();
        if length > most {
            let beginning: String = name.chars().take(most - ENDING_CHARS - 1).collect();
            let ending: String = name.chars().skip(length - ENDING_CHARS).collect();
            *name = format!("{beginning}{ELLIPSIS}{ending}");
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_fits_into_80_characters_whatever_the_pipelines_are_called() {
        let header = ["run", "state", "items", "failed", "time", "USD"];
        let row = |name: &str| {
            [name, "interrupted", "1408 of 20000", "1024", "12.3 min", "1234.5678"].map(str::to_owned).to_vec()
        };
        let long = format!("{}-20261121-101204-5d11", "transcripts-of-all-meetings".repeat(3));
        let rows = with_short_names(&header, vec![row(&long), row("short-20261121-101204-5d12")]);
        assert!(rows[0][0].starts_with("tr") && rows[0][0].ends_with("…20261121-101204-5d11"), "{}", rows[0][0]);
        let text = table(&header, rows);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
