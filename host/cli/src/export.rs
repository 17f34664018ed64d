//! `jackfield export` runs the export stage of a pipeline on the recorded results of one item, and lets it write to a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jackfield::internal::{RunInputs, shell_word, what_differs};
use jackfield_engine::{Export, ExportError, export_inputs};
use jackfield_loader::{Registry, escape_untrusted};
use jackfield_pipeline::{Plan, StagePlan, hint_for};
use jackfield_plugin_api::X_EXPORT_FOLDER;
use jackfield_services::{Services, open_services};
use jackfield_store::{ItemRow, ItemState, RunJson, read_record};
use serde_json::{Value, json};

use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    load::{OutputFormat, PipelineArgs, load_plan, print_json},
    run::{OUT, out_option, run_word},
};
use crate::terminal::{output, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// Id of the item, such as that of a trial which `jackfield front` shows.
    item: String,

    /// The folder to write to, which is made; one that is there has to be empty.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,

    /// The stage that exports, where the pipeline has several with `export = true`.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,

    /// The pipeline, if its file is not where it was when the run was made.
    #[arg(long, value_name = "PATH")]
    pipeline: Option<PathBuf>,

    /// Change a value of the pipeline, as `run` does: what the run was made with is given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Grant a sandboxed plugin something that it asks for, as `run` does.
    #[arg(long = "grant", value_name = "PLUGIN=PERMISSION")]
    grant: Vec<String>,

    /// Fail if the pipeline names plugin files and there is no `jackfield.lock` beside it.
    #[arg(long)]
    locked: bool,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Print one JSON object, with what the stage answered.
    #[arg(long)]
    json: bool,
}

pub(super) fn export(args: &Args) -> Exit {
    export_item(args).unwrap_or_else(|refused| match refused {
        Refused::Printed(exit) => exit,
        Refused::Because(message, hint) => {
            print_error(message, hint);
            Exit::Usage
        }
        Refused::Failed(error) => {
            print_error(&error, error.hint());
            Exit::Failed
        }
    })
}

/// Why nothing is exported.
enum Refused {
    /// The reason has been printed.
    Printed(Exit),
    /// The request cannot be fulfilled: the message and its hint.
    Because(String, Option<String>),
    /// The export was tried and failed.
    Failed(ExportError),
}

impl<E: Into<ExportError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn because<T>(message: impl Into<String>, hint: impl Into<Option<String>>) -> Result<T, Refused> {
    Err(Refused::Because(message.into(), hint.into()))
}

fn export_item(args: &Args) -> Result<Exit, Refused> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    let db = read_record(&folder, &run)?;
    let item = db.in_one_transaction(|| {
        let item = db.item_by_id(&args.item)?;
        if let Some(item) = &item {
            db.verify_item(item.index as i64, &run)?;
            db.verify_item(-1, &run)?;
        }
        Ok(item)
    })?;
    let item = item_with_results(&run, item, args)?;
    let to = unused_folder(&args.to)?;

    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    let path = args.pipeline.clone().unwrap_or_else(|| run.file.clone());
    let (set, grant) = (args.set.clone(), args.grant.clone());
    let pipeline = PipelineArgs { path, set, input: Vec::new(), grant, locked: args.locked };
    let (mut plan, registry) = load_plan(&pipeline, format).map_err(Refused::Printed)?;
    if plan.digest != run.digest {
        let hint =
            format!("{}; give `export` the `--set` options that `run` was given", what_differs(&run.plan, &plan));
        return because(format!("run `{}` was made by another version of the pipeline or its plugins", run.run), hint);
    }
    if args.pipeline.is_none() {
        // `run --input` may have named other files.
        plan.input = run.plan.input.clone();
    }
    let export = export_stage(&plan, args.stage.as_deref())?;
    let inputs = export_inputs(&plan, &RunInputs::in_folder(&folder), export, &db, &item)?;

    let export_plan = with_folder(&plan, export, &to, &registry)?;
    let (instance, services) = open_export(&export_plan, &registry)?;
    fs::create_dir_all(&to)
        .map_err(|error| Refused::Because(format!("cannot make the folder `{}`: {error}", args.to.display()), None))?;
    let ready = Export { plan: &export_plan, registry: &registry, instance, services };
    let answers = ready.run(&folder, &item.id, inputs).inspect_err(|_| {
        // This removes the folder if it is empty. What the stage has written stays.
        let _ = fs::remove_dir(&to);
    })?;
    let (stage, id) = (&export.name, escape_untrusted(&item.id));
    if args.json {
        let answers = answers.iter().map(|answer| serde_json::from_str(&answer.json).unwrap_or(Value::Null));
        let answers: Vec<Value> = answers.collect();
        print_json(&json!({ "run": run.run, "item": item.id, "stage": stage, "folder": to, "answers": answers }));
    } else {
        terminal().say(format!("item `{id}` of run {}, by stage `{stage}`", run.run));
        output().path(&to);
    }
    Ok(Exit::Success)
}

