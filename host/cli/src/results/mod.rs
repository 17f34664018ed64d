//! `jackfield results` writes what a run has answered as a table: a row an item, or an element of its lists.
//!
//! The record is read twice, from beginning to end: first to learn which columns there are and of which types, then for the rows.
//! So memory does not grow with the number of items. Both see the record as it is at one moment, also while a run is at work.

pub(crate) mod columns;
mod csv;
mod jsonl;
mod parquet;
mod provenance;
pub(crate) mod rows;
pub(crate) mod selection;
mod sink;
mod text_table;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use jackfield::internal::RunInputs;
use jackfield_engine::InputReader;
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::InputPlan;
use jackfield_store::{Db, RunJson, StoreError, read_record, write_whole_with};

use self::{
    columns::Column,
    csv::CsvSink,
    jsonl::JsonlSink,
    parquet::ParquetSink,
    provenance::Provenance,
    rows::{Found, Origin, RowReader},
    selection::{Selection, UnknownName, each_lists},
    sink::Sink,
    text_table::{LeftOut, TableSink},
};
use super::{
    chosen_run::chosen_run,
    exit::{Exit, print_error},
    run::OUT,
    table::counted,
};
use crate::terminal::{output, terminal};

/// So many rows of a table are shown, unless another number is given.
const SHOWN_ROWS: u64 = 20;

/// The columns of an output that is not a terminal.
const USUAL_WIDTH: usize = 100;

/// Data goes to standard output in pieces of about this many bytes.
const PIECE: usize = 64 << 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, the beginning of it, its folder, or `last`.
    run: String,

    /// How rows are written; by default as the ending of FILE says, and as a table for a person without FILE.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// The columns, by wires: `input.text`, `grade.score`, `grade` for all that a stage answers; and `item`, `state`, `error`,
    /// `element`, `provenance`. All but the last by default.
    #[arg(long, alias = "column", value_name = "WIRE", value_delimiter = ',')]
    columns: Vec<String>,

    /// A row for each element of this list, or for each call of this stage; lists that go together are given side by side.
    #[arg(long, value_name = "WIRE", value_delimiter = ',')]
    each: Vec<String>,

    /// Add who answered and at what cost, for each stage: extension, model, whether it was cached, tokens, US dollars, tries,
    /// milliseconds.
    #[arg(long)]
    provenance: bool,

    /// The most rows; 20 for a table, all of them otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// The file to write, whole or not at all; standard output if it is not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Columns of text that a table may take; those of the terminal, or 100, if it is not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: Option<u16>,

    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person: the first rows, cut to the width.
    Table,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// Why there are no results.
enum ResultsError {
    Store(StoreError),
    /// The command line is wrong.
    Usage {
        message: String,
        hint: Option<String>,
    },
}

impl From<StoreError> for ResultsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UnknownName> for ResultsError {
    fn from(UnknownName { message, hint }: UnknownName) -> Self {
        Self::Usage { message, hint }
    }
}

pub(super) fn results(args: &Args) -> Exit {
    match write_results(args) {
        Ok(()) => Exit::Success,
        Err(ResultsError::Usage { message, hint }) => {
            print_error(escape_untrusted(&message), hint);
            Exit::Usage
        }
        Err(ResultsError::Store(error)) => {
            print_error(&error, error.hint());
            Exit::Failed
        }
    }
}

fn write_results(args: &Args) -> Result<(), ResultsError> {
    let format = format_of(args)?;
    let (folder, run) = chosen_run(&args.out, &args.run)?;
    let db = read_record(&folder, &run)?;
    let mut outcome = Ok(());
    db.in_one_transaction(|| {
        db.verify(&run)?;
        outcome = write_table(args, format, &folder, &run, &db);
        Ok(())
    })?;
    outcome
}

fn format_of(args: &Args) -> Result<Format, ResultsError> {
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, None) => Format::Table,
        (None, Some(file)) => {
            let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            match ending.as_str() {
                "csv" => Format::Csv,
                "jsonl" | "ndjson" => Format::Jsonl,
                "parquet" => Format::Parquet,
                "txt" => Format::Table,
                _ => {
                    let message = format!("the name `{}` does not say how results are written", file.display());
                    let hint = Some("use an ending: `.csv`, `.jsonl` or `.parquet`; or add `--format`".to_owned());
                    return Err(ResultsError::Usage { message, hint });
                }
            }
        }
    };
    if format == Format::Parquet && args.output.is_none() && output().is_terminal() {
        let message = "Parquet is not for a terminal".to_owned();
        return Err(ResultsError::Usage { message, hint: Some("add `--output FILE.parquet`".to_owned()) });
    }
    Ok(format)
}

