//! Plugin files that are named on the command line, and not in a pipeline.

use std::path::{Path, PathBuf};

use jackfield::bundled;
use jackfield_loader::{Artifact, LoadError, Plugin, Trust, load_artifact, sandbox::Grant};

use super::exit::{Exit, print_error};

#[derive(Debug, clap::Args)]
pub(super) struct PluginFiles {
    /// Look at these plugin files, not at the bundled ones.
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,

    /// Run the set-up code of native libraries among them. Only for files that you trust.
    #[arg(long)]
    allow_native: bool,

    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl PluginFiles {
    /// Loads the files, or takes the bundled plugins if none is named. Prints what is wrong.
    pub(super) fn load(&self) -> Result<Vec<Plugin>, Exit> {
        if self.files.is_empty() {
            return Ok(vec![bundled()]);
        }
        let mut plugins = Vec::new();
        for path in &self.files {
            match load_file(path, self.allow_native, Vec::new()) {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => {
                    let hint = load_hint(&error);
                    print_error(error, hint);
                    return Err(Exit::Failed);
                }
            }
        }
        Ok(plugins)
    }
}

/// Loads a file that is named on the command line.
pub(super) fn load_file(path: &Path, allow_native: bool, grants: Vec<Grant>) -> Result<Plugin, LoadError> {
    let alias = path.file_stem().unwrap_or_default().to_string_lossy();
    // Whoever names the file and allows native code trusts the file as it is now, so its present digest is the pinned one.
    let artifact = Artifact::read(path)?;
    let sha256 = allow_native.then(|| artifact.whole_digest());
    load_artifact(&alias, &artifact, &Trust { allow_native, sha256, grants, ..Trust::default() })
}

/// What to do about an error of loading, on the command line.
pub(super) fn load_hint(error: &LoadError) -> Option<String> {
    match error {
        LoadError::NotAllowed { .. } => Some("if you trust it, add --allow-native".to_owned()),
        other => other.hint(),
    }
}
