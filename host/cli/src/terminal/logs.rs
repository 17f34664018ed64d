//! Writes log lines to standard error.

use std::io;

use clap::ValueEnum;
use jackfield_loader::mask_secrets;
use tracing_subscriber::{EnvFilter, fmt};

use super::terminal;

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Sends log lines to standard error from now on. `JACKFIELD_LOG` (such as `debug` or `plugin=trace`) takes precedence over
/// `verbose`, the number of `-v` on the command line.
pub(crate) fn init_logs(verbose: u8, format: LogFormat) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = std::env::var("JACKFIELD_LOG").ok().and_then(|text| text.parse::<EnvFilter>().ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(default));
    // `terminal` adds the colours, and escapes all others.
    let base = fmt().with_env_filter(filter).with_writer(move || LogLines(format)).with_ansi(false);
    // A second subscriber in one process, as in tests, changes nothing.
    let _ = match format {
        LogFormat::Text => base.without_time().try_init(),
        LogFormat::Json => base.json().try_init(),
    };
}

/// Takes log lines, each in one piece: the layer above writes each with one call.
struct LogLines(LogFormat);

impl io::Write for LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = without_secrets(line);
        match self.0 {
            LogFormat::Text => terminal().log(&text),
            LogFormat::Json => terminal().log_json(&text),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Masks secrets that can be recognised by their form. Libraries log addresses as they are, with passwords in them.
fn without_secrets(line: &[u8]) -> String {
    mask_secrets(&String::from_utf8_lossy(line)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_log_line_shows_no_password_of_an_address() {
        let line = b"TRACE connect url=http://me:hidden@host:4318/v1?key=hidden x\n";
        assert_eq!(without_secrets(line), "TRACE connect url=http://********@host:4318/v1?key=******** x\n");
        assert_eq!(without_secrets(b"\xff plain\n"), "\u{fffd} plain\n");
    }
}
