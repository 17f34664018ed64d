//! The file of a study: the outcomes of its trials, kept from run to run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::{Outcome, Study};
use jackfield_store::{StoreError, sealed_json, write_whole};
use serde::{Deserialize, Serialize};

use crate::sealed_file;

/// The version of the file that this program writes.
const FORMAT: u32 = 1;

/// The file of a study, locked against other runs as long as this lives.
#[derive(Debug)]
pub struct StudyFile {
    name: String,
    path: PathBuf,
    _lock: File,
}

/// What is in such a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Content {
    format: u32,
    /// Set as it is written.
    #[serde(default)]
    checksum: String,
    /// What the last run searched.
    study: Study,
    /// The outcomes of all trials, in the order of their numbers.
    outcomes: Vec<Outcome>,
    /// How many outcomes came of each run: one that goes on adds those that came since.
    runs: BTreeMap<String, u64>,
}

/// What a run begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyStart {
    /// Trials of earlier runs: the number of the first one of this run.
    pub trials: u64,
    /// What came of those of them whose values are of the space that is searched now.
    pub outcomes: Vec<Outcome>,
}

/// Why the file of a study cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another run is at work on it.
    #[error("study `{name}` is in use by another run (`{}`)", path.display())]
    InUse {
        /// The study.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// It is about something else.
    #[error("study `{name}` (`{}`) is another one: {what}", path.display())]
    Differs {
        /// The study.
        name: String,
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
    },
}

impl StudyError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(StoreError::Damaged { .. }) => {
                Some("remove the file to begin anew, or give the study another name".to_owned())
            }
            Self::Store(error) if error.is_refused() => Some(
                "a study is kept in `.jackfield/studies` beside the pipeline: let it be written to, or leave `study` out"
                    .to_owned(),
            ),
            Self::Store(error) => error.hint(),
            Self::InUse { .. } => Some("wait for it, or give the study another name".to_owned()),
            Self::Differs { .. } => Some("give the study another name, or search what it searched".to_owned()),
        }
    }
}

impl StudyFile {
    /// Locks the file of a study; it need not be there.
    ///
    /// # Errors
    /// If another run has locked it.
    pub fn lock(name: &str, path: &Path) -> Result<Self, StudyError> {
        let (name, path) = (name.to_owned(), path.to_owned());
        match sealed_file::try_lock(&path)? {
            Some(lock) => Ok(Self { name, path, _lock: lock }),
            None => Err(StudyError::InUse { name, path }),
        }
    }

    /// What a run that searches this begins with.
    ///
    /// # Errors
    /// If the file cannot be read, or is about other dimensions or objectives.
    pub fn read_for(&self, study: &Study) -> Result<StudyStart, StudyError> {
        let Some(content) = sealed_file::read::<Content>(&self.path, FORMAT, FORMAT)? else {
            return Ok(StudyStart::default());
        };
        if let Some(what) = difference(&content.study, study) {
            return Err(StudyError::Differs { name: self.name.clone(), path: self.path.clone(), what });
        }
        let trials = content.outcomes.len() as u64;
        let mut outcomes = content.outcomes;
        // Of a trial that got no values nothing can be learned.
        outcomes.retain(|outcome| study.check(&outcome.values).is_ok());
        let left_out = trials - outcomes.len() as u64;
        if left_out > 0 {
            tracing::warn!(
                "{left_out} of {trials} trials of study `{}` are outside of the space as it is now, and are left out",
                self.name
            );
        }
        Ok(StudyStart { trials, outcomes })
    }

    /// Adds the outcomes of a run, in the order of its trials, less those that were added before.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn add(&self, study: &Study, run: &str, outcomes: Vec<Outcome>) -> Result<(), StudyError> {
        let mut content = sealed_file::read::<Content>(&self.path, FORMAT, FORMAT)?.unwrap_or_default();
        let before = content.runs.get(run).copied().unwrap_or(0);
        let count = outcomes.len() as u64;
        if count <= before {
            return Ok(());
        }
        for mut outcome in outcomes.into_iter().skip(before as usize) {
            outcome.trial = Some(content.outcomes.len() as u64);
            content.outcomes.push(outcome);
        }
        content.runs.insert(run.to_owned(), count);
        content.study = study.clone();
        content.format = FORMAT;
        write_whole(&self.path, sealed_json(&content))?;
        Ok(())
    }
}

