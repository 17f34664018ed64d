//! The only way to standard error, which is for messages. Lines are written above the progress bars.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jackfield_loader::{escape_untrusted, escape_untrusted_but_style, escape_untrusted_lines};
use serde_json::{Value, json};

use super::{
    log_file::LogFile,
    logs::init_logs,
    record::{json_line, json_log_line, text_line, timed_line},
    settings::{LogFormat, Severity, TalkArgs},
};

/// Standard error, shared by logs, messages and progress bars, and the log file beside it. Everything that is written passes an
/// escape that leaves no control sequences but the program's own colours.
pub(crate) struct Terminal {
    bars: MultiProgress,
    interactive: bool,
    color: bool,
    failed: AtomicBool,
    /// What the command line asks for, once it is read.
    settings: OnceLock<Settings>,
}

/// What the command line asks for.
#[derive(Debug, Default)]
struct Settings {
    format: LogFormat,
    quiet: bool,
    file: Option<LogFile>,
}

/// What holds until the command line is read.
static USUAL: Settings = Settings { format: LogFormat::Text, quiet: false, file: None };

/// The one terminal of the process.
#[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
pub(crate) fn terminal() -> &'static Terminal {
    static TERMINAL: OnceLock<Terminal> = OnceLock::new();
    TERMINAL.get_or_init(|| {
        let interactive = io::stderr().is_terminal();
        let color = interactive && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let target = if interactive { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Terminal { bars, interactive, color, failed: AtomicBool::new(false), settings: OnceLock::new() }
    })
}

impl Terminal {
    /// Does as the command line asks from now on, and begins with the log.
    ///
    /// # Errors
    /// A message, if the log file cannot be opened.
    pub(crate) fn set_up(&self, args: &TalkArgs) -> Result<(), String> {
        let file = args.log_file.as_deref().map(|path| {
            LogFile::open(path).map_err(|error| format!("cannot open the log file `{}`: {error}", path.display()))
        });
        let (file, opened) = match file.transpose() {
            Ok(file) => (file, Ok(())),
            Err(error) => (None, Err(error)),
        };
        // It is set up once, by whoever comes first.
        let _ = self.settings.set(Settings { format: args.log_format, quiet: args.quiet, file });
        init_logs(args);
        opened
    }

    /// Writes in this format from now on, if nothing else was asked for.
    pub(crate) fn set_format(&self, format: LogFormat) {
        let _ = self.settings.set(Settings { format, ..Settings::default() });
    }

    fn settings(&self) -> &Settings {
        self.settings.get().unwrap_or(&USUAL)
    }

    /// Whether nothing but JSON is written to standard error.
    #[must_use]
    pub(crate) fn writes_json(&self) -> bool {
        self.settings().format == LogFormat::Json
    }

    /// Whether a person reads standard error on a terminal, as text.
    #[must_use]
    pub(crate) fn interactive(&self) -> bool {
        self.interactive && !self.writes_json()
    }

    /// Whether progress is shown as bars.
    #[must_use]
    pub(crate) fn shows_bars(&self) -> bool {
        self.interactive() && !self.settings().quiet
    }

    /// Whether colours are wanted.
    #[must_use]
    pub(crate) fn color(&self) -> bool {
        self.color && !self.writes_json()
    }

    /// The columns of the terminal: 80 if it does not report them.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
    pub(crate) fn width(&self) -> usize {
        match rustix::termios::tcgetwinsize(io::stderr()) {
            Ok(size) if size.ws_col > 0 => size.ws_col.into(),
            _ => 80,
        }
    }

    /// Adds a progress bar below the existing ones. Its name may be untrusted text; its later messages must not be.
    #[must_use]
    pub(crate) fn bar(&self, bar: ProgressBar, style: ProgressStyle, name: &str) -> ProgressBar {
        let bar = self.bars.add(bar);
        bar.set_style(style);
        bar.set_prefix(escape_untrusted(name).into_owned());
        bar
    }

