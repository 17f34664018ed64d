//! `jackfield runs compare` puts two runs side by side: the quality of what they answered, item by item, and times, failures and
//! costs. It ends with an exit code of its own if something got worse by more than a threshold. It also compares two stages of
//! one run.

mod answer;
mod measured;
mod quality;

use std::path::PathBuf;

use clap::ValueEnum;
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::hint_for;
use jackfield_store::{RunJson, StoreError, Summary, read_record};

use self::{
    answer::{Answer, Measured},
    measured::{MeasuredRun, Thresholds, rows},
    quality::{Pair, RunNumbers, common_pairs, compare as compare_columns, shared_items},
};
use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::print_json,
    runs_args::RunsArgs,
};
use crate::{results::selection::UnknownName, terminal::output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run to compare with: its name, the beginning of it, its folder, or `last`.
    before: String,

    /// The run that is judged. It may be left out with --pair, to compare two stages of one run.
    #[arg(required_unless_present = "pair")]
    after: Option<String>,

    /// How much worse, in percent, is a regression: of times and of the number of failures.
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0)]
    threshold: f64,

    /// How much more, in percent, is a regression: of what models cost, in calls, tokens and US dollars. As --threshold, if it is
    /// not given.
    #[arg(long, value_name = "PERCENT")]
    cost_threshold: Option<f64>,

    /// How much worse the mean of a column, on its own scale, is a regression, if that is not by chance: if the interval of the
    /// difference leaves out 0, or, for truth values, McNemar's test gives less than 0.05.
    #[arg(long, value_name = "DIFFERENCE", default_value_t = 0.0)]
    quality_threshold: f64,

    /// Compare the numbers and truth values of these wires alone, and judge all of them. Without it, all are compared, and those
    /// that graders give (`passed`, `score`) are judged.
    #[arg(long, alias = "column", value_name = "WIRE", value_delimiter = ',')]
    columns: Vec<String>,

    /// Compare one column with another, such as `small.score,large.score`: of two runs, or of the items of one. May be given several
    /// times.
    #[arg(long, value_name = "BEFORE,AFTER", conflicts_with = "columns")]
    pair: Vec<String>,

    /// Of these wires, less is better; they are judged.
    #[arg(long, value_name = "WIRE", value_delimiter = ',')]
    lower_is_better: Vec<String>,

    /// How many items are named of those that got better, got worse, or are in one run alone.
    #[arg(long, value_name = "N", default_value_t = 10)]
    items: usize,

    /// How it is written.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, conflicts_with = "json")]
    format: Format,

    #[command(flatten)]
    runs: RunsArgs,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for a terminal.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// Markdown, for a comment or a page.
    Markdown,
}

/// Why there is no comparison.
enum CompareError {
    Store(StoreError),
    /// The command line is wrong.
    Usage {
        message: String,
        hint: Option<String>,
    },
}

impl From<StoreError> for CompareError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UnknownName> for CompareError {
    fn from(UnknownName { message, hint }: UnknownName) -> Self {
        Self::Usage { message, hint }
    }
}

pub(super) fn compare(args: &Args) -> Exit {
    match compare_runs(args) {
        Ok(exit) => exit,
        Err(CompareError::Usage { message, hint }) => {
            print_error(escape_untrusted(&message), hint);
            Exit::Usage
        }
        Err(CompareError::Store(error)) => {
            print_error(&error, error.hint());
            Exit::Failed
        }
    }
}

/// A run that is compared.
struct ComparedRun {
    folder: PathBuf,
    run: RunJson,
    summary: Summary,
}

impl ComparedRun {
    fn of(args: &Args, name: &str) -> Result<Self, CompareError> {
        let (folder, mut run) = chosen_run(&args.runs.out, name)?;
        let Some(summary) = run.summary.take() else {
            let message = format!("run `{}` has not ended: there is nothing to compare", run.run);
            return Err(CompareError::Usage { message, hint: None });
        };
        Ok(Self { folder, run, summary })
    }

