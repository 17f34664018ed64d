//! How the program ends: its exit codes, and its error messages.

use std::process::ExitCode;

use jackfield_engine::EngineError;
use jackfield_loader::mask_secrets;
use jackfield_store::{RunState, Summary};

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
    /// 5: the run does not meet what its pipeline requires of it.
    Unmet,
    /// 130: interrupted by Ctrl-C, SIGTERM or SIGHUP; the run can be resumed.
    Interrupted,
}

/// What an exit code means: to the program as a whole, and to single commands, which say it in their own words.
struct Code {
    code: u8,
    meaning: &'static str,
    of_commands: &'static [(&'static str, &'static str)],
}

/// The exit codes, for `--help` and for the page of the reference.
static CODES: [Code; 8] = [
    Code {
        code: 0,
        meaning: "everything was done",
        of_commands: &[("run", "every item is done"), ("check", "the pipeline is fine"), ("test", "every test passed")],
    },
    Code {
        code: 1,
        meaning: "the run failed, or could not go on; a test, `verify`, `replay` or `doctor` found a fault",
        of_commands: &[
            ("run", "every item failed, or the run could not go on"),
            ("check", "what earlier runs left for this pipeline cannot be read"),
            ("test", "a test failed"),
        ],
    },
    Code {
        code: 2,
        meaning: "the command line or the pipeline is wrong, or a plugin was changed; nothing was run",
        of_commands: &[
            ("run", "the command line or the pipeline is wrong, or a plugin was changed; nothing was run"),
            ("check", "the command line or the pipeline is wrong, or a plugin was changed"),
            ("test", "the command line or the pipeline is wrong, or a plugin was changed; no test was run"),
        ],
    },
    Code {
        code: 3,
        meaning: "the run ended, and part of it failed",
        of_commands: &[("run", "the run ended, and part of it failed")],
    },
    Code { code: 4, meaning: "`runs compare` found a regression beyond the threshold", of_commands: &[] },
    Code {
        code: 5,
        meaning: "the run does not meet what `[require]` of its pipeline says",
        of_commands: &[("run", "the run ended, and does not meet what `[require]` of its pipeline says")],
    },
    Code { code: 101, meaning: "a bug in jackfield", of_commands: &[] },
    Code {
        code: INTERRUPTED as u8,
        meaning: "interrupted by Ctrl-C, SIGTERM or SIGHUP; the run can be resumed with --resume",
        of_commands: &[("run", "interrupted by Ctrl-C, SIGTERM or SIGHUP; the run can be resumed with --resume")],
    },
];

/// The exit codes, for the `--help` of the program.
pub(super) fn all_codes() -> String {
    listed(CODES.iter().map(|code| (code.code, code.meaning)))
}

/// The exit codes of a command, for its `--help`.
pub(super) fn codes_of(command: &str) -> String {
    let meaning = |code: &Code| code.of_commands.iter().find(|(name, _)| *name == command).map(|(_, meaning)| *meaning);
    listed(CODES.iter().filter_map(|code| Some((code.code, meaning(code)?))))
}

fn listed(codes: impl Iterator<Item = (u8, &'static str)>) -> String {
    let lines: Vec<String> = codes.map(|(code, meaning)| format!("  {code:<3}  {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

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
            Exit::Unmet => 5,
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

impl From<&Summary> for Exit {
    fn from(summary: &Summary) -> Self {
        match summary.last_session.selected.unwrap_or(summary.state).into() {
            Self::Success | Self::Partial if summary.unmet().next().is_some() => Self::Unmet,
            exit => exit,
        }
    }
}

impl From<&EngineError> for Exit {
    fn from(error: &EngineError) -> Self {
        match error {
            EngineError::NoInput { .. }
            | EngineError::EmptyFolder { .. }
            | EngineError::BadGlob { .. }
            | EngineError::UnknownItems { .. }
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
            Self::Success | Self::Partial | Self::Regression | Self::Unmet if is_lost => Self::Failed,
            exit => exit,
        }
    }
}

/// Prints an error, and its hint after a blank line.
pub(super) fn print_error(message: impl std::fmt::Display, hint: Option<String>) {
    let hint = hint.map(|hint| mask_secrets(&hint).into_owned());
    terminal().say_error(&mask_secrets(&message.to_string()), hint.as_deref());
}
