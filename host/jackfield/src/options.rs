//! How a pipeline is loaded and run.

use std::path::PathBuf;

use jackfield_engine::Cancel;

/// What is different about a pipeline this time, as the options of `jackfield run` say it.
///
/// ```
/// let options = jackfield::LoadOptions::new().set("stages.brief.with.budget=4000").input("talks/*.txt");
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    pub(crate) set: Vec<String>,
    pub(crate) input: Vec<String>,
    pub(crate) grants: Vec<String>,
    pub(crate) locked: bool,
    pub(crate) look: InputLook,
}

/// How far the input is looked at when a pipeline is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputLook {
    /// Not at all: the items may come from elsewhere, or there may be none yet.
    #[default]
    None,
    /// What makes every item fail is a fault: what wires read has to be there. Whether there is any item shows when the run begins.
    Fields,
    /// All that would keep a run from beginning is a fault.
    All,
}

impl LoadOptions {
    /// The pipeline as its file has it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a value: `KEY=VALUE`, as `--set` does. The value is TOML, or else a string.
    #[must_use]
    pub fn set(mut self, key_and_value: impl Into<String>) -> Self {
        self.set.push(key_and_value.into());
        self
    }

    /// Reads these files in place of the pipeline's own input, as `--input` does: a glob, relative to the current folder.
    #[must_use]
    pub fn input(mut self, pattern: impl Into<String>) -> Self {
        self.input.push(pattern.into());
        self
    }

    /// Grants a sandboxed plugin something that it asks for, as `--grant` does: `PLUGIN=PERMISSION`.
    #[must_use]
    pub fn grant(mut self, plugin_and_permission: impl Into<String>) -> Self {
        self.grants.push(plugin_and_permission.into());
        self
    }

    /// How far the input is looked at: the program does so before it checks a pipeline or runs it.
    #[must_use]
    #[doc(hidden)]
    pub fn look(mut self, look: InputLook) -> Self {
        self.look = look;
        self
    }

    /// Whether a pipeline that names plugin files needs a `jackfield.lock` beside it, as with `--locked`.
    #[must_use]
    pub fn locked(mut self, locked: bool) -> Self {
        self.locked = locked;
        self
    }
}

/// How a run is made.
///
/// ```
/// let options = jackfield::RunOptions::in_folder("runs").jobs(4).resume("last");
/// ```
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder that holds the folders of runs; none for a run in memory.
    pub(crate) runs: Option<PathBuf>,
    pub(crate) jobs: Option<usize>,
    pub(crate) resume: Option<String>,
    pub(crate) retry_failed: bool,
    pub(crate) only: Vec<String>,
    pub(crate) cancel: Option<Cancel>,
}

impl RunOptions {
    /// A run with a record, in a new folder inside this one: it can be resumed, compared and explained by the program, which reads
    /// the pipeline's own input again where it needs that.
    #[must_use]
    pub fn in_folder(runs: impl Into<PathBuf>) -> Self {
        Self { runs: Some(runs.into()), ..Self::in_memory() }
    }

    /// A run without a record: its results are held in memory, and nothing is written. A tensor that is too large for JSON is named by
    /// its digest alone: who wants its bytes runs in a folder, as do runs over more items than fit in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { runs: None, jobs: None, resume: None, retry_failed: false, only: Vec::new(), cancel: None }
    }

    /// Worker threads, at least 1. By default as many as there are processors. Results do not depend on it.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = Some(jobs.max(1));
        self
    }

    /// Goes on with a run of the folder: its name, the beginning of it, or `last`. What it has finished is not made again.
    #[must_use]
    pub fn resume(mut self, run: impl Into<String>) -> Self {
        self.resume = Some(run.into());
        self
    }

    /// Whether a run that goes on makes every failed call again, not just those that may have healed.
    #[must_use]
    pub fn retry_failed(mut self, retry_failed: bool) -> Self {
        self.retry_failed = retry_failed;
        self
    }

    /// Runs the item of this id alone; given several times, these items. Ids are those of [`ItemResult::id`](crate::ItemResult::id).
    /// The input is read until all of them are found, before anything is run; an id that it does not have is an error.
    ///
    /// A new run is a run over these items, also when it goes on. In a run that goes on ([`resume`](Self::resume)), all calls of
    /// these items are made again, whatever came of them before, and nothing else is: what a cache holds still counts. It is
    /// refused for the trials of a search, and in a run that goes on for a pipeline with routes, whose decisions depend on the
    /// items before.
    #[must_use]
    pub fn only(mut self, item: impl Into<String>) -> Self {
        self.only.push(item.into());
        self
    }

    /// What asks the run to stop; each run wants one of its own. By default a new one: see
    /// [`RunningRun::cancel`](crate::RunningRun::cancel).
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }
}
