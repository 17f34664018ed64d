//! Files of the format GGUF, versions 2 and 3: metadata, tensors, and the data at aligned offsets.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read, Seek, SeekFrom},
};

use super::{
    LoadFault,
    numbers::Stored,
    tensors::{TensorFile, TensorLocation, check_overlap},
};

const MAGIC: [u8; 4] = *b"GGUF";
/// Most entries of metadata, and most tensors.
const MOST: u64 = 1 << 16;
/// Longest name.
const LONGEST_NAME: u64 = 1 << 16;
const MAX_DIMENSIONS: u32 = 4;
const USUAL_ALIGNMENT: u64 = 32;

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A whole number, whatever its width.
    Whole(i128),
    /// A number, whatever its width.
    Number(f64),
    Truth(bool),
    Text(String),
    Texts(Texts),
    /// A list of whole numbers of 32 bits.
    Wholes(Vec<i32>),
    /// A list of 32-bit floats.
    Numbers(Vec<f32>),
    /// A list that was not asked for. It was passed over.
    Passed,
}

/// A list of texts. In memory it takes little more than in the file, however many there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes all texts have together.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// A text; none if there is not one, or it is not UTF-8.
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.bytes[begin..end]).ok()
    }
}

/// The metadata of a file.
pub(crate) type Metadata = BTreeMap<String, Value>;

/// Reads and checks the header of a file. The data are not read. Of the lists, only those asked for are kept: most describe
/// the vocabulary, and are large.
///
/// # Errors
/// [`LoadFault`] unless the tensors lie in the file, aligned and apart from each other, and have names of their own.
pub(crate) fn open<R: Read + Seek>(mut reader: R, lists: &[&str]) -> Result<(TensorFile<R>, Metadata), LoadFault> {
    let length = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let mut header = Header { reader: BufReader::new(&mut reader), position: 0, length };
    let magic = header.bytes("the magic number")?;
    if magic != MAGIC {
        return Err(LoadFault::BadMagic(magic));
    }
    let version = u32::from_le_bytes(header.bytes("the version")?);
    if !matches!(version, 2 | 3) {
        return Err(LoadFault::UnknownVersion(version));
    }
    let tensor_count = header.count("tensors")?;
    let entry_count = header.count("entries of metadata")?;
    let mut metadata = Metadata::new();
    for _ in 0..entry_count {
        let name = header.name()?;
        let value = header.value(lists.contains(&name.as_str()))?;
        if metadata.insert(name.clone(), value).is_some() {
            return Err(LoadFault::Twice(name));
        }
    }
    let alignment = match metadata.get("general.alignment") {
        None => USUAL_ALIGNMENT,
        Some(Value::Whole(alignment)) => u64::try_from(*alignment).unwrap_or(0),
        Some(_) => 0,
    };
    if !alignment.is_power_of_two() || !(8..=1 << 16).contains(&alignment) {
        return Err(LoadFault::BadAlignment(alignment));
    }
    let mut tensors = BTreeMap::new();
    for _ in 0..tensor_count {
        let (name, location) = header.tensor(alignment)?;
        if tensors.insert(name.clone(), location).is_some() {
            return Err(LoadFault::Twice(name));
        }
    }
    let first = header.position.next_multiple_of(alignment);
    drop(header);
    let tensors = placed(tensors, first, length)?;
    Ok((TensorFile { reader, tensors }, metadata))
}

/// The tensors, from offsets in the data to offsets in the file.
fn placed(
    mut tensors: BTreeMap<String, TensorLocation>,
    first: u64,
    length: u64,
) -> Result<BTreeMap<String, TensorLocation>, LoadFault> {
    let data = length.saturating_sub(first);
    let mut extents = Vec::with_capacity(tensors.len());
    for (name, location) in &mut tensors {
        let begin = location.begin;
        let Some(bytes) = location.stored.bytes(&location.shape) else {
            return Err(LoadFault::WrongLength { tensor: name.clone(), found: data, wanted: None });
        };
        let end = begin.saturating_add(bytes);
        if end > data {
            return Err(LoadFault::OutOfRange { tensor: name.clone(), begin, end, length: data });
        }
        location.begin = first + begin;
        extents.push((begin, end, name.as_str()));
    }
    check_overlap(extents)?;
    Ok(tensors)
}

/// The header of a file, read from its begin. Nothing is allocated for more bytes than there are left.
struct Header<R> {
    reader: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Header<R> {
    /// Whether so many more bytes are in the file.
    fn need(&self, what: &'static str, count: u64) -> Result<(), LoadFault> {
        let found = self.length - self.position;
        if count <= found { Ok(()) } else { Err(LoadFault::Truncated { what, needed: count, found }) }
    }

    fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], LoadFault> {
        self.need(what, N as u64)?;
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn word(&mut self, what: &'static str) -> Result<u64, LoadFault> {
        self.bytes(what).map(u64::from_le_bytes)
    }

    fn count(&mut self, what: &'static str) -> Result<u64, LoadFault> {
        match self.word("the header")? {
            found if found > MOST => Err(LoadFault::TooMany { what, found, most: MOST }),
            found => Ok(found),
        }
    }

    fn name(&mut self) -> Result<String, LoadFault> {
        let length = self.word("a name")?;
        if length > LONGEST_NAME {
            return Err(LoadFault::TooMany { what: "bytes of a name", found: length, most: LONGEST_NAME });
        }
        self.text(length)
    }

    /// A text of so many bytes.
    fn text(&mut self, length: u64) -> Result<String, LoadFault> {
        self.need("a text", length)?;
        let out_of_memory = |_| LoadFault::OutOfMemory { what: "a text".to_owned() };
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length as usize).map_err(out_of_memory)?;
        bytes.resize(length as usize, 0);
        self.reader.read_exact(&mut bytes)?;
        self.position += length;
        String::from_utf8(bytes).map_err(|error| LoadFault::WrongKey {
            key: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            why: "it is not UTF-8".to_owned(),
        })
    }