    /// Writes a line. A line break in it is escaped, so that no name can begin a line that looks like another message.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        self.say_with(Severity::Note, line, &Value::Null);
    }

    /// As [`Self::say`], for something that went wrong: a quiet program shows it too.
    pub(crate) fn say_failure(&self, line: impl AsRef<str>) {
        self.say_with(Severity::Error, line, &Value::Null);
    }

    /// As [`Self::say_failure`], for a text whose own line breaks are to be kept.
    pub(crate) fn say_failure_lines(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        self.emit(Severity::Error, text, &format!("{}\n", escape_untrusted_lines(text)), &Value::Null);
    }

    /// As [`Self::say`], with the members of an object for programs, which people do not see.
    pub(crate) fn say_with(&self, severity: Severity, line: impl AsRef<str>, fields: &Value) {
        let line = line.as_ref();
        let shown = escape_untrusted(line);
        self.emit(severity, line, &format!("{shown}\n"), fields);
    }

    /// Writes a table below a blank line. A program gets no tables, and is told the same in fields of messages; a log file gets it
    /// under its title.
    pub(crate) fn say_table(&self, title: &str, table: &str) {
        let Settings { format, quiet, file } = self.settings();
        if *format == LogFormat::Json {
            return;
        }
        if !quiet {
            self.write(&format!("\n{}\n", escape_untrusted_lines(table)));
        }
        if let Some(file) = file {
            self.append(file, &text_line(Severity::Note, &format!("{title}:\n{table}")));
        }
    }

    /// Writes a message that may quote a text of several lines. The lines after the first are indented, so that none of them looks
    /// like another message.
    pub(crate) fn say_message(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        self.emit(Severity::Note, text, &format!("{}\n", escape_untrusted_lines(&indented(text))), &Value::Null);
    }

    /// Writes an error, and what to do about it after a blank line.
    pub(crate) fn say_error(&self, message: &str, hint: Option<&str>) {
        let error = indented(&format!("error: {message}"));
        let mut shown = format!("{}\n", escape_untrusted_lines(&error));
        let mut text = message.to_owned();
        if let Some(hint) = hint {
            shown.push_str(&format!("\n{}\n", escape_untrusted_lines(&indented(&format!("hint: {hint}")))));
            if !self.writes_json() {
                text.push_str(&format!("\nhint: {hint}"));
            }
        }
        let fields = hint.map_or(Value::Null, |hint| json!({ "hint": hint }));
        self.emit(Severity::Error, &text, &shown, &fields);
    }

    /// Writes what is wrong over several lines that may be coloured; `plain` is the same without colours.
    pub(crate) fn say_styled(&self, text: &str, plain: &str) {
        let plain = escape_untrusted_lines(plain);
        let shown = if self.color() { escape_untrusted_but_style(text) } else { plain.clone() };
        self.emit(Severity::Error, &plain, &format!("{shown}\n"), &Value::Null);
    }

    /// Writes the report of a panic. It does not wait for the progress bars, which the panicking thread may hold.
    pub(crate) fn say_panic(&self, text: &str) {
        let Settings { format, file, .. } = self.settings();
        let line = match format {
            LogFormat::Text => format!("{}\n", escape_untrusted_lines(text)),
            LogFormat::Json => json_line(Severity::Error, text, &Value::Null),
        };
        self.note_error(write_to_stderr(&line));
        if let Some(file) = file {
            let line = if *format == LogFormat::Json { line } else { text_line(Severity::Error, text) };
            // There is nobody left to tell of a second fault.
            let _ = file.append(&line);
        }
    }

    /// Writes a message in the format that is asked for, and to the log file. `shown` is the text for a person, escaped.
    fn emit(&self, severity: Severity, text: &str, shown: &str, fields: &Value) {
        let Settings { format, quiet, file } = self.settings();
        let is_shown = severity == Severity::Error || !quiet;
        let is_blank = text.trim().is_empty();
        match format {
            LogFormat::Text if is_shown => self.write(shown),
            LogFormat::Json if is_shown && !is_blank => self.write(&json_line(severity, text, fields)),
            _ => {}
        }
        if let Some(file) = file.as_ref().filter(|_| !is_blank) {
            self.append(
                file,
                &match format {
                    LogFormat::Text => text_line(severity, text),
                    LogFormat::Json => json_line(severity, text, fields),
                },
            );
        }
    }

    /// Appends to the log file. That it cannot be written is reported once.
    fn append(&self, file: &LogFile, lines: &str) {
        if let Err(message) = file.append(lines) {
            self.failed.store(true, Ordering::Relaxed);
            self.write(&match self.settings().format {
                LogFormat::Text => format!("error: {}\n", escape_untrusted(&message)),
                LogFormat::Json => json_line(Severity::Error, &message, &Value::Null),
            });
        }
    }

    /// Writes a log line in the shape for people. The name of its level, at its beginning, is coloured.
    pub(super) fn log(&self, line: &str) {
        let line = escape_untrusted(line.trim_end_matches('\n'));
        let color = |level: &str| match level {
            "ERROR" => Some(31),
            " WARN" => Some(33),
            " INFO" => Some(32),
            "DEBUG" => Some(34),
            "TRACE" => Some(35),
            _ => None,
        };
        match line.get(..5).filter(|_| self.color()).and_then(|level| Some((level, color(level)?))) {
            Some((level, color)) => self.write(&format!("\u{1b}[{color}m{level}\u{1b}[0m{}\n", &line[5..])),
            None => self.write(&format!("{line}\n")),
        }
    }

    /// Writes a log line in the shape for programs, escaped.
    pub(super) fn log_json(&self, line: &str) {
        self.write(line);
    }

    /// Appends a log line to the log file.
    pub(super) fn log_to_file(&self, format: LogFormat, line: &str) {
        if let Some(file) = &self.settings().file {
            self.append(
                file,
                &match format {
                    LogFormat::Text => timed_line(line),
                    LogFormat::Json => json_log_line(line),
                },
            );
        }
    }

    /// Whether something could not be written. A reader that closed its end does not count.
    #[must_use]
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn write(&self, text: &str) {
        self.note_error(self.bars.suspend(|| write_to_stderr(text)));
    }

    fn note_error(&self, written: io::Result<()>) {
        if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
fn write_to_stderr(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}

/// A text whose lines after the first are indented.
fn indented(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut message = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        message.push_str(if line.is_empty() || line.starts_with("  ") { "\n" } else { "\n  " });
        message.push_str(line);
    }
    message
}
