//! Items that are records of comma-separated values, each an object of strings by the names of the header.

use std::{
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use csv::ByteRecord;
use jackfield_loader::{escape_untrusted, text_file};
use serde_json::{Map, Value};

use super::{ids::text_as_id, too_large};
use jackfield_engine::{ItemIds, ItemSender, ItemSource, ReceiverGone, composed};

/// Files, each record of which is an item.
pub(super) struct CsvItems {
    pub(super) paths: Vec<PathBuf>,
    /// The column that is the item's id.
    pub(super) id: Option<String>,
    /// What separates the fields.
    pub(super) delimiter: u8,
    /// The most bytes of an item.
    pub(super) max_item_size: u64,
}

impl ItemSource for CsvItems {
    fn count(&self) -> Option<u64> {
        None
    }

    fn ids(&self) -> ItemIds {
        ItemIds::from_field(self.id.clone())
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        self.paths.iter().try_for_each(|path| self.send_records(path, items))
    }
}

impl CsvItems {
    fn send_records(&self, path: &Path, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        let most = self.max_item_size;
        let reader = text_file::open(path).map_err(|error| items.fail(path, error))?;
        let mut records = Records::new(reader, self.delimiter, most);
        let place = |line: u64| format!("line {line} of `{}`", path.display());
        let header = match records.first().map_err(|error| items.fail(path, error))? {
            Next::End => return Ok(()),
            Next::TooLong { line } => return Err(items.fail(path, too_large(&place(line), most))),
            Next::Record { record, .. } => header(&record).map_err(|why| items.fail(path, why))?,
        };
        for repeated in repeated_columns(&header) {
            tracing::warn!("`{}` has {repeated}", path.display());
        }
        loop {
            let (line, document) = match records.next().map_err(|error| items.fail(path, error))? {
                Next::End => return Ok(()),
                Next::TooLong { line } => (line, Err(too_large(&place(line), most))),
                Next::Record { record, line, is_unclosed } => {
                    if is_unclosed {
                        tracing::warn!(
                            "{} has quotes that are not closed: all that follows in the file is one field",
                            place(line)
                        );
                    }
                    (line, object(&header, &record).map_err(|why| format!("{} {why}", place(line))))
                }
            };
            let id = self.id.as_ref();
            let id = id.and_then(|id| document.as_ref().ok().and_then(|value| value.get(id)));
            let id = id.and_then(Value::as_str).and_then(|text| text_as_id(text.to_owned()));
            items.send(id.as_deref(), document.map(|value| Value::Object(value).to_string()), &|| place(line))?;
        }
    }
}

/// The names of the columns. The same name is spelled the same, as ids are.
fn header(record: &ByteRecord) -> Result<Vec<String>, String> {
    let mut names = Vec::with_capacity(record.len());
    for name in record {
        let name =
            std::str::from_utf8(name).map_err(|_| "the header is not UTF-8 text: save the file as UTF-8".to_owned())?;
        names.push(composed(name).into_owned());
    }
    Ok(names)
}

/// The names of the columns of a file, for those who only look what there is; none if it has no record.
///
/// # Errors
/// The file cannot be read, or its header cannot.
pub(super) fn columns_of(path: &Path, delimiter: u8, most: u64) -> Result<Option<Vec<String>>, String> {
    let reader = text_file::open(path).map_err(|error| error.to_string())?;
    match Records::new(reader, delimiter, most).first().map_err(|error| error.to_string())? {
        Next::End => Ok(None),
        Next::TooLong { .. } => Err(too_large("the header", most)),
        Next::Record { record, .. } => header(&record).map(Some),
    }
}

/// Each column that stands more than once in a header, in words.
pub(super) fn repeated_columns(header: &[String]) -> Vec<String> {
    let is_repeated = |at: usize| header[..at].contains(&header[at]) && !header[at + 1..].contains(&header[at]);
    let repeated = (0..header.len()).filter(|at| is_repeated(*at)).map(|at| match header[at].as_str() {
        "" => "several columns without a name: the last one counts".to_owned(),
        name => format!("the column `{}` twice: the last one counts", escape_untrusted(name)),
    });
    repeated.collect()
}

fn object(header: &[String], record: &ByteRecord) -> Result<Map<String, Value>, String> {
    if record.len() != header.len() {
        let fields = |count: usize| format!("{count} field{}", if count == 1 { "" } else { "s" });
        return Err(format!("has {}, the header has {}", fields(record.len()), header.len()));
    }
    let field = |(name, value): (&String, &[u8])| {
        let value = std::str::from_utf8(value).map_err(|_| {
            format!("is not UTF-8 text in the column `{}`: save the file as UTF-8", escape_untrusted(name))
        })?;
        Ok((name.clone(), Value::from(value)))
    };
    header.iter().zip(record).map(field).collect()
}

enum Next {
    /// A record, and the line that it begins in.
    Record {
        record: ByteRecord,
        line: u64,
        /// Whether its quotes go on to the end of the file, and may have taken in what was meant as further records.
        is_unclosed: bool,
    },
    /// One that is larger than it may be. It is passed by, up to where the next one begins.
    TooLong {
        line: u64,
    },
    End,
}

/// Records one by one, each held up to its bound: the parser, which holds all that it is given, is given a record at a time.
struct Records<R> {
    reader: R,
    parser: csv::Reader<Feed>,
    delimiter: u8,
    most: u64,
    line: u64,
    held: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    fn new(reader: R, delimiter: u8, most: u64) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        let parser = builder.delimiter(delimiter).has_headers(false).flexible(true).from_reader(Feed::default());
        Self { reader, parser, delimiter, most, line: 1, held: Vec::new() }
    }

    /// The first record. A line before it that tells Excel what separates the fields, such as `sep=;`, is none.
    fn first(&mut self) -> io::Result<Next> {
        let first = self.next()?;
        let line = self.held.strip_suffix(b"\n").or_else(|| self.held.strip_suffix(b"\r")).unwrap_or(&self.held);
        let names_delimiter = line.strip_prefix(b"sep=") == Some(&[self.delimiter][..]);
        if names_delimiter && b",;|\t".contains(&self.delimiter) { self.next() } else { Ok(first) }
    }

    fn next(&mut self) -> io::Result<Next> {
        loop {
            let line = self.line;
            let Some(Held { fits, is_unclosed }) = self.hold()? else { return Ok(Next::End) };
            if !fits {
                return Ok(Next::TooLong { line });
            }
            if self.held.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                continue;
            }
            let feed = self.parser.get_mut();
            (feed.0, feed.1) = (std::mem::take(&mut self.held), 0);
            let mut record = ByteRecord::new();
            let there = self.parser.read_byte_record(&mut record).map_err(io::Error::other)?;
            self.held = std::mem::take(&mut self.parser.get_mut().0);
            return Ok(if there { Next::Record { record, line, is_unclosed } } else { Next::End });
        }
    }

    /// Holds the bytes of the next record, with its end; none if there is no record.
    fn hold(&mut self) -> io::Result<Option<Held>> {
        self.held.clear();
        self.held.shrink_to(1 << 20);
        let (mut state, mut size) = (State::FieldStart, 0_u64);
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                let is_unclosed = state == State::Quoted;
                return Ok((size > 0).then_some(Held { fits: size <= self.most, is_unclosed }));
            }
            let end = available.iter().position(|byte| {
                state = state.after(*byte, self.delimiter);
                state == State::End
            });
            let taken = end.map_or(available.len(), |end| end + 1);
            self.line += available[..taken].iter().filter(|byte| **byte == b'\n').count() as u64;
            size += taken as u64;
            // The end of a line is no part of the record.
            if size <= self.most.saturating_add(1) {
                self.held.extend_from_slice(&available[..taken]);
            } else {
                self.held = Vec::new();
            }
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(Some(Held { fits: size - 1 <= self.most, is_unclosed: false }));
            }
        }
    }
}

