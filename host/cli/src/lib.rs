//! Internal to Jackfield: use the crate `jackfield`, which has all that the program does without a terminal.
//!
//! This crate is the program `jackfield`. It turns a command line into calls of the library, and what the library returns into text
//! or JSON: data goes to standard output, and messages, logs and progress go to standard error.
//!
//! Each command is a module of its name; those of `jackfield plugins` begin with `plugins_`, `jackfield front` is `pareto_front`, and
//! `jackfield runs compare` is `compare`. What they share: `load` reads a pipeline and prints its faults, `terminal` is the only way to
//! both outputs, `exit` has the exit codes and prints errors, `table` lays tables out, `observe` reports a run to other programs.
//!
//! Invariant: everything that the program writes passes `terminal`, which escapes text that may not be trusted.
//!
//! See docs/architecture.md in the repository.

// Everything is written with `terminal::output` and `terminal::terminal`, which escape untrusted text and never panic.
#![deny(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod addresses;
mod all_items;
mod cache;
mod cache_prune;
mod check;
mod check_json;
mod chosen_run;
mod compare;
mod completions;
mod doctor;
mod exit;
mod export;
mod forecast;
mod go_on;
mod graph;
mod init;
mod load;
mod lock_status;
#[cfg(feature = "transformer")]
mod models;
mod observe;
mod pace;
mod pareto_front;
mod plugin_files;
mod plugin_schema;
mod plugins;
mod plugins_lock;
mod plugins_new;
mod plugins_replay;
mod plugins_sign;
mod plugins_test;
mod progress;
mod report;
mod results;
mod routes;
mod run;
mod runs;
mod runs_args;
mod runs_list;
mod runs_remove;
mod schema;
mod show;
mod signals;
mod table;
mod terminal;
mod test;
mod watch;
mod watched_files;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
pub use exit::Exit;
use jackfield_loader::{announce_compiling, escape_untrusted, mask_secrets};

use crate::terminal::{LogFormat, TalkArgs, output, report_panics, report_waits, terminal};

/// Patch plugins into a pipeline and run it over many items.
#[derive(Debug, Parser)]
#[command(name = "jackfield", version, propagate_version = true, after_long_help = exit::all_codes())]
struct Cli {
    #[command(flatten)]
    talk: TalkArgs,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a pipeline to begin with, in a folder of its own.
    Init(init::Args),
    /// Run a pipeline.
    Run(run::Args),
    /// Check a pipeline without running it.
    Check(check::Args),
    /// Run the tests of a pipeline.
    Test(test::Args),
    /// Show a pipeline's stages and wires.
    Graph(graph::Args),
    /// Create, inspect, test, lock and sign plugins.
    #[command(subcommand)]
    Plugins(plugins::Command),
    /// Inspect, export, prune and clear the caches of a pipeline.
    #[command(subcommand)]
    Cache(cache::Command),
    /// Show or reset what the routes of a pipeline have learned.
    #[command(subcommand)]
    Routes(routes::Command),
    /// Show the best trials of a run's search: those on the Pareto front.
    Front(pareto_front::Args),
    /// Export an item of a run to a folder, with the pipeline's export stage.
    Export(export::Args),
    /// Manage the files of models that run in the process.
    #[cfg(feature = "transformer")]
    #[command(subcommand)]
    Models(models::Command),
    /// Explain why a stage's result was computed again, or was not.
    Why(why::Args),
    /// Draw an item of a run: its input, and the answer of each stage.
    Show(show::Args),
    /// Write the results of a run as a table: for a person, or as CSV, JSON lines or Parquet.
    Results(results::Args),
    /// List, show, compare and remove runs.
    #[command(subcommand)]
    Runs(runs::Command),
    /// Write a page about a run: times, costs, caches, routes, failures.
    Report(report::Args),
    /// Check that everything needed is installed and works.
    Doctor(doctor::Args),
    /// Print the JSON Schema of pipeline files, for editors.
    Schema(schema::Args),
    /// Print completions for a shell.
    Completions(completions::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    addresses::limit_reservations();
    report_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            terminal().set_format(LogFormat::of_arguments(std::env::args_os()));
            return print_usage(&error).after_output().into();
        }
    };
    if let Err(error) = terminal().set_up(&cli.talk) {
        let hint = "name a file that you may write to, in a folder that is there";
        exit::print_error(error, Some(hint.to_owned()));
        return Exit::Usage.after_output().into();
    }
    report_waits();
    announce_compiling(|line| terminal().say(line));
    let exit = match cli.command {
        Command::Init(args) => init::init(&args),
        Command::Run(args) if args.watch => watch::watch(&args),
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Test(args) => test::test(&args),
        Command::Graph(args) => graph::graph(&args),
        Command::Plugins(command) => plugins::plugins(&command),
        Command::Cache(command) => cache::cache(&command),
        Command::Routes(command) => routes::routes(&command),
        Command::Export(args) => export::export(&args),
        Command::Front(args) => pareto_front::show_pareto_front(&args),
        #[cfg(feature = "transformer")]
        Command::Models(command) => models::models(&command),
        Command::Why(args) => why::why(&args),
        Command::Show(args) => show::show(&args),
        Command::Results(args) => results::results(&args),
        Command::Runs(command) => runs::runs(&command),
        Command::Report(args) => report::report(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Completions(args) => completions::completions(&args, &mut Cli::command()),
    };
    exit.after_output().into()
}

/// Prints the requested help, or what is wrong with the command line. It is coloured unless it may quote a secret, or text that a
/// terminal would obey.
fn print_usage(error: &clap::Error) -> Exit {
    let text = error.render();
    let is_harmless = |argument: std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        argument == escape_untrusted(&argument) && argument == mask_secrets(&argument)
    };
    let may_be_coloured = std::env::args_os().all(is_harmless);
    if error.use_stderr() {
        let plain = mask_secrets(&text.to_string()).into_owned();
        let styled = if may_be_coloured { text.ansi().to_string() } else { plain.clone() };
        terminal().say_styled(styled.trim_end_matches('\n'), plain.trim_end_matches('\n'));
        return Exit::Usage;
    }
    if may_be_coloured && output().color() {
        output().trusted(&text.ansi().to_string());
    } else {
        output().lines(text.to_string());
    }
    Exit::Success
}
