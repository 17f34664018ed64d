//! How standard error is written: what the global options of the command line ask for.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, ValueEnum};

/// Where the help of every command lists them: behind its own options.
const HEADING: &str = "Messages and logs";

/// The global options about what is said on standard error.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TalkArgs {
    /// More log lines: -v info, -vv debug, -vvv trace (or set JACKFIELD_LOG).
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = HEADING)]
    pub(super) verbose: u8,

    /// Only errors on standard error: no progress, no notes, no summary. Standard output is as ever.
    #[arg(short, long, global = true, help_heading = HEADING, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Shape of what is written to standard error: text, or nothing but JSON objects, one a line.
    #[arg(long, value_enum, default_value_t, global = true, help_heading = HEADING)]
    pub(super) log_format: LogFormat,

    /// Append log lines, and all messages, to this file as well, each with its time: at least those of `-v`.
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    pub(super) log_file: Option<PathBuf>,
}

/// The shape of what is written to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl LogFormat {
    /// The format that a command line asks for which cannot be read as a whole: even what is wrong with it is told in that form.
    pub(crate) fn of_arguments(arguments: impl Iterator<Item = OsString>) -> Self {
        let mut follows_option = false;
        for argument in arguments {
            if argument == "--log-format=json" || (follows_option && argument == "json") {
                return Self::Json;
            }
            follows_option = argument == "--log-format";
        }
        Self::Text
    }
}

/// How much a message matters. Of a quiet program, errors alone are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// What is worth knowing.
    Note,
    /// What went wrong.
    Error,
}

impl Severity {
    /// The name of the level, as log lines have it.
    pub(super) const fn level(self) -> &'static str {
        match self {
            Self::Note => "INFO",
            Self::Error => "ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogFormat;

    #[test]
    fn the_format_is_found_in_a_command_line_that_cannot_be_read() {
        let format = |line: &str| LogFormat::of_arguments(line.split(' ').map(Into::into));
        assert_eq!(format("jackfield --log-format json rum"), LogFormat::Json);
        assert_eq!(format("jackfield rum --log-format=json"), LogFormat::Json);
        assert_eq!(format("jackfield rum --log-format text json"), LogFormat::Text);
        assert_eq!(format("jackfield show json"), LogFormat::Text);
    }
}
