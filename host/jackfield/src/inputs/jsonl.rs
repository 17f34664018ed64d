//! Items that are lines, each a JSON value.

use std::{
    io::{self, BufRead, Read as _},
    path::{Path, PathBuf},
};

use jackfield_loader::text_file;
use serde_json::value::RawValue;

use super::{fix_of_json, ids::id_in, too_large};
use jackfield_engine::{ItemIds, ItemSender, ItemSource, ReceiverGone};

/// How much of a long line's room is kept for the next one.
const KEPT: usize = 1 << 20;

/// Files, each line of which is an item.
pub(super) struct LineItems {
    pub(super) paths: Vec<PathBuf>,
    /// The field that is the item's id.
    pub(super) id: Option<String>,
    /// The most bytes of an item.
    pub(super) max_item_size: u64,
}

impl ItemSource for LineItems {
    fn count(&self) -> Option<u64> {
        None
    }

    fn ids(&self) -> ItemIds {
        ItemIds::from_field(self.id.clone())
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        self.paths.iter().try_for_each(|path| self.send_lines(path, items))
    }
}

impl LineItems {
    fn send_lines(&self, path: &Path, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        let most = self.max_item_size;
        let mut reader = text_file::open(path).map_err(|error| items.fail(path, error))?;
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            line.shrink_to(KEPT);
            let place = || format!("line {number} of `{}`", path.display());
            let document = match read_line(&mut reader, &mut line, most).map_err(|error| items.fail(path, error))? {
                Line::End => break,
                Line::TooLong => Err(too_large(&place(), most)),
                Line::Whole => match text_of(&line) {
                    [] => continue,
                    text => value(text).map_err(|error| format!("line {number} of `{}` {error}", path.display())),
                },
            };
            let id = self.id.as_deref();
            let id = id.and_then(|id| document.as_ref().ok().and_then(|text| id_in(text, id)));
            items.send(id.as_deref(), document, &place)?;
        }
        Ok(())
    }
}

fn text_of(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

fn value(text: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("is not UTF-8 text (its byte {} is wrong)", error.valid_up_to()))?;
    let read = serde_json::from_str::<&RawValue>(text);
    read.map(|raw| raw.get().to_owned()).map_err(|error| {
        // A document over several lines begins so.
        let several_lines = "; if items have several lines, read them with `use = \"json\"`";
        let fix = if error.is_eof() { several_lines } else { fix_of_json(text, &error) };
        format!("is not a JSON value: {error}{fix}")
    })
}

enum Line {
    Whole,
    /// It is passed by, up to where the next one begins.
    TooLong,
    End,
}

/// Reads a line of at most `most` bytes, its end not counted. However long it is, no more than that is held.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, most: u64) -> io::Result<Line> {
    if reader.by_ref().take(most.saturating_add(1)).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.len() as u64 <= most || line.ends_with(b"\n") {
        return Ok(Line::Whole);
    }
    line.clear();
    line.shrink_to(KEPT);
    reader.skip_until(b'\n')?;
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_line_is_named() {
        let wrong = |text: &[u8]| value(text).expect_err("refused");
        insta::assert_snapshot!(
            [wrong(b"["), wrong(b"{\"a\": NaN}"), wrong(b"\"caf\xe9\""), wrong(b"{} {}"), wrong(b"{'a': 1}")]
                .join("\n")
        );
    }

    #[test]
    fn a_line_is_held_up_to_its_bound_and_the_next_one_is_whole() {
        let mut reader = BufReader::with_capacity(3, &b"abcd\nabcde\r\nx\n\nabcdefghijk"[..]);
        let mut read = || {
            let mut line = Vec::new();
            match read_line(&mut reader, &mut line, 4).expect("read") {
                Line::Whole => String::from_utf8(line).expect("text"),
                Line::TooLong => "too long".to_owned(),
                Line::End => "end".to_owned(),
            }
        };
        let read: Vec<String> = (0..6).map(|_| read()).collect();
        assert_eq!(read, ["abcd\n", "too long", "x\n", "\n", "too long", "end"]);
    }
}
