//! The arguments that the commands `jackfield runs …` share.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct RunsArgs {
    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(super) out: PathBuf,

    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}
