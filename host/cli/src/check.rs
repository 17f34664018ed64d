//! `jackfield check` reads a pipeline, opens its plugins, and prints all faults without running anything.

use jackfield::internal::BundledInputs;
use jackfield_engine::{EngineError, look_at_kept, look_for_input};
use jackfield_pipeline::{InputPlan, Plan};

use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, PipelineArgs, load_pipeline, print_json},
    table::counted,
};
use crate::terminal::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Print one JSON object: the plan, or the faults.
    #[arg(long)]
    json: bool,
}

pub(super) fn check(args: &Args) -> Exit {
    let format = if args.json { OutputFormat::Json } else { OutputFormat::Human };
    match load_pipeline(&args.pipeline, format) {
        Err(exit) => exit,
        Ok(loaded) => match look_at_kept(&loaded.plan).and_then(|()| look_for_files(&loaded.plan)) {
            Err(error) => {
                print_error(&error, error.hint());
                Exit::from(&error)
            }
            Ok(()) if args.json => {
                print_json(&loaded.plan);
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
                Exit::Success
            }
        },
    }
}

/// Checks that the input of a pipeline exists, if it is of JSON files: those are named one by one or by their folder, so a path to
/// nothing is a mistake. The pattern of another source may be meant for files that do not exist yet.
fn look_for_files(plan: &Plan) -> Result<(), EngineError> {
    if matches!(plan.input, InputPlan::Json { .. }) { look_for_input(plan, &BundledInputs) } else { Ok(()) }
}
