//! `jackfield schema` prints the JSON Schema of pipeline files.

use jackfield_pipeline::json_schema;

use super::{exit::Exit, load::print_json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn schema(_args: &Args) -> Exit {
    print_json(&json_schema());
    Exit::Success
}
