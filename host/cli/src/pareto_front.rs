//! `jackfield front` shows the best trials of a run's search: the Pareto front, or the first ten trials by the one objective.

use std::{collections::BTreeSet, path::PathBuf};

use jackfield::internal::shell_word;
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::hint_for;
use jackfield_report::{Trial, TrialState, Trials, significant_digits};
use jackfield_store::{Answer, Db, RunJson, StoreError, read_record};
use serde_json::{Value, json};

use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::print_json,
    run::{OUT, out_option, run_word},
    table::{counted, table},
};
use crate::terminal::output;

/// How many trials of a search with one objective are shown without `--all`.
const BEST: usize = 10;

/// If a line has more characters than this, names are shortened.
const WIDEST: usize = 140;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// Show every complete trial, not only the Pareto front (of one objective: the best ten).
    #[arg(long)]
    all: bool,

    /// The reference point of the hypervolume: `kl.mean=0.5,judge.rate=1`. For an objective that is not named, it lies beyond
    /// the worst of all complete trials, by a tenth of the distance from the best to the worst.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = objective_value)]
    reference: Vec<(String, f64)>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Print one JSON object, with every value and every trial.
    #[arg(long)]
    json: bool,
}

/// Reads an objective and its value.
fn objective_value(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.rsplit_once('=').ok_or("it is not NAME=VALUE")?;
    match value.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((name.trim().to_owned(), value)),
        _ => Err(format!("`{value}` is not a number")),
    }
}