/// Refuses to write over a file that the run has its items from, or one of its own.
fn check_output(file: &Path, folder: &Path, input: &InputPlan) -> Result<(), ResultsError> {
    let Ok(file) = file.canonicalize() else { return Ok(()) };
    if folder.canonicalize().is_ok_and(|folder| file.starts_with(folder)) {
        let message = format!("`{}` is a file of the run: it is not written over", file.display());
        return Err(ResultsError::Usage { message, hint: Some("give `--output` another name".to_owned()) });
    }
    let is_input = |pattern: &String| {
        Path::new(pattern) == file || glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_path(&file))
    };
    if !input.patterns().iter().any(is_input) {
        return Ok(());
    }
    let message = format!("`{}` is an input of the run: it is not written over", file.display());
    Err(ResultsError::Usage { message, hint: Some("give `--output` another name".to_owned()) })
}

fn write_table(args: &Args, format: Format, folder: &Path, run: &RunJson, db: &Db) -> Result<(), ResultsError> {
    let plan = &run.plan;
    if let Some(file) = &args.output {
        check_output(file, folder, &plan.input)?;
    }
    let each = each_lists(plan, &args.each)?;
    let mut selection = if args.columns.is_empty() {
        Selection::of_all(plan, &each, args.provenance)
    } else {
        let provenance = args.provenance.then(|| "provenance".to_owned());
        let wires: Vec<String> = args.columns.iter().cloned().chain(provenance).collect();
        Selection::of_wires(plan, &each, &wires)?
    };
    let inputs = RunInputs::in_folder(folder);
    let needs_input = selection.has(&Origin::Input) || each.iter().any(|list| list.origin == Origin::Input);
    let provenance = if selection.has(&Origin::Provenance) { Some(Provenance::of(db)?) } else { None };
    let reader = RowReader {
        plan,
        db,
        inputs: needs_input.then_some(&inputs as &dyn InputReader),
        each: &each,
        provenance: provenance.as_ref(),
    };
    let limit = args.limit.or((format == Format::Table).then_some(SHOWN_ROWS)).unwrap_or(u64::MAX);

    let mut learned = 0;
    reader.each_row(|row| {
        selection.learn(row);
        learned += 1;
        // Beyond the last row that is written, only what no row had so far is looked for.
        Ok(learned < limit || !selection.has_seen_all())
    })?;
    if let Some(unknown) = selection.unknown(&run.run, &reader)? {
        return Err(unknown.into());
    }
    let columns = selection.settle(&each).to_vec();

    let left_out = LeftOut::default();
    let width = args.width.map(usize::from).or_else(|| output().width()).unwrap_or(USUAL_WIDTH);
    let rows = Rows { reader: &reader, selection: &selection, limit };
    let (found, has_more) = match &args.output {
        Some(file) => {
            let written = rows.write_file(file, |out| sink_of(format, out, &columns, width, &left_out))?;
            output().path(file);
            written
        }
        None => {
            let written = rows.write(|| sink_of(format, Pieces::default(), &columns, width, &left_out));
            written.map_err(|error| error.of_file(Path::new("standard output")))?
        }
    };
    say_what_is_not_there(args, &found, has_more, limit, &left_out.borrow());
    Ok(())
}

/// Rows that are ready to be written.
#[derive(Clone, Copy)]
struct Rows<'a> {
    reader: &'a RowReader<'a>,
    selection: &'a Selection,
    /// The most that are written.
    limit: u64,
}

/// Why rows could not be written.
enum RowsError {
    Store(StoreError),
    Write(io::Error),
}

impl RowsError {
    fn of_file(self, path: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Write(source) => StoreError::file("write", path, source),
        }
    }
}

