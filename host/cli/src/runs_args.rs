//! The arguments that the commands `jackfield runs …` share.

use std::path::{Path, PathBuf};

use super::exit::print_error;

/// Where runs are, unless another folder is named.
const DEFAULT_OUT: &str = "runs";

#[derive(Debug, clap::Args)]
pub(super) struct RunsArgs {
    /// The folder that holds the run folders.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub(super) out: PathBuf,

    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl RunsArgs {
    /// Whether the folder that was named is there; says so if it is not. The usual one need not be: there are no runs yet.
    pub(super) fn has_folder(&self) -> bool {
        let has = self.out == Path::new(DEFAULT_OUT) || self.out.is_dir();
        if !has {
            print_error(format!("there is no folder `{}`", self.out.display()), None);
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_named_has_to_be_there() {
        let args = |out: &Path| RunsArgs { out: out.to_owned(), json: false };
        assert!(args(Path::new(DEFAULT_OUT)).has_folder());
        assert!(args(&std::env::temp_dir()).has_folder());
    }
}
