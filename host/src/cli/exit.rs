//! Exit codes.

use std::process::ExitCode;

use crate::{engine::RunState, telemetry::terminal};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, all of it.
    Success,
    /// 1: the run failed, or could not go on; or a command that looks for faults (`test`, `plugins test`, `plugins verify`,
    /// `plugins replay`, `doctor`) found one.
    Failed,
    /// 2: the command line or the pipeline is wrong, or a plugin is not the one that was locked; nothing was run.
    Usage,
    /// 3: the run is done, and some of it failed.
    Partial,
    /// 4: a comparison found a regression.
    Regression,
    /// 130: interrupted; the run can be resumed.
    Interrupted,
}

/// The exit codes, for `--help`.
pub(super) const HELP: &str = "Exit codes:
  0    done, all of it
  1    the run failed, or could not go on; a test, `verify`, `replay` or `doctor` found a fault
  2    the command line or the pipeline is wrong, or a plugin was changed; nothing was run
  3    the run is done, and some of it failed
  4    `runs compare` found a regression beyond the threshold
  101  a bug in jackfield
  130  interrupted; the run can be resumed with --resume";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Regression => 4,
            Exit::Interrupted => 130,
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

/// Prints an error, and its hint after a blank line.
pub(super) fn complain(message: impl std::fmt::Display, hint: Option<String>) {
    let terminal = terminal();
    terminal.say(format!("error: {message}"));
    if let Some(hint) = hint {
        terminal.say(format!("\nhint: {hint}"));
    }
}
