//! `jackfield report` writes an HTML page about a run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield::internal::RunInputs;
use jackfield_engine::{InputAgain, read_again};
use jackfield_report::{OtherRun, answers_page, page};
use jackfield_store::{Db, ItemRow, RunJson, StoreError, read_record, write_whole};

use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
};
use crate::terminal::{output, terminal};

/// The most bytes of the input that are read again for the items that are drawn.
const MOST_INPUT: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// Write the page of answers instead: every item with its input, what was asked of models, and what each stage answered.
    #[arg(long)]
    answers: bool,

    /// On the page of answers, show what differs from this run, item by item: its name, the beginning of it, its folder, or `last`.
    #[arg(long, value_name = "RUN", requires = "answers")]
    against: Option<String>,

    /// The file to write; `report.html` in the run's folder, or `answers.html`, if it is not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
}

pub(super) fn report(args: &Args) -> Exit {
    write_report(args).unwrap_or_else(|error| {
        print_error(&error, error.hint());
        Exit::Failed
    })
}

fn write_report(args: &Args) -> Result<Exit, StoreError> {
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    let db = read_record(&folder, &run)?;
    let (page, name) = if args.answers {
        (answers(args, &folder, &run, &db)?, "answers.html")
    } else {
        let run_inputs = RunInputs::in_folder(&folder);
        let inputs = |rows: &[ItemRow]| match read_again(&run.plan, &run_inputs, &db, rows, MOST_INPUT) {
            Ok(documents) => documents,
            Err(error) => {
                terminal().say(format!("note: the input of the run is not drawn: {error}"));
                BTreeMap::new()
            }
        };
        (page(&run, &db, &inputs)?, "report.html")
    };
    let file = args.output.clone().unwrap_or_else(|| folder.join(name));
    if let Err(error) = write_whole(&file, page) {
        let elsewhere = error.is_refused().then(|| "use -o to name a file that you may write to".to_owned());
        let hint = elsewhere.or(error.hint());
        print_error(error, hint);
        return Ok(Exit::Failed);
    }
    output().path(&file);
    Ok(Exit::Success)
}

/// The page of answers.
fn answers(args: &Args, folder: &Path, run: &RunJson, db: &Db) -> Result<String, StoreError> {
    let against = match &args.against {
        Some(name) => {
            let (folder, run) = chosen_run(&args.out, name)?;
            let db = read_record(&folder, &run)?;
            Some((run, db))
        }
        None => None,
    };
    let other = against.as_ref().map(|(run, db)| OtherRun { run, db });
    let run_inputs = RunInputs::in_folder(folder);
    let unread = |error: &dyn std::fmt::Display| {
        terminal().say(format!("note: the input of the run is not on the page: {error}"));
    };
    let mut input = InputAgain::open(&run.plan, &run_inputs).map_err(|error| unread(&error)).ok();
    answers_page(run, db, other, &mut |row| {
        let document = input.as_mut()?.document_of(db, row);
        document.unwrap_or_else(|error| {
            unread(&error);
            input = None;
            None
        })
    })
}