    fn value(&mut self, is_kept: bool) -> Result<Value, LoadFault> {
        let what = "a value";
        let kind = u32::from_le_bytes(self.bytes(what)?);
        Ok(match kind {
            0 => Value::Whole(i128::from(u8::from_le_bytes(self.bytes(what)?))),
            1 => Value::Whole(i128::from(i8::from_le_bytes(self.bytes(what)?))),
            2 => Value::Whole(i128::from(u16::from_le_bytes(self.bytes(what)?))),
            3 => Value::Whole(i128::from(i16::from_le_bytes(self.bytes(what)?))),
            4 => Value::Whole(i128::from(u32::from_le_bytes(self.bytes(what)?))),
            5 => Value::Whole(i128::from(i32::from_le_bytes(self.bytes(what)?))),
            6 => Value::Number(f64::from(f32::from_le_bytes(self.bytes(what)?))),
            7 => Value::Truth(self.bytes::<1>(what)? != [0]),
            8 => {
                let length = self.word("a text")?;
                Value::Text(self.text(length)?)
            }
            9 => self.list(is_kept)?,
            10 => Value::Whole(i128::from(self.word(what)?)),
            11 => Value::Whole(i128::from(i64::from_le_bytes(self.bytes(what)?))),
            12 => Value::Number(f64::from_le_bytes(self.bytes(what)?)),
            _ => return Err(unknown_kind(kind)),
        })
    }

    fn list(&mut self, is_kept: bool) -> Result<Value, LoadFault> {
        let kind = u32::from_le_bytes(self.bytes("a list")?);
        let count = self.word("a list")?;
        let size = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            _ => return Err(unknown_kind(kind)),
        };
        self.need("a list", count.saturating_mul(size))?;
        if is_kept {
            match kind {
                4 | 5 => return Ok(Value::Wholes(self.numbers(count, i32::from_le_bytes)?)),
                6 => return Ok(Value::Numbers(self.numbers(count, f32::from_le_bytes)?)),
                8 => return Ok(Value::Texts(self.texts(count)?)),
                _ => {}
            }
        }
        if kind == 8 {
            for _ in 0..count {
                let length = self.word("a text")?;
                self.pass("a text", length)?;
            }
        } else {
            self.pass("a list", count * size)?;
        }
        Ok(Value::Passed)
    }

    /// So many numbers, which are in the file.
    fn numbers<T>(&mut self, count: u64, decode: impl Fn([u8; 4]) -> T) -> Result<Vec<T>, LoadFault> {
        let mut numbers = reserved(count)?;
        for _ in 0..count {
            numbers.push(decode(self.bytes("a list")?));
        }
        Ok(numbers)
    }

    /// So many texts, of which the file has at least the lengths.
    fn texts(&mut self, count: u64) -> Result<Texts, LoadFault> {
        let mut texts = Texts { bytes: Vec::new(), ends: reserved(count)? };
        for _ in 0..count {
            let length = self.word("a text")?;
            self.need("a text", length)?;
            let begin = texts.bytes.len();
            let out_of_memory = |_| LoadFault::OutOfMemory { what: "a list".to_owned() };
            texts.bytes.try_reserve(length as usize).map_err(out_of_memory)?;
            texts.bytes.resize(begin + length as usize, 0);
            self.reader.read_exact(&mut texts.bytes[begin..])?;
            self.position += length;
            texts.ends.push(texts.bytes.len());
        }
        Ok(texts)
    }

    /// Passes over so many bytes.
    fn pass(&mut self, what: &'static str, count: u64) -> Result<(), LoadFault> {
        self.need(what, count)?;
        // A file is shorter than an offset can be.
        self.reader.seek_relative(count as i64)?;
        self.position += count;
        Ok(())
    }

    fn tensor(&mut self, alignment: u64) -> Result<(String, TensorLocation), LoadFault> {
        let what = "the place of a tensor";
        let name = self.name()?;
        let dimensions = u32::from_le_bytes(self.bytes(what)?);
        if dimensions > MAX_DIMENSIONS {
            let (found, most) = (u64::from(dimensions), u64::from(MAX_DIMENSIONS));
            return Err(LoadFault::TooMany { what: "dimensions of a tensor", found, most });
        }
        let mut shape: Vec<u64> = (0..dimensions).map(|_| self.word(what)).collect::<Result<_, _>>()?;
        // The file has the dimension whose elements lie together first.
        shape.reverse();
        let stored = Stored::of_gguf(u32::from_le_bytes(self.bytes(what)?))?;
        let begin = self.word(what)?;
        if !begin.is_multiple_of(alignment) {
            return Err(LoadFault::Unaligned { tensor: name, begin, alignment });
        }
        Ok((name, TensorLocation { stored, shape, begin }))
    }
}

/// An empty list with room for so many.
fn reserved<T>(count: u64) -> Result<Vec<T>, LoadFault> {
    let mut list = Vec::new();
    let out_of_memory = |_| LoadFault::OutOfMemory { what: "a list".to_owned() };
    list.try_reserve_exact(count as usize).map_err(out_of_memory)?;
    Ok(list)
}

fn unknown_kind(kind: u32) -> LoadFault {
    LoadFault::WrongKey { key: "metadata".to_owned(), why: format!("there are no values of type {kind} here") }
}
