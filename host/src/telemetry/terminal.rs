//! Standard error as a terminal: log lines go above the progress bars.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::OnceLock,
};

use indicatif::{MultiProgress, ProgressDrawTarget};

/// Standard error, shared by logs, messages and progress bars.
pub struct Terminal {
    bars: MultiProgress,
    interactive: bool,
    color: bool,
}

/// The one terminal of the process.
pub fn terminal() -> &'static Terminal {
    static TERMINAL: OnceLock<Terminal> = OnceLock::new();
    TERMINAL.get_or_init(|| {
        let interactive = io::stderr().is_terminal();
        let color = interactive && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let target = if interactive { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Terminal { bars: MultiProgress::with_draw_target(target), interactive, color }
    })
}

impl Terminal {
    /// Whether a person is looking.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    /// Whether colours are wanted.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color
    }

    /// The bars.
    #[must_use]
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Prints a line of talk.
    pub fn say(&self, line: impl AsRef<str>) {
        self.bars.suspend(|| {
            // Nobody reads it if standard error is closed.
            let _ = writeln!(io::stderr().lock(), "{}", line.as_ref());
        });
    }
}

impl Write for &Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
