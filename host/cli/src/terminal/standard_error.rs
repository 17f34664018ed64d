//! The only way to standard error, which is for messages. Lines are written above the progress bars.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jackfield_loader::{escape_untrusted, escape_untrusted_but_style, escape_untrusted_json, escape_untrusted_lines};

/// Standard error, shared by logs, messages and progress bars. Everything that is written passes an escape that
/// leaves no control sequences but the program's own colours.
pub(crate) struct Terminal {
    bars: MultiProgress,
    interactive: bool,
    color: bool,
    failed: AtomicBool,
}

/// The one terminal of the process.
#[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
pub(crate) fn terminal() -> &'static Terminal {
    static TERMINAL: OnceLock<Terminal> = OnceLock::new();
    TERMINAL.get_or_init(|| {
        let interactive = io::stderr().is_terminal();
        let color = interactive && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let target = if interactive { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Terminal { bars, interactive, color, failed: AtomicBool::new(false) }
    })
}

impl Terminal {
    /// Whether standard error is a terminal.
    #[must_use]
    pub(crate) fn interactive(&self) -> bool {
        self.interactive
    }

    /// Whether colours are wanted.
    #[must_use]
    pub(crate) fn color(&self) -> bool {
        self.color
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
        self.write(&format!("{}\n", escape_untrusted(line.as_ref())));
    }

    /// Writes several lines. Untrusted text that has to stay on one line must have passed [`escape_untrusted`].
    pub(crate) fn say_lines(&self, text: impl AsRef<str>) {
        self.write(&format!("{}\n", escape_untrusted_lines(text.as_ref())));
    }

    /// Writes a message that may quote a text of several lines. The lines after the first are indented, so that none of them looks
    /// like another message.
    pub(crate) fn say_message(&self, text: impl AsRef<str>) {
        let mut lines = text.as_ref().split('\n');
        let mut message = lines.next().unwrap_or_default().to_owned();
        for line in lines {
            message.push_str(if line.is_empty() || line.starts_with("  ") { "\n" } else { "\n  " });
            message.push_str(line);
        }
        self.say_lines(message);
    }

    /// Writes several lines that may be coloured.
    pub(crate) fn say_styled(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let text = if self.color { escape_untrusted_but_style(text) } else { escape_untrusted_lines(text) };
        self.write(&format!("{text}\n"));
    }

    /// Writes the report of a panic. It does not wait for the progress bars, which the panicking thread may hold.
    pub(crate) fn say_panic(&self, text: &str) {
        self.note_error(write_to_stderr(&format!("{}\n", escape_untrusted_lines(text))));
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
        match line.get(..5).filter(|_| self.color).and_then(|level| Some((level, color(level)?))) {
            Some((level, color)) => self.write(&format!("\u{1b}[{color}m{level}\u{1b}[0m{}\n", &line[5..])),
            None => self.write(&format!("{line}\n")),
        }
    }

    /// Writes a log line in the shape for programs.
    pub(super) fn log_json(&self, line: &str) {
        self.write(&escape_untrusted_json(line));
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