pub(super) fn show_pareto_front(args: &Args) -> Exit {
    show_front(args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

/// A search, with what is shown of it.
struct ShownSearch<'a> {
    run: &'a RunJson,
    trials: &'a Trials,
    /// The trials on the Pareto front. With one objective, those that have the best value.
    front: Vec<&'a Trial>,
    /// The trials that are listed, in order.
    listed: Vec<&'a Trial>,
    /// The hypervolume, if there are several objectives.
    hypervolume: Option<Hypervolume>,
    /// How many trials its study had before the run.
    before: u64,
}

/// The hypervolume of the Pareto front.
struct Hypervolume {
    /// None if there are too many trials to compute it.
    value: Option<f64>,
    /// The reference point, with a value for each objective.
    reference: Vec<f64>,
}

fn show_front(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    if run.plan.search.is_none() {
        print_error(
            format!("run `{}` has no search, and so no Pareto front", run.run),
            Some("a `[search]` table in the pipeline makes one: see `jackfield schema`".to_owned()),
        );
        return Ok(Exit::Usage);
    }
    let db = read_record(&folder, &run)?;
    let (trials, before, failed) = db.in_one_transaction(|| {
        db.verify(&run)?;
        let trials = Trials::read(&db)?;
        let failed = trials.done.iter().find(|trial| trial.state == TrialState::Failed);
        let failed = failed.map(|trial| failed_trial(&run, &db, trial)).transpose()?;
        Ok((trials, db.search_start()?.map_or(0, |start| start["trials"].as_u64().unwrap_or_default()), failed))
    })?;
    if trials.complete().next().is_none() {
        return Ok(report_no_front(&run, &trials, failed, args));
    }
    if let Some((unknown, _)) =
        args.reference.iter().find(|(name, _)| !trials.goals.iter().any(|goal| goal.name == *name))
    {
        let hint = hint_for(unknown, "objectives", trials.goals.iter().map(|goal| goal.name.as_str()));
        print_error(format!("`--reference` names `{unknown}`, which is not an objective of the search"), hint);
        return Ok(Exit::Usage);
    }
    let front = trials.pareto_front();
    let mut complete: Vec<&Trial> = trials.complete().collect();
    trials.sort(&mut complete);
    let listed = match (args.all, trials.goals.len()) {
        (true, _) => complete,
        (false, 1) => complete.into_iter().take(BEST).collect(),
        (false, _) => front.clone(),
    };
    let hypervolume = (trials.goals.len() > 1).then(|| {
        let mut reference = trials.reference();
        for (goal, value) in trials.goals.iter().zip(&mut reference) {
            if let Some((_, wanted)) = args.reference.iter().rfind(|(name, _)| *name == goal.name) {
                *value = *wanted;
            }
        }
        Hypervolume { value: trials.hypervolume(front.iter().copied(), &reference), reference }
    });
    let shown = ShownSearch { run: &run, trials: &trials, front, listed, hypervolume, before };
    if args.json {
        print_json(&shown.as_json())
    } else {
        shown.print(args)
    }
    Ok(Exit::Success)
}

/// The first trial that failed, and why.
struct FailedTrial {
    item: String,
    reason: String,
}

/// Prints why there is no Pareto front.
fn report_no_front(run: &RunJson, trials: &Trials, failed: Option<FailedTrial>, args: &Args) -> Exit {
    let run = &run.run;
    let Some(FailedTrial { item, reason }) = failed else {
        let (message, hint) = if trials.count(TrialState::Pruned) > 0 {
            let hint =
                "let more trials come to their end: `prune.startup` of the policy says how many are never stopped";
            (format!("every trial of run `{run}` was pruned before it had its objectives"), hint)
        } else {
            (format!("no trial of run `{run}` is done"), "wait for one, or go on with the run (--resume)")
        };
        print_error(message, Some(hint.to_owned()));
        return Exit::Failed;
    };
    let (word, out) = (run_word(&args.run, run), out_option(&args.out));
    print_error(
        format!(
            "no trial of run `{run}` has its objectives; the first that failed is item `{}`: {reason}",
            escape_untrusted(&item)
        ),
        Some(format!("`jackfield runs show {word} --item {}{out}` shows all of it", shell_word(&item))),
    );
    Exit::Failed
}

fn failed_trial(run: &RunJson, db: &Db, trial: &Trial) -> Result<FailedTrial, StoreError> {
    Ok(FailedTrial { item: trial.id.clone(), reason: reason_of_failure(run, db, trial)? })
}

/// Why a trial has no objectives, as far as its results show it.
fn reason_of_failure(run: &RunJson, db: &Db, trial: &Trial) -> Result<String, StoreError> {
    if let Some(fault) = db.item(trial.item)?.and_then(|item| item.fault) {
        return Ok(escape_untrusted(&fault).into_owned());
    }
    for row in db.results(trial.item as i64)? {
        if let (Answer::Failed { kind, message }, Some(stage)) = (&row.answer, run.plan.stages.get(row.stage as usize))
        {
            return Ok(format!("stage `{}` failed, {kind}: {}", stage.name, escape_untrusted(message)));
        }
    }
    Ok("one of its objectives is not there, or is not a number".to_owned())
}

impl ShownSearch<'_> {
    fn as_json(&self) -> Value {
        let trials = self.trials;
        let on_front: BTreeSet<u64> = self.front.iter().map(|trial| trial.item).collect();
        let state = |state: TrialState| match state {
            TrialState::Complete => "complete",
            TrialState::Pruned => "pruned",
            TrialState::Failed => "failed",
        };
        let trial = |trial: &Trial| {
            let objectives =
                trials.goals.iter().zip(&trial.objectives).map(|(goal, value)| (goal.name.clone(), json!(value)));
            json!({
                "item": trial.id, "state": state(trial.state), "front": on_front.contains(&trial.item),
                "objectives": objectives.collect::<serde_json::Map<_, _>>(), "params": trial.values,
                "reports": trial.reports,
            })
        };
        let by_name = |values: &[f64]| {
            let values = trials.goals.iter().zip(values).map(|(goal, value)| (goal.name.clone(), json!(value)));
            Value::Object(values.collect())
        };
        let goals: Vec<Value> =
            trials.goals.iter().map(|goal| json!({ "name": goal.name, "minimize": goal.minimize })).collect();
        json!({
            "run": self.run.run, "objectives": goals,
            "complete": trials.count(TrialState::Complete), "pruned": trials.count(TrialState::Pruned),
            "failed": trials.count(TrialState::Failed), "open": trials.open, "before": self.before,
            "front": self.front.iter().map(|trial| trial.id.as_str()).collect::<Vec<_>>(),
            "hypervolume": self.hypervolume.as_ref().and_then(|volume| volume.value),
            "reference": self.hypervolume.as_ref().map(|volume| by_name(&volume.reference)),
            "trials": trials.done.iter().map(trial).collect::<Vec<_>>(),
        })
    }

    fn print(&self, args: &Args) {
        let trials = self.trials;
        let mut counts = vec![format!("{} complete", trials.count(TrialState::Complete))];
        let others = [
            (trials.count(TrialState::Pruned), "pruned"),
            (trials.count(TrialState::Failed), "failed"),
            (trials.open, "not done"),
        ];
        counts.extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")));
        let all = trials.done.len() as u64 + trials.open;
        output().line(format!("run {}: {}, {}", self.run.run, counted(all, "trial"), counts.join(", ")));
        if self.before > 0 {
            let earlier = counted(self.before, "trial");
            output().line(format!("its study began with {earlier} of earlier runs, which are not shown here"));
        }
        let search = self.run.summary.as_ref().and_then(|summary| summary.search.as_ref());
        if let Some(stopped) = search.and_then(|search| search.stopped.as_deref()) {
            output().line(format!("stopped before its end: {stopped}"));
        }
        for (minimize, does) in [(true, "minimized"), (false, "maximized")] {
            let names: Vec<&str> =
                trials.goals.iter().filter(|goal| goal.minimize == minimize).map(|goal| goal.name.as_str()).collect();
            if !names.is_empty() {
                output().line(format!("{does}: {}", names.join(", ")));
            }
        }
        output().line("");
        output().lines(self.table_of_trials());
        let (front, complete) = (self.front.len() as u64, trials.count(TrialState::Complete));
        output().line("");
        match &self.hypervolume {
            Some(Hypervolume { value, reference }) => {
                output().line(format!("on the Pareto front: {front} of {complete}"));
                let values = trials.goals.iter().zip(reference);
                let point: Vec<String> =
                    values.map(|(goal, value)| format!("{}={}", goal.name, significant_digits(*value))).collect();
                let volume = value.map_or_else(|| "too many trials to tell".to_owned(), significant_digits);
                output().line(format!("hypervolume: {volume}, up to --reference {}", point.join(",")));
            }
            None => output().line(format!("shown: {} of {complete}", self.listed.len())),
        }
        output().line("");
        for line in self.commands(args) {
            output().line(line);
        }
    }

    /// A table with a row for each trial: its item, its objectives, and the values in which it differs from the others. The names of
    /// values are shortened to endings that still differ if the table would be too wide for a screen.
    fn table_of_trials(&self) -> String {
        let names = Trials::differing(&self.listed);
        let whole_names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wide = self.rows(&names, &whole_names);
        let is_too_wide = wide.lines().any(|line| line.chars().count() > WIDEST);
        if is_too_wide { self.rows(&names, &distinct_endings(&names)) } else { wide }
    }

    fn rows(&self, names: &[String], shown: &[&str]) -> String {
        let trials = self.trials;
        let tells_front = self.listed.len() > self.front.len() && trials.goals.len() > 1;
        let on_front: BTreeSet<u64> = self.front.iter().map(|trial| trial.item).collect();
        let mut header = vec!["item"];
        header.extend(trials.goals.iter().map(|goal| goal.name.as_str()));
        header.extend(tells_front.then_some("front"));
        header.extend(shown);
        let row = |trial: &&Trial| {
            let mut row = vec![trial.id.clone()];
            row.extend(trial.objectives.iter().map(|value| significant_digits(*value)));
            if tells_front {
                row.push(if on_front.contains(&trial.item) { "yes" } else { "" }.to_owned());
            }
            row.extend(names.iter().map(|name| match trial.values.get(name) {
                Some(Value::Number(number)) => number.as_f64().map_or_else(|| number.to_string(), significant_digits),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            }));
            row
        };
        table(&header, self.listed.iter().map(row).collect())
    }

    /// The commands that show or export a trial, with the first one that is listed as an example.
    fn commands(&self, args: &Args) -> Vec<String> {
        let Some(first) = self.listed.first() else { return Vec::new() };
        let (run, item) = (run_word(&args.run, &self.run.run), shell_word(&first.id));
        let out = out_option(&args.out);
        let mut lines = vec![format!("look at one:  jackfield runs show {run} --item {item}{out}")];
        if !self.run.plan.exports.is_empty() {
            lines.push(format!("export one:   jackfield export {run} {item} --to FOLDER{out}"));
        }
        lines
    }
}

