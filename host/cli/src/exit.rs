//! How the program ends: its exit codes, and its error messages.

use std::process::ExitCode;

use jackfield_engine::EngineError;
use jackfield_loader::mask_secrets;
use jackfield_store::RunState;

use crate::terminal::{output, terminal};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything was done.
    Success,
    /// 1: the run failed, or could not go on; what was asked for could not be written; or a command that looks for faults (`test`, `plugins test`, `plugins verify`,
    /// `plugins replay`, `doctor`) found one.
    Failed,
    /// 2: the command line or the pipeline is wrong, or a plugin is not the one that was locked; nothing was run.
    Usage,
    /// 3: the run ended, and part of it failed.
    Partial,
    /// 4: a comparison found a regression.
    Regression,
    /// 130: interrupted by Ctrl-C, SIGTERM or SIGHUP; the run can be resumed.
    Interrupted,
}

/// The exit codes, for `--help`.
pub(super) const HELP: &str = "Exit codes:
  0    everything was done
  1    the run failed, or could not go on; a test, `verify`, `replay` or `doctor` found a fault
  2    the command line or the pipeline is wrong, or a plugin was changed; nothing was run
  3    the run ended, and part of it failed
  4    `runs compare` found a regression beyond the threshold
  101  a bug in jackfield
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP; the run can be resumed with --resume";

/// The exit code after an interruption.
pub(super) const INTERRUPTED: i32 = 130;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Regression => 4,
            Exit::Interrupted => INTERRUPTED as u8,
        })
    }
}

impl From<RunState> for Exit {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Complete => Self::Success,
            RunState::Partial => Self::Partial,
            RunState::Failed => Self::Failed,
            RunState::Running | RunState::Interrupted => Self::Interrupted,
        }
    }
}

impl From<&EngineError> for Exit {
    fn from(error: &EngineError) -> Self {
        match error {
            EngineError::NoInput { .. }
            | EngineError::EmptyFolder { .. }
            | EngineError::BadGlob { .. }
            | EngineError::FewerTrials { .. } => Self::Usage,
            _ => Self::Failed,
        }
    }
}

impl Exit {
    /// Closes the outputs, and returns this exit, or [`Exit::Failed`] if what was written did not arrive.
    pub(super) fn after_output(self) -> Self {
        let is_lost = match output().close() {
            Ok(()) => terminal().has_failed(),
            Err(error) => {
                print_error(format!("cannot write to standard output: {error}"), None);
                true
            }
        };
        match self {
            Self::Success | Self::Partial | Self::Regression if is_lost => Self::Failed,
            exit => exit,
        }
    }
}

/// Prints an error, and its hint after a blank line.
pub(super) fn print_error(message: impl std::fmt::Display, hint: Option<String>) {
    let terminal = terminal();
    terminal.say_message(format!("error: {}", mask_secrets(&message.to_string())));
    if let Some(hint) = hint {
        terminal.say("");
        terminal.say_message(format!("hint: {}", mask_secrets(&hint)));
    }
}
