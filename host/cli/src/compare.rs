//! `jackfield runs compare`.

use std::collections::BTreeSet;

use jackfield_store::{RunJson, StoreError, Summary, peek};
use serde_json::json;

use super::{
    exit::{Exit, complain},
    load::print_json,
    runs::At,
    table::table,
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
    at: At,
}

pub(super) fn compare(args: &Args) -> Exit {
    compared(args).unwrap_or_else(|error| {
        complain(&error, error.hint());
        Exit::Failed
    })
}

/// A number of both runs.
struct Row {
    what: String,
    before: f64,
    after: f64,
    unit: &'static str,
    /// Whether more is worse; numbers of which it is not are not judged.
    judged: bool,
    /// Differences below this are noise.
    noise: f64,
}

impl Row {
    /// The change in percent; none from nothing.
    fn change(&self) -> Option<f64> {
        (self.before != 0.0).then(|| (self.after - self.before) / self.before * 100.0)
    }

    fn is_regression(&self, threshold: f64) -> bool {
        let more = self.after - self.before;
        self.judged && more > self.noise && self.change().is_none_or(|change| change > threshold)
    }
}

fn compared(args: &Args) -> Result<Exit, StoreError> {
    let (_, before) = peek(&args.at.out, &args.before)?;
    let (_, after) = peek(&args.at.out, &args.after)?;
    for run in [&before, &after] {
        if run.summary.is_none() {
            complain(format!("run `{}` has not ended: there is nothing to compare", run.run), None);
            return Ok(Exit::Usage);
        }
    }
    if before.pipeline != after.pipeline {
        complain(format!("the runs are of two pipelines, `{}` and `{}`", before.pipeline, after.pipeline), None);
        return Ok(Exit::Usage);
    }
    let rows = rows(&before, &after);
    let worse: Vec<&Row> = rows.iter().filter(|row| row.is_regression(args.threshold)).collect();
    if args.at.json {
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
            let regressions = super::table::counted(worse.len() as u64, "regression");
            output().line("");
            output().line(format!("{regressions} beyond the threshold of {} %", args.threshold));
        }
    }
    Ok(if worse.is_empty() { Exit::Success } else { Exit::Regression })
}

fn number(value: f64, unit: &str) -> String {
    match unit {
        "ms" => super::table::ms(value),
        "USD" => format!("{value:.4} USD"),
        _ => format!("{value}"),
    }
}

fn rows(before: &RunJson, after: &RunJson) -> Vec<Row> {
    let (Some(before), Some(after)) = (&before.summary, &after.summary) else { return Vec::new() };
    let mut rows = Vec::new();
    let mut add = |what: String, of: &dyn Fn(&Summary) -> f64, unit: &'static str, judged: bool, noise: f64| {
        rows.push(Row { what, before: of(before), after: of(after), unit, judged, noise });
    };
    add("wall time".to_owned(), &|run| run.wall_ms, "ms", true, 50.0);
    add("items".to_owned(), &|run| run.items.total as f64, "", false, 0.0);
    add("items partial or failed".to_owned(), &|run| (run.items.partial + run.items.failed) as f64, "", true, 0.0);
    let stages: BTreeSet<&String> = before.stages.keys().chain(after.stages.keys()).collect();
    for stage in stages {
        let of = |run: &Summary| run.stages.get(stage).cloned().unwrap_or_default();
        add(format!("{stage}: failed"), &|run| of(run).failed as f64, "", true, 0.0);
        add(format!("{stage}: p50"), &|run| of(run).p50_ms, "ms", true, NOISE_MS);
        add(format!("{stage}: p95"), &|run| of(run).p95_ms, "ms", true, NOISE_MS);
    }
    let models: BTreeSet<&String> = before.models.keys().chain(after.models.keys()).collect();
    for model in models {
        let of = |run: &Summary| run.models.get(model).cloned().unwrap_or_default();
        add(format!("{model}: calls"), &|run| of(run).calls as f64, "", true, 0.0);
        add(
            format!("{model}: tokens"),
            &|run| of(run).tokens_in.saturating_add(of(run).tokens_out) as f64,
            "",
            true,
            0.0,
        );
        add(format!("{model}: cost"), &|run| of(run).usd, "USD", true, 0.0);
        add(format!("{model}: failed"), &|run| of(run).failed as f64, "", true, 0.0);
    }
    rows
}
