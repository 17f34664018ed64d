//! What a server sends, counted on its way in. The library that understands it takes lines and values of any length, and
//! keeps all that has come until a reply is whole: a server that sends one line for ever would take all memory.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest line: of an error, a status, a number.
const LONGEST_LINE: usize = 64 << 10;
/// Most elements of a list.
const MOST_ELEMENTS: u64 = 1 << 20;
/// Most lists inside each other: two are the most that any of our commands is answered with.
const DEEPEST: usize = 16;
/// What a reply may hold besides one value.
const ROOM: u64 = 16 << 20;

/// A connection whose replies have limits.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    replies: Replies,
}

impl<S> Bounded<S> {
    /// With values of this length at the most.
    pub(super) fn new(stream: S, longest: u64) -> Self {
        Self { stream, replies: Replies::new(longest) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        Poll::Ready(this.replies.take(&buffer.filled()[before..]).map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Why a server is listened to no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMuch {
    #[error("it sends a line of more than 64 KiB")]
    Line,
    #[error("it sends a value of {length} bytes, and {longest} are the most that are taken: raise `max_value`")]
    Value { length: u64, longest: u64 },
    #[error("it sends a list of {0} elements")]
    Elements(u64),
    #[error("it sends lists inside lists, more than 16 deep")]
    Depth,
    #[error("it sends a reply of more than {0} bytes")]
    Reply(u64),
    #[error("it sends something else than replies of redis")]
    Nonsense,
}

/// How far the replies have come.
#[derive(Debug)]
struct Replies {
    longest: u64,
    at: At,
    /// Elements that are still to come, of each list that is open.
    open: Vec<u64>,
    /// Bytes of the reply so far.
    length: u64,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// The first byte of a reply or an element.
    Start,
    /// A line; what it counts, if it counts something.
    Line { length: usize, counts: Counts, number: Number },
    /// A value, with the line break behind it.
    Value { left: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Nothing,
    Bytes,
    Elements,
    Pairs,
    /// The same, before what they are about.
    Attributes,
}

/// A number as far as it has come.
#[derive(Clone, Copy, Debug, Default)]
struct Number {
    value: u64,
    is_negative: bool,
    has_digit: bool,
}

impl Number {
    fn take(&mut self, byte: u8) -> Result<(), TooMuch> {
        match byte {
            b'0'..=b'9' => {
                self.value = self.value.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                self.has_digit = true;
            }
            b'-' if !self.has_digit => self.is_negative = true,
            b'+' if !self.has_digit => {}
            b'\r' => {}
            _ => return Err(TooMuch::Nonsense),
        }
        Ok(())
    }
}

impl Replies {
    fn new(longest: u64) -> Self {
        Self { longest, at: At::Start, open: Vec::new(), length: 0 }
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), TooMuch> {
        while let Some(&first) = bytes.first() {
            let taken = match &mut self.at {
                At::Start => {
                    self.at = At::Line { length: 0, counts: counts(first)?, number: Number::default() };
                    1
                }
                At::Line { length, counts, number } => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let line = &bytes[..end.unwrap_or(bytes.len())];
                    *length += line.len();
                    if *length > LONGEST_LINE {
                        return Err(TooMuch::Line);
                    }
                    if *counts != Counts::Nothing {
                        line.iter().try_for_each(|byte| number.take(*byte))?;
                    }
                    let taken = line.len() + usize::from(end.is_some());
                    if end.is_some() {
                        let (counts, number) = (*counts, *number);
                        self.line_ends(counts, number)?;
                    }
                    taken
                }
                At::Value { left } => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    if *left == 0 {
                        self.element_ends();
                    }
                    taken
                }
            };
            self.length += taken as u64;
            if self.length > self.longest + ROOM {
                return Err(TooMuch::Reply(self.longest + ROOM));
            }
            if self.is_between() {
                self.length = 0;
            }
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Whether a reply has ended and the next has not begun.
    fn is_between(&self) -> bool {
        self.open.is_empty() && matches!(self.at, At::Start)
    }

    fn line_ends(&mut self, counts: Counts, number: Number) -> Result<(), TooMuch> {
        if counts == Counts::Nothing {
            self.element_ends();
            return Ok(());
        }
        if !number.has_digit {
            return Err(TooMuch::Nonsense);
        }
        let count = if number.is_negative { 0 } else { number.value };
        if counts == Counts::Bytes {
            if count > self.longest {
                return Err(TooMuch::Value { length: count, longest: self.longest });
            }
            // Less than nothing is no value at all, and has no line break of its own.
            match number.is_negative {
                true => self.element_ends(),
                false => self.at = At::Value { left: count + 2 },
            }
            return Ok(());
        }
        if count > MOST_ELEMENTS {
            return Err(TooMuch::Elements(count));
        }
        let elements = match counts {
            Counts::Pairs => count * 2,
            Counts::Attributes => count * 2 + 1,
            _ => count,
        };
        if elements == 0 {
            self.element_ends();
            return Ok(());
        }
        if self.open.len() == DEEPEST {
            return Err(TooMuch::Depth);
        }
        self.open.push(elements);
        self.at = At::Start;
        Ok(())
    }

    /// Ends an element, and every list that it was the last of.
    fn element_ends(&mut self) {
        self.at = At::Start;
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return;
            }
            self.open.pop();
        }
    }
}

/// What a line counts that begins so.
fn counts(first: u8) -> Result<Counts, TooMuch> {
    Ok(match first {
        b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => Counts::Nothing,
        b'$' | b'!' | b'=' => Counts::Bytes,
        b'*' | b'~' | b'>' => Counts::Elements,
        b'%' => Counts::Pairs,
        b'|' => Counts::Attributes,
        _ => return Err(TooMuch::Nonsense),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn take(bytes: &[u8]) -> Result<bool, TooMuch> {
        let mut replies = Replies::new(1000);
        replies.take(bytes)?;
        Ok(replies.is_between())
    }

    #[test]
    fn replies_are_followed_to_their_ends() {
        for reply in [
            &b"+OK\r\n"[..],
            b"-ERR no\r\n",
            b":-12\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"$3\r\na\nb\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n:1\r\n",
            b"%1\r\n+a\r\n:1\r\n",
            b"|1\r\n+a\r\n:1\r\n+OK\r\n",
            b"+OK\r\n+OK\r\n",
        ] {
            assert_eq!(take(reply), Ok(true), "{}", reply.escape_ascii());
            for end in 1..reply.len() - 1 {
                take(&reply[..end]).expect("the start of a reply");
            }
        }
        assert_eq!(take(b"*2\r\n:1\r\n"), Ok(false));
    }

    #[test]
    fn what_would_have_no_end_is_noticed_before_it_is_kept() {
        let line = [b"+".as_slice(), &[b'a'; LONGEST_LINE + 1]].concat();
        assert_eq!(take(&line), Err(TooMuch::Line));
        let number = [b"$".as_slice(), &[b'1'; LONGEST_LINE + 1]].concat();
        assert_eq!(take(&number), Err(TooMuch::Line));
        assert_eq!(take(b"$1001\r\n"), Err(TooMuch::Value { length: 1001, longest: 1000 }));
        assert!(matches!(take(b"$4611686018427387904\r\n"), Err(TooMuch::Value { .. })));
        assert!(matches!(take(b"$99999999999999999999999\r\n"), Err(TooMuch::Value { .. })));
        assert_eq!(take(b"*4611686018427387904\r\n"), Err(TooMuch::Elements(1 << 62)));
        assert_eq!(take(b"%18446744073709551615\r\n"), Err(TooMuch::Elements(u64::MAX)));
        assert_eq!(take(&b"*1\r\n".repeat(17)), Err(TooMuch::Depth));
        assert_eq!(take(b"HTTP/1.1 200 OK\r\n"), Err(TooMuch::Nonsense));
        assert_eq!(take(b"$?\r\n"), Err(TooMuch::Nonsense));
        let many = [b"*1000000\r\n".as_slice(), b"$1000\r\n"].concat();
        let mut replies = Replies::new(1000);
        replies.take(&many).expect("the start of a list");
        let element = [b"x".repeat(1000).as_slice(), b"\r\n$1000\r\n"].concat();
        let end = (0..20_000).find_map(|_| replies.take(&element).err());
        assert_eq!(end, Some(TooMuch::Reply(1000 + ROOM)));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_reply_is_cut(
            bytes in proptest::collection::vec(prop_oneof![Just(b'*'), Just(b'$'), Just(b'1'), Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..80),
            cut in 0_usize..80,
        ) {
            let cut = cut.min(bytes.len());
            let mut parts = Replies::new(1000);
            let in_parts = parts.take(&bytes[..cut]).and_then(|()| parts.take(&bytes[cut..])).map(|()| parts.is_between());
            prop_assert_eq!(in_parts, take(&bytes));
        }
    }
}
