//! The file in which a route keeps what its policy has learned, from run to run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::{Failure, Outcome, PolicyState};
use jackfield_store::{StoreError, sealed_json, write_whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Route;
use crate::sealed_file;

/// The version of the file that this program writes; it reads those before it. Since 2 there is a checksum.
const FORMAT: u32 = 2;

/// The file in which a route keeps what it has learned.
#[derive(Clone, Debug)]
pub struct PolicyStateFile {
    path: PathBuf,
}

/// What is in such a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedPolicyState {
    /// Version of the file; that of a file without one is 1.
    #[serde(default)]
    pub format: u32,
    /// Checksum of the file. Set as it is written.
    #[serde(default)]
    pub checksum: String,
    /// Name of the policy whose state it is.
    pub policy: String,
    /// The policy's state; none before anything is learned.
    pub state: Option<Value>,
    /// Outcomes that were learned, of all runs.
    pub outcomes: u64,
    /// How many outcomes of each run were learned: a run that goes on adds those that came since.
    pub runs: BTreeMap<String, u64>,
}

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyStateError {
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

impl PolicyStateError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) if error.is_refused() => {
                Some("name a file that you may write to with `state` of the route, and go on with --resume".to_owned())
            }
            Self::Store(error) if !matches!(error, StoreError::Damaged { .. }) => error.hint(),
            Self::Store(_) | Self::OtherPolicy { .. } | Self::Refused { .. } => {
                Some("`jackfield routes reset` forgets what was learned".to_owned())
            }
        }
    }
}

impl PolicyStateFile {
    /// The file at this path; it need not be there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What was learned so far; nothing if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn read(&self) -> Result<SavedPolicyState, PolicyStateError> {
        // Before the second version there was no checksum.
        Ok(sealed_file::read(&self.path, FORMAT, 2)?.unwrap_or_default())
    }

    /// What was learned so far, if it is of this policy.
    ///
    /// # Errors
    /// As those of [`read`](Self::read), and if it is the state of another policy.
    pub fn read_for(&self, policy: &str) -> Result<SavedPolicyState, PolicyStateError> {
        let saved = self.read()?;
        if saved.state.is_some() && saved.policy != policy {
            let (path, found, wanted) = (self.path.clone(), saved.policy, policy.to_owned());
            return Err(PolicyStateError::OtherPolicy { path, found, wanted });
        }
        Ok(saved)
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
    ) -> Result<(), PolicyStateError> {
        let _lock = sealed_file::lock(&self.path)?;
        let mut saved = self.read_for(policy)?;
        let before = saved.runs.get(run).copied().unwrap_or(0);
        let refused = |failure| PolicyStateError::Refused { path: self.path.clone(), failure };
        let mut state: Box<dyn PolicyState> = route.restore(saved.state.as_ref()).map_err(refused)?;
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
        saved.policy = policy.to_owned();
        saved.state = Some(state.snapshot().map_err(refused)?);
        saved.outcomes += new;
        saved.runs.insert(run.to_owned(), seen);
        saved.format = FORMAT;
        write_whole(&self.path, sealed_json(&saved))?;
        Ok(())
    }

    /// Forgets what was learned. True if there was anything.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn reset(&self) -> Result<bool, PolicyStateError> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(StoreError::file("remove", &self.path, source).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_state_that_may_not_be_written_is_to_go_elsewhere() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            let error = PolicyStateError::from(StoreError::file("write", "state.json", kind.into()));
            assert!(error.hint().is_some_and(|hint| hint.contains("`state` of the route")), "{error}");
        }
    }

    #[test]
    fn a_state_that_is_not_a_regular_file_is_refused_at_once() {
        let error = PolicyStateFile::at(Path::new("/dev/zero")).read().expect_err("refused").to_string();
        assert_eq!(error, "failed to read `/dev/zero`: it is a device, not a regular file");
    }

    #[test]
    fn what_a_route_has_learned_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PolicyStateFile::at(&folder.path().join("route.json"));
        let state = Some(serde_json::json!({ "arms": { "a": [1.5, 2.25] } }));
        let runs = [("run".to_owned(), 3)].into();
        let saved = SavedPolicyState {
            format: FORMAT,
            checksum: String::new(),
            policy: "ucb1".into(),
            state,
            outcomes: 3,
            runs,
        };
        let text = sealed_json(&saved);
        let read = |text: &str| {
            fs::write(&file.path, text).expect("written");
            file.read().map_err(|error| error.to_string())
        };
        assert_eq!(read(&text).expect("whole").outcomes, 3);
        for (from, to) in [("2.25", "2.75"), ("\"outcomes\": 3", "\"outcomes\": 7"), ("\"format\": 2", "\"format\": 0")]
        {
            assert!(text.contains(from), "{text}");
            assert!(read(&text.replacen(from, to, 1)).expect_err("damaged").contains("its checksum is another"));
        }
        assert!(read(&text[..text.len() / 2]).expect_err("cut").contains("is damaged"));
        let newer = read(&text.replacen("\"format\": 2", "\"format\": 3", 1)).expect_err("newer");
        assert!(newer.ends_with("was written by a newer jackfield (format 3; this one reads up to 2)"), "{newer}");
        // The program before wrote neither version nor checksum.
        let older = r#"{"policy": "ucb1", "state": null, "outcomes": 2, "runs": {}}"#;
        assert_eq!(read(older).expect("read").outcomes, 2);
    }
}