    /// Reads the numbers of the run, and its times if they are asked for.
    fn read(&self, wires: &[String], has_times: bool) -> Result<(RunNumbers, Option<MeasuredRun<'_>>), CompareError> {
        let db = read_record(&self.folder, &self.run)?;
        let (numbers, measured) = db.in_one_transaction(|| {
            db.verify(&self.run)?;
            let numbers = RunNumbers::read(&self.run, &db, wires)?;
            let measured = if has_times { Some(MeasuredRun::read(&self.run, &self.summary, &db)?) } else { None };
            Ok((numbers, measured))
        })?;
        Ok((numbers?, measured))
    }
}

fn compare_runs(args: &Args) -> Result<Exit, CompareError> {
    let pairs = args.pair.iter().map(|text| pair_of(text, args)).collect::<Result<Vec<_>, _>>()?;
    let before = ComparedRun::of(args, &args.before)?;
    let after = match &args.after {
        Some(name) => Some(ComparedRun::of(args, name)?),
        None => None,
    };
    let wires = |side: fn(&Pair) -> &String| -> Vec<String> {
        if pairs.is_empty() { args.columns.clone() } else { pairs.iter().map(side).cloned().collect() }
    };
    let (wires_before, wires_after) = (wires(|pair| &pair.before), wires(|pair| &pair.after));
    let has_times = after.is_some();
    let (numbers_before, measured_before) = before.read(&wires_before, has_times)?;
    let judged = after.as_ref().unwrap_or(&before);
    let (numbers_after, measured_after) = judged.read(&wires_after, has_times)?;

    for (wires, numbers) in [(&wires_before, &numbers_before), (&wires_after, &numbers_after)] {
        for wire in wires {
            if !numbers.has_below(wire) {
                let message = format!("`{wire}` has neither numbers nor truth values: only they are compared");
                return Err(CompareError::Usage { message, hint: hint_for(wire, "there are", numbers.names()) });
            }
        }
    }
    let pairs = if pairs.is_empty() {
        let is_less_better = |name: &str| args.lower_is_better.iter().any(|wire| wire == name);
        common_pairs(&numbers_before, &numbers_after, !args.columns.is_empty(), is_less_better)
    } else {
        pairs
    };
    for wire in &args.lower_is_better {
        if !pairs.iter().any(|pair| pair.before == *wire || pair.after == *wire) {
            let message = format!("`{wire}` is not compared");
            let compared = pairs.iter().map(|pair| pair.before.as_str());
            return Err(CompareError::Usage { message, hint: hint_for(wire, "these are", compared) });
        }
    }
    let quality =
        pairs.iter().filter_map(|pair| compare_columns(&numbers_before, &numbers_after, pair, args.quality_threshold));
    let thresholds = Thresholds { usual: args.threshold, cost: args.cost_threshold.unwrap_or(args.threshold) };
    let measured = match (measured_before, measured_after, &after) {
        (Some(first), Some(second), Some(after)) => Some(Measured {
            rows: rows(&first, &second, thresholds),
            shared: shared_items(&numbers_before, &numbers_after),
            after: after.run.run.clone(),
            has_same_plan: before.run.digest == after.run.digest,
            pipelines: [before.run.pipeline.clone(), after.run.pipeline.clone()],
        }),
        _ => None,
    };
    let answer = Answer {
        before: before.run.run.clone(),
        measured,
        quality: quality.collect(),
        thresholds,
        quality_threshold: args.quality_threshold,
        named_items: args.items,
    };
    match args.format {
        _ if args.runs.json => print_json(&answer.json()),
        Format::Json => print_json(&answer.json()),
        Format::Table => output().lines(answer.table()),
        Format::Markdown => output().lines(answer.markdown()),
    }
    Ok(if answer.regressions() == 0 { Exit::Success } else { Exit::Regression })
}

/// Two columns, as they are written: `BEFORE,AFTER`.
fn pair_of(text: &str, args: &Args) -> Result<Pair, CompareError> {
    let Some((before, after)) = text.split_once(',').filter(|(before, after)| !before.is_empty() && !after.is_empty())
    else {
        let message = format!("`{text}` is no pair of columns");
        let hint = Some("write two wires with a comma between them: `--pair small.score,large.score`".to_owned());
        return Err(CompareError::Usage { message, hint });
    };
    let less_is_better = args.lower_is_better.iter().any(|wire| wire == before || wire == after);
    Ok(Pair { before: before.to_owned(), after: after.to_owned(), is_judged: true, less_is_better })
}
