//! What can go wrong for a program that embeds Jackfield.

use std::{fmt, io};

use jackfield_engine::EngineError;
use jackfield_loader::{escape_untrusted, escape_untrusted_lines, mask_secrets};
use jackfield_pipeline::{DiagnosticRecord, Diagnostics, Style};
use jackfield_plugin_api::Failure;
use jackfield_services::{PolicyStateError, StudyError};
use jackfield_store::StoreError;

/// Why a pipeline was not loaded, or a run not made or read. It is displayed as the program `jackfield` prints it: what is
/// wrong, where, and after a blank line what to do about it; and debugged as it is displayed, so that a `main` which returns
/// it is readable.
pub struct Error {
    kind: ErrorKind,
}

enum ErrorKind {
    /// The pipeline is wrong, or one of its plugins was refused.
    Pipeline(Diagnostics),
    /// The run that is to go on was made by another plan.
    Changed { run: String, hint: String },
    /// The run could not be made.
    Engine(EngineError),
    /// What was asked for makes no sense.
    Usage { message: &'static str, hint: &'static str },
    /// The items that were asked for cannot be run by themselves.
    Selection { message: String, hint: &'static str },
    /// A line of the results cannot be read.
    Results(String),
    /// Stages or services opened as the pipeline was loaded, and do not any more.
    Opening(String),
    /// The thread of the run, or of loading, ended without an answer.
    Thread(String),
}

impl Error {
    pub(crate) const fn changed(run: String, hint: String) -> Self {
        Self { kind: ErrorKind::Changed { run, hint } }
    }

    pub(crate) const fn usage(message: &'static str, hint: &'static str) -> Self {
        Self { kind: ErrorKind::Usage { message, hint } }
    }

    pub(crate) const fn selection(message: String, hint: &'static str) -> Self {
        Self { kind: ErrorKind::Selection { message, hint } }
    }

    pub(crate) const fn results(message: String) -> Self {
        Self { kind: ErrorKind::Results(message) }
    }

    pub(crate) fn opening<'a>(refused: impl Iterator<Item = (&'a str, &'a Failure)>) -> Self {
        let messages: Vec<String> =
            refused.map(|(name, failure)| format!("`{name}` does not open: {failure}")).collect();
        Self { kind: ErrorKind::Opening(messages.join("; ")) }
    }

    pub(crate) const fn thread(message: String) -> Self {
        Self { kind: ErrorKind::Thread(message) }
    }

    /// What is wrong with the pipeline, one message each, as `FILE:LINE:COLUMN: MESSAGE` where there is a place; empty where
    /// something else is wrong.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let ErrorKind::Pipeline(diagnostics) = &self.kind else { return Vec::new() };
        diagnostics.records().iter().map(one_line).collect()
    }

    /// What is wrong with the pipeline, for whoever prints it in another way.
    #[doc(hidden)]
    #[must_use]
    pub const fn diagnostics(&self) -> Option<&Diagnostics> {
        match &self.kind {
            ErrorKind::Pipeline(diagnostics) => Some(diagnostics),
            _ => None,
        }
    }

    /// Why the engine could not go on, if that is what is wrong.
    #[doc(hidden)]
    #[must_use]
    pub const fn engine_error(&self) -> Option<&EngineError> {
        match &self.kind {
            ErrorKind::Engine(error) => Some(error),
            _ => None,
        }
    }

    /// What is wrong, without advice.
    #[must_use]
    pub fn message(&self) -> String {
        let message = match &self.kind {
            ErrorKind::Pipeline(diagnostics) => {
                let (count, s) = (diagnostics.list().len(), if diagnostics.list().len() == 1 { "" } else { "s" });
                format!("{}the pipeline has {count} fault{s}; nothing was run", diagnostics.render(Style::PLAIN))
            }
            ErrorKind::Changed { run, .. } => {
                format!("run `{run}` was made by another version of the pipeline or its plugins")
            }
            ErrorKind::Engine(error) => error.to_string(),
            ErrorKind::Usage { message, .. } => (*message).to_owned(),
            ErrorKind::Selection { message, .. }
            | ErrorKind::Results(message)
            | ErrorKind::Opening(message)
            | ErrorKind::Thread(message) => message.clone(),
        };
        escape_untrusted_lines(&mask_secrets(&message)).into_owned()
    }

    /// What to do about it, where that can be said. The messages about a pipeline hold their own advice.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.kind {
            ErrorKind::Changed { hint, .. } => Some(hint.clone()),
            ErrorKind::Engine(error) => error.hint(),
            ErrorKind::Usage { hint, .. } | ErrorKind::Selection { hint, .. } => Some((*hint).to_owned()),
            ErrorKind::Pipeline(_) | ErrorKind::Results(_) | ErrorKind::Opening(_) | ErrorKind::Thread(_) => None,
        };
        hint.map(|hint| escape_untrusted_lines(&mask_secrets(&hint)).into_owned())
    }
}

/// A fault in one line.
fn one_line(record: &DiagnosticRecord<'_>) -> String {
    let text = match (record.file, record.line, record.column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: {}", record.message),
        _ => record.message.to_owned(),
    };
    escape_untrusted(&text).into_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message())?;
        match self.hint() {
            Some(hint) => write!(formatter, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Error {}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        Self { kind: ErrorKind::Pipeline(diagnostics) }
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        Self { kind: ErrorKind::Engine(error) }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<PolicyStateError> for Error {
    fn from(error: PolicyStateError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<StudyError> for Error {
    fn from(error: StudyError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        EngineError::Workers(error).into()
    }
}
