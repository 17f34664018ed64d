//! The `jackfield` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    jackfield::cli::main()
}
