//! What a route has learned, kept from run to run.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use jackfield_plugin_api::{Failure, Outcome, PolicyState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Route;
use crate::{
    plugin::regular_file,
    store::{StoreError, write_whole},
};

/// The file in which a route keeps what it has learned.
#[derive(Clone, Debug)]
pub struct Kept {
    path: PathBuf,
}

/// What is in such a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Name of the policy whose state it is.
    pub policy: String,
    /// The policy's state; none before anything is learned.
    pub state: Option<Value>,
    /// Outcomes that were learned, of all runs.
    pub outcomes: u64,
    /// How many outcomes of each run were learned: a run that goes on adds those that came since.
    pub runs: BTreeMap<String, u64>,
}

/// Why such a file is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is the state of another policy.
    #[error("`{}` holds what the policy `{found}` learned, not `{wanted}`", path.display())]
    OtherPolicy {
        /// The file.
        path: PathBuf,
        /// Whose state it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// The policy does not take it.
    #[error("`{}` cannot be used: {failure}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        failure: Failure,
    },
}

impl KeptError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) if error.is_refused() => {
                Some("name a file that you may write to with `state` of the route, and go on with --resume".to_owned())
            }
            Self::Store(error) => error.hint(),
            Self::OtherPolicy { .. } | Self::Refused { .. } => {
                Some("`jackfield routes reset` forgets what was learned".to_owned())
            }
        }
    }
}

impl Kept {
    /// The file at this path; it need not be there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What was learned so far; nothing if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn read(&self) -> Result<Learned, KeptError> {
        let text = match regular_file::read_text(&self.path, regular_file::MOST_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Learned::default()),
            Err(source) => return Err(StoreError::file("read", &self.path, source).into()),
        };
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Damaged { path: self.path.clone(), message: error.to_string() }.into())
    }

    /// What was learned so far, if it is of this policy.
    ///
    /// # Errors
    /// As those of [`read`](Self::read), and if it is the state of another policy.
    pub fn read_for(&self, policy: &str) -> Result<Learned, KeptError> {
        let learned = self.read()?;
        if learned.state.is_some() && learned.policy != policy {
            let (path, found, wanted) = (self.path.clone(), learned.policy, policy.to_owned());
            return Err(KeptError::OtherPolicy { path, found, wanted });
        }
        Ok(learned)
    }

    /// Adds the outcomes of a run, in the order of its items, less those that were added before. What other runs have
    /// learned meanwhile stays: outcomes are added to what is there, whoever wrote it.
    ///
    /// # Errors
    /// As those of [`read_for`](Self::read_for), and if the file cannot be written.
    pub fn add(
        &self,
        route: &Route,
        policy: &str,
        run: &str,
        outcomes: impl FnOnce(&mut dyn FnMut(&Outcome)) -> Result<(), StoreError>,
    ) -> Result<(), KeptError> {
        let _lock = self.lock()?;
        let mut learned = self.read_for(policy)?;
        let before = learned.runs.get(run).copied().unwrap_or(0);
        let refused = |failure| KeptError::Refused { path: self.path.clone(), failure };
        let mut state: Box<dyn PolicyState> = route.restore(learned.state.as_ref()).map_err(refused)?;
        let mut seen = 0;
        outcomes(&mut |outcome| {
            seen += 1;
            if seen > before {
                // An outcome that cannot be learned from leaves the state as it was, here as in its run.
                let _ = state.learn(outcome);
            }
        })?;
        let new = seen.saturating_sub(before);
        if new == 0 {
            return Ok(());
        }
        learned.policy = policy.to_owned();
        learned.state = Some(state.snapshot().map_err(refused)?);
        learned.outcomes += new;
        learned.runs.insert(run.to_owned(), seen);
        let text = serde_json::to_string_pretty(&learned).unwrap_or_default() + "\n";
        write_whole(&self.path, text)?;
        Ok(())
    }

    /// Forgets what was learned. True if there was anything.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn reset(&self) -> Result<bool, KeptError> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(StoreError::file("remove", &self.path, source).into()),
        }
    }

    /// Holds the file against other processes.
    fn lock(&self) -> Result<File, KeptError> {
        let lock = self.path.with_extension("lock");
        if let Some(folder) = lock.parent() {
            fs::create_dir_all(folder).map_err(|source| StoreError::file("make", folder, source))?;
        }
        if let Ok(about) = fs::metadata(&lock) {
            regular_file::only_regular(about.file_type()).map_err(|source| StoreError::file("make", &lock, source))?;
        }
        let file = File::create(&lock).map_err(|source| StoreError::file("make", &lock, source))?;
        file.lock().map_err(|source| StoreError::file("lock", &lock, source))?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_state_that_may_not_be_written_is_asked_for_elsewhere() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            let error = KeptError::from(StoreError::file("write", "state.json", kind.into()));
            assert!(error.hint().is_some_and(|hint| hint.contains("`state` of the route")), "{error}");
        }
    }

    #[test]
    fn a_state_that_is_no_regular_file_is_refused_at_once() {
        let error = Kept::at(Path::new("/dev/zero")).read().expect_err("refused").to_string();
        assert_eq!(error, "failed to read `/dev/zero`: it is a device, not a regular file");
    }
}
