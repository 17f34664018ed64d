//! Log lines: those of the host's own parts, and what plugins write to their log.

use std::io;

use jackfield_loader::mask_secrets;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::{
    record::json_log_line,
    settings::{LogFormat, TalkArgs},
    terminal,
};

type LogLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends log lines to standard error from now on, and to the log file if there is one. `JACKFIELD_LOG` (such as `debug` or
/// `plugin=trace`) takes precedence over the number of `-v` on the command line; `--quiet` leaves errors alone on standard error.
pub(super) fn init_logs(args: &TalkArgs) {
    let (shown, kept) = match (args.quiet, args.verbose) {
        (true, _) => ("error", "info"),
        (false, 0) => ("warn", "info"),
        (false, 1) => ("info", "info"),
        (false, 2) => ("debug", "debug"),
        (false, _) => ("trace", "trace"),
    };
    // As text, the summary of a run is the table at its end.
    let usual = |level: &str| match args.log_format {
        LogFormat::Text => EnvFilter::new(format!("{level},run_summary=off")),
        LogFormat::Json => EnvFilter::new(level),
    };
    let wanted = || std::env::var("JACKFIELD_LOG").ok().and_then(|text| text.parse::<EnvFilter>().ok());
    let shown = wanted().filter(|_| !args.quiet).unwrap_or_else(|| usual(shown));
    let mut layers: Vec<LogLayer> = vec![layer(args.log_format, ErrorLines(args.log_format), shown)];
    if args.log_file.is_some() {
        let kept = wanted().unwrap_or_else(|| usual(kept));
        layers.push(layer(args.log_format, FileLines(args.log_format), kept));
    }
    // A second subscriber in one process, as in tests, changes nothing.
    let _ = Registry::default().with(layers).try_init();
}

/// A layer that writes the lines which the filter lets pass. `terminal` adds the colours, and escapes all others.
fn layer<W>(format: LogFormat, lines: W, filter: EnvFilter) -> LogLayer
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(lines).with_ansi(false);
    match format {
        LogFormat::Text => layer.without_time().with_filter(filter).boxed(),
        LogFormat::Json => layer.json().with_filter(filter).boxed(),
    }
}

/// Takes log lines for standard error, each in one piece: the layer above writes each with one call.
#[derive(Clone, Copy)]
struct ErrorLines(LogFormat);

/// Takes log lines for the log file.
#[derive(Clone, Copy)]
struct FileLines(LogFormat);

impl io::Write for ErrorLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.0 {
            LogFormat::Text => terminal().log(&without_secrets(line)),
            LogFormat::Json => terminal().log_json(&json_log_line(&String::from_utf8_lossy(line))),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for FileLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        terminal().log_to_file(self.0, &String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for ErrorLines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

impl MakeWriter<'_> for FileLines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
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
