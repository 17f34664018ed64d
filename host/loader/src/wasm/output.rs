//! What a guest writes to its output and its errors: each line becomes a line of the log.
//!
//! So `printf`, `println!` and `print` are seen, in whatever language a plugin is written, and its lines are bounded and escaped as
//! those that it logs.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use jackfield_plugin_api::{Level, sync::lock};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use super::{
    bridge::{Bridge, GuestMessage},
    host_interfaces::{LONGEST_LINE, shown_line},
};

/// The most bytes that a guest may write at once.
const MOST_AT_ONCE: usize = 64 << 10;

/// The output of an instance, or its errors.
#[derive(Clone)]
pub(super) struct GuestOutput(Arc<Mutex<Lines>>);

impl GuestOutput {
    /// The output, whose lines are worth knowing.
    pub(super) fn of_output(bridge: &Arc<Bridge>) -> Self {
        Self::new(bridge, Level::Info, "stdout")
    }

    /// The errors, whose lines say that something is not as it should be.
    pub(super) fn of_errors(bridge: &Arc<Bridge>) -> Self {
        Self::new(bridge, Level::Warn, "stderr")
    }

    fn new(bridge: &Arc<Bridge>, level: Level, target: &'static str) -> Self {
        let bridge = Arc::clone(bridge);
        Self(Arc::new(Mutex::new(Lines { bridge, level, target, line: Vec::new() })))
    }
}

/// The line that is being written.
struct Lines {
    bridge: Arc<Bridge>,
    level: Level,
    target: &'static str,
    /// The line so far: one byte more than a line may have at the most, so that it is seen that something was cut off.
    line: Vec<u8>,
}

impl Lines {
    fn write(&mut self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        self.extend(parts.next().unwrap_or_default());
        for part in parts {
            self.end_line();
            self.extend(part);
        }
    }

    fn extend(&mut self, part: &[u8]) {
        let room = (LONGEST_LINE + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Sends the line, unless there is nothing in it.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        if !text.trim().is_empty() {
            let (level, target) = (self.level, self.target.to_owned());
            self.bridge.send(GuestMessage::Log { level, target, message: shown_line(text.to_owned()) });
        }
    }
}

impl Drop for Lines {
    /// The last line of a call may have no end.
    fn drop(&mut self) {
        self.end_line();
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        lock(&self.0).write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MOST_AT_ONCE)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        lock(&self.0).write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the log that come of these writes.
    fn lines(writes: &[&[u8]]) -> Vec<String> {
        let bridge = Arc::<Bridge>::default();
        let mut output = GuestOutput::of_output(&bridge);
        for bytes in writes {
            output.write(Bytes::copy_from_slice(bytes)).expect("written");
        }
        drop(output);
        let message = |message| match message {
            GuestMessage::Log { level: Level::Info, message, .. } => message,
            _ => panic!("another message"),
        };
        bridge.take_messages().into_iter().map(message).collect()
    }

    #[test]
    fn each_line_is_one_of_the_log_however_it_is_written() {
        assert_eq!(lines(&[b"one\ntw", b"o\n", b"", b"\n\n \nthree\r\n"]), ["one", "two", "three"]);
        assert_eq!(lines(&[b"the last has no end"]), ["the last has no end"]);
        assert_eq!(lines(&[]), [""; 0]);
    }

    #[test]
    fn a_line_is_escaped_and_cut_and_need_not_be_text() {
        assert_eq!(lines(&[b"\x1b[2Jgone\rover\n"]), ["\\u{1b}[2Jgone\\rover"]);
        assert_eq!(lines(&[b"a\xffb"]), ["a\u{fffd}b"]);
        let long = lines(&[&vec![b'x'; LONGEST_LINE], b"yyy", b"z\nnext"]);
        assert_eq!((long.len(), long[0].len(), long[1].as_str()), (2, LONGEST_LINE + '…'.len_utf8(), "next"));
        assert!(long[0].ends_with("x…"), "{}", &long[0][LONGEST_LINE - 4..]);
        let exact = lines(&[&vec![b'x'; LONGEST_LINE], b"\n"]);
        assert_eq!(exact[0].len(), LONGEST_LINE);
    }
}
