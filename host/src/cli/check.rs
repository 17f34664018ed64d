//! `jackfield check`.

use super::{
    exit::Exit,
    load::{PipelineArgs, Talk, load_pipeline, print_json},
    table::counted,
};
use crate::telemetry::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Print one JSON object: the plan, or the faults.
    #[arg(long)]
    json: bool,
}

pub(super) fn check(args: &Args) -> Exit {
    let talk = if args.json { Talk::Json } else { Talk::People };
    match load_pipeline(&args.pipeline, talk) {
        Err(exit) => exit,
        Ok(loaded) if args.json => {
            print_json(&loaded.plan);
            Exit::Success
        }
        Ok(loaded) => {
            let stages = counted(loaded.plan.stages.len() as u64, "stage");
            terminal().say(format!("`{}` is fine: {stages}", loaded.plan.name));
            Exit::Success
        }
    }
}
