//! The only way to standard output, which is for data.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock},
};

use jackfield_loader::{escape_untrusted, escape_untrusted_but_style, escape_untrusted_json, escape_untrusted_lines};
use jackfield_plugin_api::sync::lock;
use serde::Serialize;

/// Standard output. Everything that is written passes an escape that leaves no control characters for a terminal. The first error
/// is kept until [`Output::close`], and everything after it is dropped, so that callers need not handle errors.
pub(crate) struct Output {
    interactive: bool,
    failed: Mutex<Option<io::Error>>,
}

/// The one standard output of the process.
#[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
pub(crate) fn output() -> &'static Output {
    static OUTPUT: OnceLock<Output> = OnceLock::new();
    OUTPUT.get_or_init(|| Output { interactive: io::stdout().is_terminal(), failed: Mutex::default() })
}

impl Output {
    /// Writes a line. A line break in it is escaped.
    pub(crate) fn line(&self, line: impl AsRef<str>) {
        self.write(&format!("{}\n", escape_untrusted(line.as_ref())));
    }

    /// Writes a text of several lines, each ending in a line break.
    pub(crate) fn lines(&self, text: impl AsRef<str>) {
        let text = escape_untrusted_lines(text.as_ref());
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        self.write(&format!("{text}{end}"));
    }

    /// Writes a text of several lines that may be coloured, each ending in a line break. Untrusted parts of it must have
    /// passed [`escape_untrusted`], so that all colours in it are the program's own.
    pub(crate) fn styled(&self, text: impl AsRef<str>) {
        self.write(&format!("{}\n", escape_untrusted_but_style(text.as_ref())));
    }

    /// Writes the path of something that was made: as it is where a program reads it, escaped on a terminal.
    pub(crate) fn path(&self, path: &Path) {
        if self.interactive {
            return self.line(path.to_string_lossy());
        }
        let mut bytes = path.as_os_str().as_encoded_bytes().to_owned();
        bytes.push(b'\n');
        self.write_bytes(&bytes);
    }

    /// Writes lines of data: as they are where a program reads them, escaped on a terminal.
    pub(crate) fn data(&self, lines: &[u8]) {
        if self.interactive {
            return self.lines(String::from_utf8_lossy(lines));
        }
        self.write_bytes(lines);
    }

    /// Whether it is a terminal.
    #[must_use]
    pub(crate) const fn is_terminal(&self) -> bool {
        self.interactive
    }

    /// Writes a JSON value over several lines.
    pub(crate) fn json(&self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.write(&format!("{}\n", escape_untrusted_json(&text)));
    }

    /// Writes a JSON value on a line.
    pub(crate) fn json_line(&self, value: &impl Serialize) {
        let text = serde_json::to_string(value).unwrap_or_default();
        self.write(&format!("{}\n", escape_untrusted_json(&text)));
    }

    /// Writes a text without escaping it: it must hold nothing untrusted. It may be coloured, or be for a shell.
    pub(crate) fn trusted(&self, text: &str) {
        self.write(text);
    }

    /// Whether colours are wanted.
    #[must_use]
    pub(crate) fn color(&self) -> bool {
        self.interactive && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// The columns of the terminal, or none if standard output is not a terminal or does not report them.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
    pub(crate) fn width(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (self.interactive && size.ws_col > 0).then_some(usize::from(size.ws_col))
    }

    /// Whether no error has occurred yet, so that what is written may still be read.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.failed().is_none()
    }

    /// Flushes the output, and returns the first error of writing. A reader that closed its end is not an error.
    ///
    /// # Errors
    /// The first error of writing, returned once.
    pub(crate) fn close(&self) -> io::Result<()> {
        self.keep_first_error(flush_stdout());
        match self.failed().take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn write(&self, text: &str) {
        self.write_bytes(text.as_bytes());
    }

    #[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
    fn write_bytes(&self, bytes: &[u8]) {
        if self.is_open() {
            self.keep_first_error(io::stdout().lock().write_all(bytes));
        }
    }

    fn keep_first_error(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failed().get_or_insert(error);
        }
    }

    fn failed(&self) -> MutexGuard<'_, Option<io::Error>> {
        lock(&self.failed)
    }
}

#[expect(clippy::disallowed_methods, reason = "all other code writes through this type")]
fn flush_stdout() -> io::Result<()> {
    io::stdout().lock().flush()
}
