//! `jackfield runs compare` shows the numbers of two runs of one pipeline side by side, and ends with an exit code of its own if one of
//! them got worse by more than a threshold.

use std::collections::BTreeSet;

use jackfield_store::{StoreError, Summary};
use serde_json::json;

use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
    table::{counted, ms, table},
};
use crate::terminal::output;

/// Times below this many milliseconds are noise.
const NOISE_MS: f64 = 1.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run to compare with: its name, the beginning of it, its folder, or `last`.
    before: String,

    /// The run that is judged.
    after: String,

    /// How much worse, in percent, is a regression.
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0)]
    threshold: f64,

    #[command(flatten)]
    runs: RunsArgs,
}

pub(super) fn compare(args: &Args) -> Exit {
    compare_runs(args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

/// A number of both runs, as a row of the table.
struct Row {
    what: String,
    before: f64,
    after: f64,
    unit: &'static str,
    /// Whether a larger number is worse. Numbers of which it is not, such as the count of items, are never regressions.
    judged: bool,
    /// Differences below this are noise.
    noise: f64,
}

impl Row {
    /// The change in percent, or none if the number was 0 before.
    fn change(&self) -> Option<f64> {
        (self.before != 0.0).then(|| (self.after - self.before) / self.before * 100.0)
    }

    fn is_regression(&self, threshold: f64) -> bool {
        let more = self.after - self.before;
        self.judged && more > self.noise && self.change().is_none_or(|change| change > threshold)
    }
}

fn compare_runs(args: &Args) -> Result<Exit, StoreError> {
    let (_, before) = chosen_run(&args.runs.out, &args.before)?;
    let (_, after) = chosen_run(&args.runs.out, &args.after)?;
    let [summary_before, summary_after] = match [&before, &after].map(|run| run.summary.as_ref().ok_or(run)) {
        [Ok(before), Ok(after)] => [before, after],
        [Err(run), _] | [_, Err(run)] => {
            print_error(format!("run `{}` has not ended: there is nothing to compare", run.run), None);
            return Ok(Exit::Usage);
        }
    };
    if before.pipeline != after.pipeline {
        print_error(format!("the runs are of two pipelines, `{}` and `{}`", before.pipeline, after.pipeline), None);
        return Ok(Exit::Usage);
    }
    let rows = rows(summary_before, summary_after);
    let worse: Vec<&Row> = rows.iter().filter(|row| row.is_regression(args.threshold)).collect();
    if args.runs.json {
        let all = rows.iter().map(|row| {
            json!({ "what": row.what, "before": row.before, "after": row.after, "unit": row.unit, "change_percent": row.change(),
                    "regression": row.is_regression(args.threshold) })
        });
        print_json(&json!({
            "before": before.run, "after": after.run, "same_plan": before.digest == after.digest,
            "threshold_percent": args.threshold, "rows": all.collect::<Vec<_>>(), "regressions": worse.len(),
        }));
    } else {
        let same = if before.digest == after.digest { "the same plan" } else { "different plans" };
        output().line(format!("{} -> {} ({same})", before.run, after.run));
        output().line("");
        let shown = rows.iter().filter(|row| row.before != 0.0 || row.after != 0.0).map(|row| {
            let change = row.change().map_or_else(|| "new".to_owned(), |change| format!("{change:+.1} %"));
            let note = if row.is_regression(args.threshold) { "worse" } else { "" };
            vec![row.what.clone(), number(row.before, row.unit), number(row.after, row.unit), change, note.to_owned()]
        });
        output().lines(table(&["", "before", "after", "change", ""], shown.collect()));
        if !worse.is_empty() {
            let regressions = counted(worse.len() as u64, "regression");
            output().line("");
            output().line(format!("{regressions} beyond the threshold of {} %", args.threshold));
        }
    }
    Ok(if worse.is_empty() { Exit::Success } else { Exit::Regression })
}

fn number(value: f64, unit: &str) -> String {
    match unit {
        "ms" => ms(value),
        "USD" => format!("{value:.4} USD"),
        _ => format!("{value}"),
    }
}

fn rows(before: &Summary, after: &Summary) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |what: String, number: &dyn Fn(&Summary) -> f64, unit: &'static str, judged: bool, noise: f64| {
        rows.push(Row { what, before: number(before), after: number(after), unit, judged, noise });
    };
    add("wall time".to_owned(), &|run| run.wall_ms, "ms", true, 50.0);
    add("items".to_owned(), &|run| run.items.total as f64, "", false, 0.0);
    add("items partial or failed".to_owned(), &|run| (run.items.partial + run.items.failed) as f64, "", true, 0.0);
    let stages: BTreeSet<&String> = before.stages.keys().chain(after.stages.keys()).collect();
    for stage in stages {
        let stage_stats = |run: &Summary| run.stages.get(stage).cloned().unwrap_or_default();
        add(format!("{stage}: failed"), &|run| stage_stats(run).failed as f64, "", true, 0.0);
        add(format!("{stage}: p50"), &|run| stage_stats(run).p50_ms, "ms", true, NOISE_MS);
        add(format!("{stage}: p95"), &|run| stage_stats(run).p95_ms, "ms", true, NOISE_MS);
    }
    let models: BTreeSet<&String> = before.models.keys().chain(after.models.keys()).collect();
    for model in models {
        let model_count = |run: &Summary| run.models.get(model).cloned().unwrap_or_default();
        add(format!("{model}: calls"), &|run| model_count(run).calls as f64, "", true, 0.0);
        add(
            format!("{model}: tokens"),
            &|run| model_count(run).tokens_in.saturating_add(model_count(run).tokens_out) as f64,
            "",
            true,
            0.0,
        );
        add(format!("{model}: cost"), &|run| model_count(run).usd, "USD", true, 0.0);
        add(format!("{model}: failed"), &|run| model_count(run).failed as f64, "", true, 0.0);
    }
    rows
}
