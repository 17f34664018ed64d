//! From the command line to a checked plan with its plugins.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser as _},
};
use jackfield::{
    LoadOptions, MissingGrant,
    internal::{Compiled, InputLook, Opened, pipeline_file},
};
use jackfield_engine::StageInstances;
use jackfield_loader::Registry;
use jackfield_pipeline::{Diagnostics, Plan, Style};
use jackfield_services::Services;
use serde_json::{Value, json};

use super::{
    exit::{Exit, print_error},
    table::counted,
};
use crate::terminal::{Severity, output, terminal};

/// Which pipeline, and what is different about it this time.
#[derive(Debug, Args)]
pub(super) struct PipelineArgs {
    /// A pipeline file, or the folder that holds `pipeline.toml`.
    pub(super) path: PathBuf,

    /// Change a value of the pipeline: `stages.brief.with.budget=4000`. The value is TOML, or else a string.
    /// A table `T={…}` changes the keys that it names (another `use` drops the old `with`); `T:={…}` replaces T.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,

    /// Read these files in place of the pipeline's own input: a glob, relative to the current folder, or `-` for standard input.
    #[arg(long = "input", value_name = "GLOB", value_parser = OsStringValueParser::new().map(as_it_looks))]
    pub(super) input: Vec<String>,

    /// Grant a sandboxed plugin something that it asks for: `scorer=http:api.example.org`, `scorer=read:corpus=data`.
    #[arg(long = "grant", value_name = "PLUGIN=PERMISSION")]
    pub(super) grant: Vec<String>,

    /// Fail if the pipeline names plugin files and there is no `jackfield.lock` beside it.
    #[arg(long)]
    pub(super) locked: bool,
}

/// The name of a file as it looks. What is not Unicode in it becomes U+FFFD, which the reader of files finds again.
fn as_it_looks(name: OsString) -> String {
    name.to_string_lossy().into_owned()
}

/// A pipeline, ready to run.
pub(super) struct Loaded {
    pub(super) plan: Plan,
    pub(super) registry: Registry,
    pub(super) instances: Vec<StageInstances>,
    pub(super) services: Services,
    /// The pipeline file, absolute.
    pub(super) file: PathBuf,
}

/// For whom the program prints.
#[derive(Clone, Copy)]
pub(super) enum OutputFormat {
    /// For a person: text on standard error.
    Human,
    /// For a program: one JSON object on standard output.
    Json,
}

/// Reads, loads, checks and opens; says all that is wrong, and what is wrong with the input as far as that is looked at.
pub(super) fn load_pipeline(args: &PipelineArgs, format: OutputFormat, look: InputLook) -> Result<Loaded, Exit> {
    load_with_notes(args, format, look).map(|(loaded, _)| loaded)
}

/// As [`load_pipeline`], with what is worth knowing of the pipeline in words.
pub(super) fn load_with_notes(
    args: &PipelineArgs,
    format: OutputFormat,
    look: InputLook,
) -> Result<(Loaded, Vec<String>), Exit> {
    let mut compiled = compile_with(args, format, look)?;
    let notes = compiled.missing_grants().iter().map(note_of).collect();
    let Opened { instances, services } = compiled.open().map_err(|faults| wrong(&faults, format))?;
    let Compiled { plan, registry, .. } = compiled;
    Ok((Loaded { plan, registry, instances, services, file: pipeline_file(&args.path) }, notes))
}

/// Reads, loads and checks; says all that is wrong. Nothing is opened.
pub(super) fn load_plan(args: &PipelineArgs, format: OutputFormat) -> Result<(Plan, Registry), Exit> {
    compile(args, format).map(|Compiled { plan, registry, .. }| (plan, registry))
}

/// As [`load_plan`], with the pipeline as it was parsed.
pub(super) fn compile(args: &PipelineArgs, format: OutputFormat) -> Result<Compiled, Exit> {
    compile_with(args, format, InputLook::None)
}

fn compile_with(args: &PipelineArgs, format: OutputFormat, look: InputLook) -> Result<Compiled, Exit> {
    let PipelineArgs { path, set, input, grant, locked } = args;
    let mut options = LoadOptions::new().locked(*locked).look(look);
    options = set.iter().fold(options, LoadOptions::set);
    options = input.iter().fold(options, LoadOptions::input);
    options = grant.iter().fold(options, LoadOptions::grant);
    let compiled = jackfield::internal::compile(path, &options).map_err(|faults| wrong(&faults, format))?;
    for missing in compiled.missing_grants() {
        terminal().say(format!("note: {}", note_of(&missing)));
    }
    Ok(compiled)
}

/// A permission that is asked for and not granted, in words.
fn note_of(missing: &MissingGrant) -> String {
    let MissingGrant { extension, permission, reason } = missing;
    format!("`{extension}` asks for `{permission}` and does not have it: {reason}")
}

/// What a program is told of a pipeline that is not in order.
pub(super) fn faults_json(faults: &Value) -> Value {
    json!({ "ok": false, "faults": faults })
}

/// Says what is wrong with a pipeline.
fn wrong(faults: &Diagnostics, format: OutputFormat) -> Exit {
    report(faults, format);
    Exit::Usage
}

pub(super) fn report(faults: &Diagnostics, format: OutputFormat) {
    match format {
        OutputFormat::Human => {
            if terminal().writes_json() {
                for fault in faults.records() {
                    let message = fault.message.to_owned();
                    terminal().say_with(Severity::Error, message, &json!(fault));
                }
            } else {
                let style = Style { color: terminal().color(), unicode: terminal().interactive() };
                terminal().say_styled(&faults.render(style), &faults.render(Style::PLAIN));
            }
            let faults = counted(faults.list().len() as u64, "fault");
            print_error(format!("the pipeline has {faults}; nothing was run"), None);
        }
        OutputFormat::Json => print_json(&faults_json(&json!(faults.records()))),
    }
}

/// Prints one JSON object on standard output.
pub(super) fn print_json(value: &impl serde::Serialize) {
    output().json(value);
}