/// How what a study is about differs from what is searched, if its outcomes say nothing of that.
fn difference(before: &Study, now: &Study) -> Option<String> {
    let names =
        |study: &Study| -> BTreeSet<String> { study.space.iter().map(|dimension| dimension.name.clone()).collect() };
    let goals = |study: &Study| -> BTreeSet<String> {
        let goal = |goal: &jackfield_plugin_api::Goal| {
            format!("{} `{}`", if goal.minimize { "minimize" } else { "maximize" }, goal.name)
        };
        study.goals.iter().map(goal).collect()
    };
    let listed = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    let (old, new) = (goals(before), goals(now));
    if old != new {
        return Some(format!("its goals were {}, now they are {}", listed(&old), listed(&new)));
    }
    let (old, new) = (names(before), names(now));
    let quoted = |names: Vec<&String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (removed, added) = (old.difference(&new).collect::<Vec<_>>(), new.difference(&old).collect::<Vec<_>>());
    match (removed.is_empty(), added.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("it searches {} as well", quoted(removed))),
        (true, false) => Some(format!("it does not search {}", quoted(added))),
        (false, false) => Some(format!("it searches {}, and not {}", quoted(removed), quoted(added))),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{Dimension, Goal};
    use serde_json::json;

    use super::*;

    fn study(name: &str, max: f64) -> Study {
        let dimension = Dimension { name: name.to_owned(), min: Some(0.0), max: Some(max), ..Dimension::default() };
        Study { space: vec![dimension], goals: vec![Goal { name: "loss".to_owned(), minimize: true }], reports: 0 }
    }

    fn outcome(x: f64) -> Outcome {
        Outcome { trial: Some(0), values: [("x".to_owned(), json!(x))].into(), ..Outcome::default() }
    }

    #[test]
    fn a_run_adds_what_is_new_and_the_next_one_begins_with_what_fits() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("studies/letters.json");
        let file = StudyFile::lock("letters", &path).expect("held");
        let busy = StudyFile::lock("letters", &path).expect_err("in use").to_string();
        assert!(busy.starts_with("study `letters` is in use by another run"), "{busy}");
        assert_eq!(file.read_for(&study("x", 1.0)).expect("nothing"), StudyStart::default());
        file.add(&study("x", 1.0), "one", vec![outcome(0.25)]).expect("added");
        file.add(&study("x", 1.0), "one", vec![outcome(0.25), outcome(0.75)]).expect("added");
        file.add(&study("x", 1.0), "two", vec![outcome(0.5)]).expect("added");
        let start = file.read_for(&study("x", 1.0)).expect("read");
        let outcomes: Vec<_> =
            start.outcomes.iter().map(|outcome| (outcome.trial, outcome.values["x"].clone())).collect();
        assert_eq!(outcomes, [(Some(0), json!(0.25)), (Some(1), json!(0.75)), (Some(2), json!(0.5))]);
        let narrower = file.read_for(&study("x", 0.6)).expect("read");
        assert_eq!((narrower.trials, narrower.outcomes.len()), (3, 2));
        let message = file.read_for(&study("y", 1.0)).expect_err("another").to_string();
        assert!(message.ends_with("is another one: it searches `x`, and not `y`"), "{message}");
        let mut other = study("x", 1.0);
        other.goals[0].minimize = false;
        let message = file.read_for(&other).expect_err("another").to_string();
        assert!(message.ends_with("its goals were minimize `loss`, now they are maximize `loss`"), "{message}");
        drop(file);
        drop(StudyFile::lock("letters", &path).expect("free again"));
    }

    #[test]
    fn a_damaged_study_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("letters.json");
        let file = StudyFile::lock("letters", &path).expect("held");
        file.add(&study("x", 1.0), "one", vec![outcome(0.25)]).expect("added");
        let text = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, text.replace("0.25", "0.26")).expect("written");
        let error = file.read_for(&study("x", 1.0)).expect_err("damaged");
        assert!(error.to_string().contains("its checksum is another"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("another name")));
        assert!(file.add(&study("x", 1.0), "two", vec![outcome(0.5)]).is_err());
        assert!(std::fs::read_to_string(&path).expect("read").contains("0.26"));
    }
}
