//! `jackfield completions` prints a script with which a shell completes the commands and options of the program.

use clap_complete::{Shell, generate};

use super::exit::Exit;
use crate::terminal::output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Args, program: &mut clap::Command) -> Exit {
    let mut script = Vec::new();
    generate(args.shell, program, "jackfield", &mut script);
    output().trusted(&String::from_utf8_lossy(&script));
    Exit::Success
}