/// How the bytes of a record were held.
struct Held {
    /// Whether there were no more than there may be.
    fits: bool,
    /// Whether its quotes go on to the end of the file.
    is_unclosed: bool,
}

/// Where a byte stands within a record, by the rules of the parser: a quote that does not begin a field is one of its
/// characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote within quotes: a second one is a quote of the field, anything else ends the quotes.
    Quote,
    End,
}

impl State {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::FieldStart, b'"') | (Self::Quote, b'"') => Self::Quoted,
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) => Self::Quoted,
            (_, b'\r' | b'\n') => Self::End,
            (_, byte) if byte == delimiter => Self::FieldStart,
            _ => Self::Plain,
        }
    }
}

/// The bytes of one record, and how many of them are read.
#[derive(Default)]
struct Feed(Vec<u8>, usize);

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.1 += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], most: u64) -> Vec<String> {
        let mut records = Records::new(BufReader::with_capacity(3, text), b',', most);
        let mut read = Vec::new();
        loop {
            match records.next().expect("read") {
                Next::End => return read,
                Next::TooLong { line } => read.push(format!("{line}: too long")),
                Next::Record { record, line, .. } => {
                    let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                    read.push(format!("{line}: {}", fields.join("|")));
                }
            }
        }
    }

    #[test]
    fn a_record_is_held_up_to_its_bound_and_the_next_one_is_whole() {
        let text = b"a,b\r\n\n\"x\ny\",\"1\"\"2\"\n5\" disk,z\nlong,longer,longest\n\"quoted\nand\nlong\",z\nc,d";
        assert_eq!(
            read(text, 12),
            ["1: a|b", "3: x\ny|1\"2", "5: 5\" disk|z", "6: too long", "7: too long", "10: c|d"]
        );
        assert_eq!(read(b"abc\r\nabcd\nab", 3), ["1: abc", "2: too long", "3: ab"]);
        assert_eq!(read(b"a\n\"never\nclosed,\n", 8), ["1: a", "2: too long"]);
    }

    #[test]
    fn a_line_that_names_the_delimiter_is_no_header() {
        let first = |text: &str, delimiter: u8| match Records::new(text.as_bytes(), delimiter, 100).first() {
            Ok(Next::Record { record, line, .. }) => {
                let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                format!("{line}: {}", fields.join("|"))
            }
            _ => String::new(),
        };
        assert_eq!(first("sep=;\r\na;b\r\n", b';'), "2: a|b");
        assert_eq!(first("sep=\t\na\tb\n", b'\t'), "2: a|b");
        assert_eq!(first("sep=;\na;b\n", b','), "1: sep=;");
        assert_eq!(first("sep=,a\n1,2\n", b','), "1: sep=|a");
        assert_eq!(first("sep=;", b';'), "");
    }

    #[test]
    fn quotes_that_are_not_closed_are_noticed() {
        let unclosed = |text: &str| {
            let mut records = Records::new(text.as_bytes(), b',', 100);
            let mut last = None;
            while let Next::Record { line, is_unclosed, .. } = records.next().expect("read") {
                last = Some((line, is_unclosed));
            }
            last
        };
        assert_eq!(unclosed("a,b\n\"c\",\"d\ne,f\n"), Some((2, true)));
        assert_eq!(unclosed("a,b\n\"c\",\"d\""), Some((2, false)));
    }

    proptest! {
        /// The records are those that the parser finds by itself.
        #[test]
        fn records_end_where_the_parser_says(text in "[a\",\r\n]{0,24}") {
            let mut parser = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let whole: Vec<String> = parser
                .byte_records()
                .map(|record| record.expect("a record").iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join("|"))
                .collect();
            let read: Vec<String> =
                read(text.as_bytes(), 100).iter().map(|read| read.split_once(": ").expect("a line").1.to_owned()).collect();
            prop_assert_eq!(read, whole);
        }
    }
}