/// Shortens each name to the part after a dot, as short as it can be while no other name ends with it.
fn distinct_endings(names: &[String]) -> Vec<&str> {
    let shortest = |name: &'_ String| -> usize {
        let starts = name.match_indices('.').map(|(at, _)| at + 1);
        let is_own = |from: &usize| {
            let others = names.iter().filter(|other| *other != name);
            others.into_iter().all(|other| *other != name[*from..] && !other.ends_with(&format!(".{}", &name[*from..])))
        };
        starts.filter(is_own).max().unwrap_or(0)
    };
    names.iter().map(|name| &name[shortest(name)..]).collect()
}

#[cfg(test)]
mod tests {
    use super::{distinct_endings, objective_value};

    #[test]
    fn names_are_cut_to_ends_that_differ() {
        let names = ["a.attention.weight", "a.mlp.weight", "a.index", "b.index", "scope"].map(str::to_owned);
        assert_eq!(distinct_endings(&names), ["attention.weight", "mlp.weight", "a.index", "b.index", "scope"]);
    }

    #[test]
    fn a_reference_is_a_name_and_a_number() {
        assert_eq!(objective_value("kl.mean = 0.5"), Ok(("kl.mean".to_owned(), 0.5)));
        assert_eq!(objective_value("a=b=-1e3"), Ok(("a=b".to_owned(), -1000.0)));
        assert_eq!(objective_value("kl.mean"), Err("it is not NAME=VALUE".to_owned()));
        assert_eq!(objective_value("kl.mean=NaN"), Err("`NaN` is not a number".to_owned()));
    }
}
