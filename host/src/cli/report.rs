//! `jackfield report`.

use std::path::PathBuf;

use super::exit::{Exit, complain};
use crate::{
    report::page,
    store::{StoreError, peek, read_record, write_whole},
    telemetry::output,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// The file to write; `report.html` in the run's folder if it is not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
}

pub(super) fn report(args: &Args) -> Exit {
    written(args).unwrap_or_else(|error| {
        complain(&error, error.hint());
        Exit::Failed
    })
}

fn written(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = peek(&args.out, &args.run)?;
    let page = page(&run, &read_record(&folder, &run)?)?;
    let file = args.output.clone().unwrap_or_else(|| folder.join("report.html"));
    if let Err(error) = write_whole(&file, page) {
        let elsewhere = error.is_refused().then(|| "use -o to name a file that you may write to".to_owned());
        let hint = elsewhere.or(error.hint());
        complain(error, hint);
        return Ok(Exit::Failed);
    }
    output().path(&file);
    Ok(Exit::Success)
}
