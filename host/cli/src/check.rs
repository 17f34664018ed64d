//! `jackfield check` reads a pipeline, opens its plugins, and prints all faults without running anything.

use jackfield::internal::InputLook;
use jackfield_engine::look_at_kept;
use jackfield_pipeline::EnvironmentVariable;
use serde_json::json;

use super::{
    check_json::described,
    exit::{Exit, codes_of, print_error},
    load::{OutputFormat, PipelineArgs, faults_json, load_with_notes, print_json},
    table::{counted, cut, table},
};
use crate::terminal::{terminal, without_secrets};

#[derive(Debug, clap::Args)]
#[command(after_long_help = codes_of("check"))]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Print one JSON object: the pipeline in the words of its file, with all that it leaves out filled in; or the faults.
    #[arg(long)]
    json: bool,
}

pub(super) fn check(args: &Args) -> Exit {
    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    match load_with_notes(&args.pipeline, format, InputLook::All) {
        Err(exit) => exit,
        Ok((loaded, notes)) => match look_at_kept(&loaded.plan) {
            Err(error) => {
                if args.json {
                    let fault = json!({ "code": "not-ready", "message": error.to_string(), "file": null, "line": null,
                        "column": null, "hint": error.hint() });
                    print_json(&faults_json(&json!([without_secrets(&fault)])));
                } else {
                    print_error(&error, error.hint());
                }
                Exit::from(&error)
            }
            Ok(()) if args.json => {
                print_json(&described(&loaded.plan, &loaded.file.to_string_lossy(), &notes));
                Exit::Success
            }
            Ok(()) => {
                let stages = counted(loaded.plan.stages.len() as u64, "stage");
                let exports = match loaded.plan.exports.len() as u64 {
                    0 => String::new(),
                    exports => format!(", {exports} more at export"),
                };
                let search = loaded.plan.search.as_ref().map_or_else(String::new, |search| {
                    let keys = counted(search.study.space.len() as u64, "key");
                    format!("; `{}` searches {keys}", search.extension.name)
                });
                terminal().say(format!("`{}` is fine: {stages}{exports}{search}", loaded.plan.name));
                if !loaded.plan.variables.is_empty() {
                    terminal().say_table("variables of the environment", &variables_table(&loaded.plan.variables));
                }
                Exit::Success
            }
        },
    }
}

/// What a pipeline takes from the environment: each variable, what it stands for now, and where that goes.
fn variables_table(variables: &[EnvironmentVariable]) -> String {
    let rows = variables.iter().map(|variable| {
        let value = match variable.text() {
            text if text.is_empty() => "\"\"".to_owned(),
            text => text,
        };
        let from = if variable.is_set { "set" } else { "default" };
        vec![variable.name.clone(), cut(value, MOST_CHARS), from.to_owned(), variable.used_by.join(", ")]
    });
    table(&["variable", "value", "from", "used by"], rows.collect())
}

/// The most characters of a value that are shown.
const MOST_CHARS: usize = 40;