impl Rows<'_> {
    /// Writes the rows, and says what was found on the way and whether there are more.
    fn write<'s>(self, open: impl FnOnce() -> io::Result<Box<dyn Sink + 's>>) -> Result<(Found, bool), RowsError> {
        let mut sink = open().map_err(RowsError::Write)?;
        let (mut count, mut has_more, mut failure) = (0, false, None);
        let found = self.reader.each_row(|row| {
            has_more = count == self.limit;
            // A reader that has closed its end wants no more.
            if has_more || !output().is_open() {
                return Ok(false);
            }
            let values = self.selection.values(row);
            let mut cells = Vec::new();
            self.selection.fill(&values, &mut cells);
            failure = sink.row(&cells).err();
            count += 1;
            Ok(failure.is_none())
        });
        let found = found.map_err(RowsError::Store)?;
        match failure {
            Some(error) => Err(RowsError::Write(error)),
            None => sink.end().map(|()| (found, has_more)).map_err(RowsError::Write),
        }
    }

    /// Writes the rows to a file, which has all of them or is as it was.
    fn write_file(
        self,
        path: &Path,
        open: impl for<'f> FnOnce(&'f mut BufWriter<File>) -> io::Result<Box<dyn Sink + 'f>>,
    ) -> Result<(Found, bool), StoreError> {
        let mut outcome = None;
        let mut record_error = None;
        let written = write_whole_with(path, |file| match self.write(|| open(file)) {
            Ok(found) => {
                outcome = Some(found);
                Ok(())
            }
            Err(RowsError::Write(error)) => Err(error),
            Err(RowsError::Store(error)) => {
                record_error = Some(error);
                Err(io::Error::other("the record could not be read"))
            }
        });
        match (written, record_error) {
            (Ok(()), _) => Ok(outcome.unwrap_or_default()),
            (Err(_), Some(error)) | (Err(error), None) => Err(error),
        }
    }
}

fn sink_of<'s>(
    format: Format,
    out: impl Write + Send + 's,
    columns: &[Column],
    width: usize,
    left_out: &LeftOut,
) -> io::Result<Box<dyn Sink + 's>> {
    Ok(match format {
        Format::Table => Box::new(TableSink::new(out, columns, width, left_out)),
        Format::Csv => Box::new(CsvSink::new(out, columns)?),
        Format::Jsonl => Box::new(JsonlSink::new(out, columns)),
        Format::Parquet => Box::new(ParquetSink::new(out, columns)?),
    })
}

/// Standard output, written in large pieces of whole lines.
#[derive(Default)]
struct Pieces(Vec<u8>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if self.0.len() >= PIECE && (bytes.ends_with(b"\n") || !output().is_terminal()) {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        output().data(&self.0);
        self.0.clear();
        Ok(())
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Says on standard error what a reader of the table might miss.
fn say_what_is_not_there(args: &Args, found: &Found, has_more: bool, limit: u64, left_out: &[String]) {
    if let Some(why) = &found.input_fault {
        terminal().say(format!("note: the input of the run is not there, and its columns are empty: {why}"));
    }
    if found.without_input > 0 {
        let items = counted(found.without_input, "item");
        let verb = if found.without_input == 1 { "is" } else { "are" };
        terminal().say(format!(
            "note: {items} {verb} not in the input any more, or not what was read: the columns of their input are empty"
        ));
    }
    if found.items == 0 && !has_more {
        terminal().say("note: no item of the run is done");
    } else if found.unfinished > 0 {
        let verb = if found.unfinished == 1 { "is" } else { "are" };
        terminal().say(format!("note: {} {verb} not done yet, and left out", counted(found.unfinished, "item")));
    }
    if has_more {
        let first = counted(limit, "row");
        let more = if args.limit.is_none() { ": `--limit N` shows more, `--output FILE` writes them all" } else { "" };
        terminal().say(format!("note: these are the first {first}{more}"));
    }
    if !left_out.is_empty() {
        const MOST: usize = 8;
        let names = left_out.iter().take(MOST).map(|name| format!("`{}`", escape_untrusted(name)));
        let names = names.collect::<Vec<_>>().join(", ");
        let dots = if left_out.len() > MOST { ", …" } else { "" };
        let columns = counted(left_out.len() as u64, "column");
        terminal().say(format!("note: no room for {columns}: {names}{dots}; pick some with `--columns`"));
    }
}
