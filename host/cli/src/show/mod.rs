//! `jackfield show` draws an item of a run on the terminal: its input, what each stage answered, and what it asked of models.

mod block;
mod exchanges;
mod grids;
mod run_stages;
mod values;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::ValueEnum;
use jackfield::internal::RunInputs;
use jackfield_engine::read_again;
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::{Scope, StagePlan, ViewMarks, hint_for};
use jackfield_report::looks::{Drawn, Looks};
use jackfield_store::{Db, Exchange, ItemRow, RunJson, Spend, StoreError, item_json, read_record};
use serde_json::{Map, Value, json};

use self::{
    block::{Canvas, Pen},
    exchanges::{exchange_json, exchange_lines},
    run_stages::show_run_stages,
};
use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::print_json,
    run::OUT,
};
use crate::terminal::{output, terminal};

/// The most drawings of an input, and of what a stage answered.
const MOST_DRAWINGS: usize = 200;
/// The columns of an output that is not a terminal.
const USUAL_WIDTH: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// Id of the item. Without it, the results of stages that run once a run or over all items are shown.
    item: Option<String>,

    /// Show what this stage asked and answered, and nothing else.
    #[arg(value_name = "STAGE")]
    stage: Option<String>,

    /// The same as STAGE.
    #[arg(long = "stage", value_name = "NAME", conflicts_with = "stage")]
    stage_option: Option<String>,

    /// Whether to use colours; `auto` does on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: When,

    /// Columns to draw in; those of the terminal, or 100, if it is not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: Option<u16>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Print one JSON object: the input, the answers, what of them is to be drawn, and what was asked of models.
    #[arg(long)]
    json: bool,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl Args {
    /// What is drawn on.
    fn canvas(&self) -> Canvas {
        let color = match self.color {
            When::Auto => output().color(),
            When::Always => true,
            When::Never => false,
        };
        let width = self.width.map(usize::from).or_else(|| output().width()).unwrap_or(USUAL_WIDTH).max(20);
        Canvas { pen: Pen { color }, width }
    }
}

