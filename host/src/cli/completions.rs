//! `jackfield completions`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::{Cli, exit::Exit};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Args) -> Exit {
    generate(args.shell, &mut Cli::command(), "jackfield", &mut std::io::stdout());
    Exit::Success
}
