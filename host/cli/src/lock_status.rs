//! What is there of a pipeline's plugin files, held against its lockfile, for the commands that look and accept.

use std::path::{Path, PathBuf};

use jackfield::internal::{Accept, claim, lock_path, read_lock};
use jackfield_loader::lock::{Difference, Found, Lock, NativeCode, Refusal, Signers, Undescribed, examine};
use jackfield_pipeline::{ParsedPipeline, PluginEntry, Request};
use jackfield_store::write_whole;

use super::{
    exit::{Exit, print_error},
    load::{OutputFormat, report},
    table::counted,
};
use crate::terminal::terminal;

/// A pipeline's plugin files and its lockfile.
pub(super) struct LockStatus {
    /// Where the lockfile lies, or would.
    pub(super) path: PathBuf,
    pub(super) lock: Option<Lock>,
    pub(super) signers: Signers,
    pub(super) accept: Accept,
    draft: ParsedPipeline,
}

/// What is there of a plugin, and how it differs from what is locked.
pub(super) type PluginStatus = Result<(Found, Difference), Refusal>;

impl LockStatus {
    /// Reads a pipeline and its lockfile. Says what is wrong with them.
    pub(super) fn read(pipeline: &Path, format: OutputFormat) -> Result<Self, Exit> {
        let parsed = jackfield_pipeline::parse(Request { path: pipeline, set: &[], input: &[] });
        let mut draft = parsed.map_err(|faults| {
            report(&faults, format);
            Exit::Usage
        })?;
        let lock = read_lock(pipeline, &mut draft).ok().flatten();
        if let Some(faults) = draft.diagnostics() {
            report(&faults, format);
            return Err(Exit::Usage);
        }
        let signers = draft.signers().cloned().unwrap_or_default();
        Ok(Self { path: lock_path(pipeline), lock, signers, accept: Accept::new(pipeline), draft })
    }

    /// The plugins that the pipeline names.
    pub(super) fn plugins(&self) -> &[PluginEntry] {
        self.draft.plugins()
    }

    /// What is locked and not named by the pipeline: it may be another's, of the same folder.
    pub(super) fn unnamed(&self) -> Vec<&str> {
        let locked = self.lock.iter().flat_map(|lock| lock.plugins()).map(|entry| entry.alias.as_str());
        locked.filter(|alias| self.plugins().iter().all(|entry| entry.alias != *alias)).collect()
    }

    /// Looks at a plugin file.
    pub(super) fn look(&self, entry: &PluginEntry, native: NativeCode) -> PluginStatus {
        let locked = self.lock.as_ref().and_then(|lock| lock.get(&entry.alias));
        let found = examine(&claim(&self.draft, entry), locked, &self.signers, native)?;
        let difference = Difference::between(locked, &found);
        Ok((found, difference))
    }

    /// Looks at a plugin file that is to be accepted: all that it offers has to be known. None if there is nothing to
    /// accept.
    pub(super) fn look_to_accept(&self, entry: &PluginEntry) -> Result<Option<(Found, Difference)>, Refusal> {
        let (found, difference) = self.look(entry, NativeCode::MayRun)?;
        match found.undescribed {
            _ if difference.is_empty() => Ok(None),
            Some(Undescribed::Failed(error)) => Err(error.into()),
            _ => Ok(Some((found, difference))),
        }
    }

    /// Writes the lockfile.
    pub(super) fn write(&self, lock: &Lock) -> Result<(), Exit> {
        write_whole(&self.path, lock.to_text()).map_err(|error| {
            let beside =
                "a lockfile lies beside its pipeline: do this where you may write, on a copy of the folder say";
            let hint = if error.is_refused() { Some(beside.to_owned()) } else { error.hint() };
            print_error(error, hint);
            Exit::Failed
        })
    }

    /// Says what was written.
    pub(super) fn conclude(&self, lock: &Lock, accepted: usize) {
        let (accepted, all) = (counted(accepted as u64, "plugin"), counted(lock.plugins().len() as u64, "plugin"));
        terminal().say(format!("accepted {accepted}; `{}` holds {all}", self.path.display()));
    }
}
