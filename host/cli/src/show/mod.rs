//! `jackfield show` draws an item of a run on the terminal: its input, and what each stage answered.

mod block;
mod grids;
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
use jackfield_store::{Db, ItemRow, RunJson, StoreError, item_json, read_record};
use serde_json::{Value, json};

use self::block::{Canvas, Pen};
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

    /// Id of the item.
    item: String,

    /// Show what this stage answered, and nothing else.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,

    /// Whether to use colours; `auto` does on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: When,

    /// Columns to draw in; those of the terminal, or 100, if it is not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: Option<u16>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Print one JSON object: the input, the answers, and what of them is to be drawn.
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

pub(super) fn show(args: &Args) -> Exit {
    show_item(args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

fn show_item(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    if let Some(name) = &args.stage {
        let Some(stage) = run.plan.stages.iter().find(|stage| stage.name == *name) else {
            let stages = run.plan.stages.iter().map(|stage| stage.name.as_str());
            print_error(
                format!("run `{}` has no stage `{}`", run.run, escape_untrusted(name)),
                hint_for(name, "its stages", stages),
            );
            return Ok(Exit::Usage);
        };
        if stage.scope == Scope::Run {
            let file = folder.join("run").join(format!("{}.json", stage.name));
            print_error(
                format!("stage `{}` runs once a run, and has no answer of its own for an item", stage.name),
                Some(format!("its answer is in `{}`", file.display())),
            );
            return Ok(Exit::Usage);
        }
    }
    let db = read_record(&folder, &run)?;
    let found = db.in_one_transaction(|| {
        let Some(item) = db.item_by_id(&args.item)? else { return Ok(None) };
        db.verify_item(item.index as i64, &run)?;
        let line = item_json(&db, &run.plan, &item)?;
        Ok(Some((item, line)))
    })?;
    let Some((item, line)) = found else {
        print_error(
            format!("run `{}` has no item `{}`", run.run, escape_untrusted(&args.item)),
            hint_for(&args.item, "its items", ids(&db)?.iter().map(String::as_str)),
        );
        return Ok(Exit::Usage);
    };
    let input = if args.stage.is_none() { read_input(&folder, &run, &db, &item) } else { Ok(None) };
    let shown = ShownItem { run: &run, item: &item, line, input };
    if args.json {
        print_json(&shown.as_json(args))
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
}

impl ShownItem<'_> {
    /// The stages that are shown.
    fn stages<'s>(&'s self, args: &'s Args) -> impl Iterator<Item = &'s StagePlan> {
        let stages = self.run.plan.stages.iter().filter(|stage| stage.scope == Scope::Item);
        stages.filter(|stage| args.stage.as_ref().is_none_or(|name| stage.name == *name))
    }

    fn as_json(&self, args: &Args) -> Value {
        let mut shown = self.line.clone();
        let keep_only_stage = |shown: &mut Value, key: &str| {
            if let (Some(name), Some(map)) = (&args.stage, shown.get_mut(key).and_then(Value::as_object_mut)) {
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
        for stage in self.stages(args) {
            if let Some(answer) = self.line["outputs"].get(&stage.name) {
                add(Some(&stage.name), answer, &stage.views);
            }
        }
        shown["run"] = self.run.run.as_str().into();
        if args.stage.is_none() {
            shown["input"] = self.input.as_ref().ok().cloned().flatten().unwrap_or_default();
        }
        shown["views"] = views.into();
        shown
    }

    fn print(&self, args: &Args) {
        let color = match args.color {
            When::Auto => output().color(),
            When::Always => true,
            When::Never => false,
        };
        let pen = Pen { color };
        let columns = args.width.map(usize::from).or_else(|| output().width()).unwrap_or(USUAL_WIDTH).max(20);
        let canvas = Canvas { pen, width: columns };
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
        for stage in self.stages(args) {
            let failures = self.line["failures"].get(&stage.name).and_then(Value::as_array);
            let answer = self.line["outputs"].get(&stage.name);
            if failures.is_none() && answer.is_none() {
                continue;
            }
            lines.extend([String::new(), pen.strong(&escape_untrusted(&stage.name))]);
            if let Some(answer) = answer {
                lines.extend(values::value_lines(answer, &stage.views, canvas));
            }
            lines
                .extend(failures.into_iter().flatten().map(|failure| format!("  {}", pen.bad(&failure_line(failure)))));
        }
        output().styled(lines.join("\n"));
        let plan = &self.run.plan;
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