/// The item, if it has results to export.
fn item_with_results(run: &RunJson, item: Option<ItemRow>, args: &Args) -> Result<ItemRow, Refused> {
    let (run, id, out) = (&run.run, escape_untrusted(&args.item), out_option(&args.out));
    let (named, word) = (run_word(&args.run, run), shell_word(&args.item));
    let Some(item) = item else {
        return because(
            format!("run `{run}` has no item `{id}`"),
            format!("`jackfield front {named}{out}` shows the best trials of a search"),
        );
    };
    match item.state.as_deref().and_then(ItemState::from_name) {
        Some(ItemState::Ok | ItemState::Partial) => Ok(item),
        Some(ItemState::Failed) => because(
            format!("item `{id}` of run `{run}` failed, and there is nothing of it to export"),
            format!("`jackfield runs show {named} --item {word}{out}` says why"),
        ),
        _ => match item.state.as_deref() {
            None => because(
                format!("item `{id}` of run `{run}` is not done"),
                "wait for it, or go on with the run (--resume)".to_owned(),
            ),
            Some(state) => because(
                format!("item `{id}` of run `{run}` is {state}, and there is nothing of it to export"),
                format!("`jackfield front {named}{out}` shows those that are complete"),
            ),
        },
    }
}

/// The folder to write to, as an absolute path. It does not exist yet, or is empty.
fn unused_folder(to: &Path) -> Result<PathBuf, Refused> {
    let shown = to.display();
    match fs::read_dir(to).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => {
            return because(
                format!("the folder `{shown}` is not empty"),
                "name another one, or empty it: nothing is written over".to_owned(),
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return because(format!("`{shown}` is a file, and an export is a folder"), "name another one".to_owned());
        }
        Err(error) => return because(format!("cannot use the folder `{shown}`: {error}"), None),
    }
    std::path::absolute(to).or_else(|error| because(format!("cannot use the folder `{shown}`: {error}"), None))
}

/// The export stage that the command line names, or the only one.
fn export_stage<'a>(plan: &'a Plan, name: Option<&str>) -> Result<&'a StagePlan, Refused> {
    let names = || plan.exports.iter().map(|stage| stage.name.as_str());
    match (plan.exports.as_slice(), name) {
        ([], _) => because(
            format!("pipeline `{}` has no stage that exports", plan.name),
            "`export = true` in a stage makes it one; a run that is done need not be made again".to_owned(),
        ),
        (_, Some(name)) => match plan.exports.iter().find(|stage| stage.name == name) {
            Some(stage) => Ok(stage),
            None => because(
                format!("pipeline `{}` has no stage `{}` that exports", plan.name, escape_untrusted(name)),
                hint_for(name, "those that do", names()),
            ),
        },
        ([stage], None) => Ok(stage),
        (_, None) => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            because(
                format!("pipeline `{}` has several stages that export: {}", plan.name, names.join(", ")),
                "name one with `--stage`".to_owned(),
            )
        }
    }
}

/// The plan of the export stage alone, with the folder written to the key of its configuration that is marked for it.
fn with_folder(plan: &Plan, export: &StagePlan, to: &Path, registry: &Registry) -> Result<Plan, Refused> {
    let mut export_plan = plan.of_export(export);
    let entry = export.extension.entry(registry);
    let schema = entry.and_then(|entry| entry.descriptor.config.get("properties")).and_then(Value::as_object);
    let key =
        schema.and_then(|keys| keys.iter().find(|(_, schema)| schema[X_EXPORT_FOLDER] == true)).map(|(key, _)| key);
    let (Some(key), Some(stage)) = (key, export_plan.stages.first_mut()) else {
        return because(
            format!(
                "stage `{}` cannot export: `{}` has no option for a folder to write to",
                export.name, export.extension.name
            ),
            format!("in the schema of its configuration, one key is marked `\"{X_EXPORT_FOLDER}\": true`"),
        );
    };
    if !stage.config.is_object() {
        stage.config = json!({});
    }
    stage.config[key] = json!(to.to_string_lossy());
    Ok(export_plan)
}

/// The instance of the one stage, and its services.
fn open_export(
    plan: &Plan,
    registry: &Registry,
) -> Result<(std::sync::Arc<dyn jackfield_plugin_api::Instance>, Services), Refused> {
    let stage = plan.stages.first().expect("the plan of an export has its one stage");
    let instance = stage.extension.open(&stage.config, &stage.limits, registry);
    let instance = instance.map_err(|failure| {
        let what = escape_untrusted(&failure.to_string()).into_owned();
        Refused::Because(format!("stage `{}` cannot be set up: {what}", stage.name), None)
    })?;
    let services = open_services(plan, registry).map_err(|refused| {
        let messages = refused.iter().map(|fault| {
            format!("{} cannot be set up: {}", fault.service, escape_untrusted(&fault.failure.to_string()))
        });
        Refused::Because(messages.collect::<Vec<_>>().join("; "), None)
    })?;
    Ok((instance, services))
}
