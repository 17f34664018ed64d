//! `jackfield completions`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::{Cli, exit::Exit};
use crate::terminal::output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Args) -> Exit {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "jackfield", &mut script);
    output().ours(&String::from_utf8_lossy(&script));
    Exit::Success
}