pub(super) fn show(args: &Args) -> Exit {
    show_item(args.stage.as_deref().or(args.stage_option.as_deref()), args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

fn show_item(only_stage: Option<&str>, args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    if let Some(name) = only_stage {
        let Some(stage) = run.plan.stages.iter().find(|stage| stage.name == name) else {
            let stages = run.plan.stages.iter().map(|stage| stage.name.as_str());
            print_error(
                format!("run `{}` has no stage `{}`", run.run, escape_untrusted(name)),
                hint_for(name, "its stages", stages),
            );
            return Ok(Exit::Usage);
        };
        let has_items = stage.scope == Scope::Item;
        if has_items != args.item.is_some() {
            let (what, hint) = if has_items {
                ("runs once an item, and no item is named", format!("jackfield show {} ITEM {}", args.run, stage.name))
            } else {
                let file = folder.join("run").join(format!("{}.json", stage.name));
                ("has no answer of its own for an item", format!("its answer is in `{}`", file.display()))
            };
            print_error(format!("stage `{}` {what}", stage.name), Some(hint));
            return Ok(Exit::Usage);
        }
    }
    let db = read_record(&folder, &run)?;
    let Some(wanted) = &args.item else { return show_run_stages(&run, &db, only_stage, args) };
    let found = db.in_one_transaction(|| {
        let Some(item) = db.item_by_id(wanted)? else { return Ok(None) };
        db.verify_item(item.index as i64, &run)?;
        let line = item_json(&db, &run.plan, &item)?;
        let (asked, spend) = (db.exchanges_of(item.index as i64)?, db.spend_of_item(&item.id)?);
        Ok(Some((item, line, asked, spend)))
    })?;
    let Some((item, line, asked, spend)) = found else {
        print_error(
            format!("run `{}` has no item `{}`", run.run, escape_untrusted(wanted)),
            hint_for(wanted, "its items", ids(&db)?.iter().map(String::as_str)),
        );
        return Ok(Exit::Usage);
    };
    let input = if only_stage.is_none() { read_input(&folder, &run, &db, &item) } else { Ok(None) };
    let shown = ShownItem { run: &run, item: &item, line, input, only_stage, asked, spend };
    if args.json {
        print_json(&shown.as_json())
    } else {
        shown.print(args)
    }
    Ok(Exit::Success)
}

/// The ids of the first items, for a hint.
fn ids(db: &Db) -> Result<Vec<String>, StoreError> {
    const MOST: u32 = 1000;
    Ok(db.first_items(MOST)?.iter().map(|item| escape_untrusted(&item.id).into_owned()).collect())
}

/// The input of an item, or none if it never had any.
///
/// # Errors
/// Why the input cannot be shown.
fn read_input(folder: &Path, run: &RunJson, db: &Db, item: &ItemRow) -> Result<Option<Value>, String> {
    if !item.was_read() {
        return Ok(None);
    }
    let documents: BTreeMap<u64, Arc<str>> =
        read_again(&run.plan, &RunInputs::in_folder(folder), db, std::slice::from_ref(item), u64::MAX)
            .map_err(|error| error.to_string())?;
    match documents.get(&item.index) {
        Some(document) => serde_json::from_str(document).map(Some).map_err(|error| error.to_string()),
        None => Err("it is not in the input of the run any more, or is not what it was".to_owned()),
    }
}

/// An item, with what is shown of it.
struct ShownItem<'a> {
    run: &'a RunJson,
    item: &'a ItemRow,
    /// Its results, as its line in `results.jsonl` has them.
    line: Value,
    input: Result<Option<Value>, String>,
    /// The one stage that is shown; all without it.
    only_stage: Option<&'a str>,
    /// What stages asked of models, as far as it is on record.
    asked: Vec<Exchange>,
    /// What stages spent, by position.
    spend: BTreeMap<u32, Spend>,
}

impl ShownItem<'_> {
    /// The stages that are shown.
    fn stages(&self) -> impl Iterator<Item = (u32, &StagePlan)> {
        let stages = (0..).zip(&self.run.plan.stages).filter(|(_, stage)| stage.scope == Scope::Item);
        stages.filter(|(_, stage)| self.only_stage.is_none_or(|name| stage.name == name))
    }

    /// What a stage asked of models, as far as it is on record.
    fn asked_by(&self, stage: u32) -> Vec<&Exchange> {
        self.asked.iter().filter(|exchange| exchange.stage == stage).collect()
    }

    /// The stages of which it is not on record what they asked of a model.
    fn unrecorded(&self) -> Vec<&str> {
        let stages = self.stages().filter(|(index, _)| self.spend.get(index).is_some_and(Spend::has_completions));
        stages.filter(|(index, _)| self.asked_by(*index).is_empty()).map(|(_, stage)| stage.name.as_str()).collect()
    }

    fn as_json(&self) -> Value {
        let mut shown = self.line.clone();
        let keep_only_stage = |shown: &mut Value, key: &str| {
            if let (Some(name), Some(map)) = (self.only_stage, shown.get_mut(key).and_then(Value::as_object_mut)) {
                map.retain(|stage, _| stage == name);
            }
        };
        keep_only_stage(&mut shown, "outputs");
        keep_only_stage(&mut shown, "failures");
        let mut views: Vec<Value> = Vec::new();
        let mut add = |stage: Option<&str>, value: &Value, marks: &ViewMarks| {
            for drawing in Looks::of(value, marks, MOST_DRAWINGS).drawings {
                let (view, why) = match drawing.drawn {
                    Drawn::Grids { .. } => ("grid", None),
                    Drawn::Outcomes(_) => ("outcomes", None),
                    Drawn::Series(_) => ("series", None),
                    Drawn::Unfit { view, why } => (view.name(), Some(why)),
                };
                views.push(json!({ "stage": stage, "path": drawing.path, "view": view, "fault": why }));
            }
        };
        if let Ok(Some(input)) = &self.input {
            add(None, input, &self.run.plan.item_views);
        }
        for (_, stage) in self.stages() {
            if let Some(answer) = self.line["outputs"].get(&stage.name) {
                add(Some(&stage.name), answer, &stage.views);
            }
        }
        shown["run"] = self.run.run.as_str().into();
        if self.only_stage.is_none() {
            shown["input"] = self.input.as_ref().ok().cloned().flatten().unwrap_or_default();
        }
        shown["views"] = views.into();
        let asked = self.stages().map(|(index, stage)| (stage.name.clone(), self.asked_by(index)));
        let asked: Map<String, Value> = asked
            .filter(|(_, asked)| !asked.is_empty())
            .map(|(stage, asked)| (stage, asked.into_iter().map(exchange_json).collect()))
            .collect();
        shown["exchanges"] = asked.into();
        shown
    }

    fn print(&self, args: &Args) {
        let canvas = args.canvas();
        let pen = canvas.pen;
        let state = self.item.state.as_deref().unwrap_or("not done");
        let (id, run) = (escape_untrusted(&self.item.id), escape_untrusted(&self.run.run));
        let mut lines = vec![format!("item `{id}` of run {run}: {}", escape_untrusted(state))];
        if let Some(fault) = &self.item.fault {
            lines.push(pen.bad(&escape_untrusted(fault)));
        }
        match &self.input {
            Ok(None) => {}
            Ok(Some(input)) => {
                lines.extend([String::new(), pen.strong("input")]);
                lines.extend(values::value_lines(input, &self.run.plan.item_views, canvas));
            }
            Err(why) => lines.extend([String::new(), format!("input: not shown: {}", escape_untrusted(why))]),
        }
        for (index, stage) in self.stages() {
            let asked = self.asked_by(index);
            let failures = self.line["failures"].get(&stage.name).and_then(Value::as_array);
            let answer = self.line["outputs"].get(&stage.name);
            let is_off = self.line["off"].as_array().is_some_and(|off| off.iter().any(|name| *name == stage.name));
            if failures.is_none() && answer.is_none() && asked.is_empty() && !is_off {
                continue;
            }
            lines.extend([String::new(), pen.strong(&escape_untrusted(&stage.name))]);
            if let Some(answer) = answer {
                lines.extend(values::value_lines(answer, &stage.views, canvas));
            }
            if is_off {
                lines.push("  off: its condition does not hold".to_owned());
            }
            lines
                .extend(failures.into_iter().flatten().map(|failure| format!("  {}", pen.bad(&failure_line(failure)))));
            lines.extend(exchange_lines(&asked, pen));
        }
        output().styled(lines.join("\n"));
        let plan = &self.run.plan;
        if let unrecorded @ [first, ..] = self.unrecorded().as_slice() {
            let others = match unrecorded.len() - 1 {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            terminal().say(format!(
                "note: what stage `{first}`{others} asked of its model is not on record: `[record]` with `calls = \"full\"` in \
                 the pipeline keeps it, from the next run on"
            ));
        }
        if plan.item_views.is_empty() && plan.stages.iter().all(|stage| stage.views.is_empty()) {
            terminal().say(
                "note: nothing is drawn: no stage of this run marks anything to be looked at (`x-view` in its schemas), or the \
                 run was made before marks were kept",
            );
        }
    }
}

/// A failure of a call, in a line.
fn failure_line(failure: &Value) -> String {
    let text = |key: &str| escape_untrusted(failure[key].as_str().unwrap_or_default()).into_owned();
    let call = failure["call"].as_u64().map(|call| format!("call {call}: ")).unwrap_or_default();
    match text("kind").as_str() {
        "skipped" => format!("{call}skipped: {}", text("message")),
        kind => format!("{call}failed, {kind}: {}", text("message")),
    }
}
