//! The lockfile beside a pipeline's file, and what the pipeline says of its plugins.

use std::{
    io,
    path::{Path, PathBuf},
};

use jackfield_loader::{
    LoadError,
    lock::{self, Claim, Lock, Refusal},
    regular_file,
};
use jackfield_pipeline::{Diagnostic, ParsedPipeline, PluginEntry, Span};

/// Where the lockfile of a pipeline lies: beside its file.
pub fn lock_path(pipeline: &Path) -> PathBuf {
    if pipeline.is_dir() { pipeline.join(lock::FILE_NAME) } else { pipeline.with_file_name(lock::FILE_NAME) }
}

/// The lockfile cannot be used. What is wrong with it has been reported on the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusableLockfile;

/// Reads the lockfile of a pipeline; none if there is none. What is wrong with it becomes faults of the draft, and then no
/// plugin may be loaded.
pub fn read_lock(pipeline: &Path, draft: &mut ParsedPipeline) -> Result<Option<Lock>, UnusableLockfile> {
    let path = lock_path(pipeline);
    let bytes = match regular_file::read(&path, regular_file::MOST_TEXT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            draft.report(Diagnostic::new("lockfile", format!("cannot read `{}`: {error}", path.display())));
            draft.leave_plugins_out();
            return Err(UnusableLockfile);
        }
    };
    lock::parse(&bytes).map(Some).map_err(|faults| {
        let source = draft.add_source(path.display().to_string(), String::from_utf8_lossy(&bytes));
        for fault in faults {
            let place = Span { source, start: fault.at.start, end: fault.at.end };
            draft.report(Diagnostic::at("lockfile", place, fault.message).label(fault.label).hint(fault.hint));
        }
        draft.leave_plugins_out();
        UnusableLockfile
    })
}

/// What the pipeline says of a plugin file.
pub fn claim<'a>(draft: &ParsedPipeline, entry: &'a PluginEntry) -> Claim<'a> {
    // Its parts, so that `./a` is `a`.
    let locked_path: PathBuf = entry.path.strip_prefix(draft.folder()).unwrap_or(&entry.path).components().collect();
    Claim {
        alias: &entry.alias,
        path: &entry.path,
        locked_path: locked_path.to_string_lossy().into_owned(),
        allow_native: entry.allow_native,
        sha256: entry.sha256.clone(),
        dependencies: entry.dependencies.clone(),
        grants: entry.grants.iter().map(|grant| grant.relative_to(draft.folder()).to_string()).collect(),
        granted: entry.grants.iter().chain(&entry.granted_now).cloned().collect(),
    }
}

/// The commands that accept what is there, as hints show them.
pub struct Accept {
    pipeline: String,
}

impl Accept {
    /// Those of the pipeline at a path.
    #[must_use]
    pub fn new(pipeline: &Path) -> Self {
        Self { pipeline: shell_word(&pipeline.to_string_lossy()) }
    }

    /// What accepts a plugin as it is now.
    #[must_use]
    pub fn update(&self, alias: &str) -> String {
        let option = if self.pipeline == "." { String::new() } else { format!(" --pipeline {}", self.pipeline) };
        format!("jackfield plugins update {alias}{option}")
    }

    /// What writes the lockfile.
    #[must_use]
    pub fn lock(&self) -> String {
        self.command("lock")
    }

    /// A command of `jackfield plugins` for the pipeline.
    #[must_use]
    pub fn command(&self, name: &str) -> String {
        let argument = if self.pipeline == "." { String::new() } else { format!(" {}", self.pipeline) };
        format!("jackfield plugins {name}{argument}")
    }
}

/// A word as a shell reads it.
pub fn shell_word(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_./+,:@%=".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A refusal as a fault, without its place.
pub(crate) fn fault(alias: &str, refusal: &Refusal, lock: Option<&Lock>, accept: &Accept) -> Diagnostic {
    match refusal {
        Refusal::Load(error @ LoadError::Read { .. }) => {
            let locked = lock.and_then(|lock| lock.get(alias));
            let hint = locked
                .map(|locked| format!("get the file back that `{}` holds: sha256 {}", lock::FILE_NAME, locked.sha256));
            Diagnostic::new("plugin", format!("plugin `{alias}` cannot be loaded: {error}")).hint(hint)
        }
        Refusal::Load(error) => {
            Diagnostic::new("plugin", format!("plugin `{alias}` cannot be loaded: {error}")).hint(error.hint())
        }
        Refusal::Signature(error) => {
            Diagnostic::new("signature", format!("plugin `{alias}` is not loaded: {error}")).hint(error.hint())
        }
        Refusal::Locked(difference) => Diagnostic::new("locked", format!("plugin `{alias}` {}", difference.summary()))
            .note(format!("what is locked (-) and what is there (+):\n{}", indented(&difference.lines())))
            .hint(difference.hint(&accept.update(alias), &accept.lock())),
    }
}

/// Lines, each set in by two.
pub fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
