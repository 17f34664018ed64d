//! Files of the format safetensors: eight bytes with the length of a header, the header in JSON, the data.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read, Seek, SeekFrom},
};

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};

use super::{
    LoadFault,
    error::POINTER,
    numbers::Stored,
    tensors::{TensorFile, TensorLocation, check_overlap},
};

/// Longest header that is read. One of a hundred thousand tensors is shorter.
const LONGEST_HEADER: u64 = 16 << 20;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

/// Reads and checks the header of a file. The data are not read.
///
/// # Errors
/// [`LoadFault`] unless the tensors cover the data exactly, each as long as its shape says, and with names of their own.
pub(crate) fn open<R: Read + Seek>(reader: R) -> Result<TensorFile<R>, LoadFault> {
    open_without(reader, |_| false)
}

/// The same, without the tensors whose names are skipped, which may be of any type.
///
/// # Errors
/// As for [`open`].
pub(crate) fn open_without<R: Read + Seek>(
    mut reader: R,
    is_skipped: impl Fn(&str) -> bool,
) -> Result<TensorFile<R>, LoadFault> {
    let length = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let truncated = |needed| LoadFault::Truncated { what: "the header", needed, found: length };
    if length < 8 {
        return Err(truncated(8));
    }
    let mut word = [0; 8];
    reader.read_exact(&mut word)?;
    let header_length = u64::from_le_bytes(word);
    if POINTER.starts_with(&word) {
        return Err(LoadFault::Pointer);
    }
    if header_length > LONGEST_HEADER {
        return Err(LoadFault::TooMany { what: "bytes of header", found: header_length, most: LONGEST_HEADER });
    }
    if header_length > length - 8 {
        return Err(truncated(header_length + 8));
    }
    let mut header = vec![0; header_length as usize];
    reader.read_exact(&mut header)?;
    let header: Header = serde_json::from_slice(&header).map_err(|error| LoadFault::NotJson(error.to_string()))?;
    Ok(TensorFile { reader, tensors: places(header, 8 + header_length, length - 8 - header_length, &is_skipped)? })
}

/// Where tensors lie in a file whose data begin at `first` and have `length` bytes.
fn places(
    header: Header,
    first: u64,
    length: u64,
    is_skipped: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, TensorLocation>, LoadFault> {
    let mut extents = Vec::with_capacity(header.0.len());
    let mut tensors = BTreeMap::new();
    for (name, entry) in &header.0 {
        let [begin, end] = entry.data_offsets;
        if begin > end || end > length {
            return Err(LoadFault::OutOfRange { tensor: name.clone(), begin, end, length });
        }
        if is_skipped(name) {
            extents.push((begin, end, name.as_str()));
            continue;
        }
        let stored = Stored::of_safetensors(&entry.dtype)?;
        let wanted = stored.bytes(&entry.shape);
        if entry.shape.len() > MAX_DIMENSIONS || wanted != Some(end - begin) {
            return Err(LoadFault::WrongLength { tensor: name.clone(), found: end - begin, wanted });
        }
        extents.push((begin, end, name.as_str()));
        let location = TensorLocation { stored, shape: entry.shape.clone(), begin: first + begin };
        if tensors.insert(name.clone(), location).is_some() {
            return Err(LoadFault::Twice(name.clone()));
        }
    }
    check_overlap(extents.clone())?;
    extents.sort_unstable();
    let mut covered = 0;
    for (begin, end, _) in extents.into_iter().chain([(length, length, "")]) {
        if begin > covered {
            return Err(LoadFault::Gap { begin: covered, end: begin });
        }
        covered = covered.max(end);
    }
    Ok(tensors)
}

/// A header: what it says of each tensor, in order, a name that stands there twice included.
struct Header(Vec<(String, Entry)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the tensors of a file")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<BTreeMap<String, String>>()?;
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Header(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::load::tensors::Tensors;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend((0..data).map(|index| index as u8));
        bytes
    }

    fn fault(header: &str, data: usize) -> String {
        open(Cursor::new(file(header, data))).expect_err("it is wrong").to_string()
    }

    const GOOD: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[4,12]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#;

    #[test]
    fn rows_are_read_where_the_header_says() {
        let mut opened = open(Cursor::new(file(GOOD, 12))).expect("it is right");
        assert_eq!(opened.names(), ["a", "b"]);
        assert_eq!(opened.shape("b"), Some(&[2, 2][..]));
        let mut rows = Vec::new();
        opened.rows("b", &mut |index, row| rows.push((index, row.to_vec()))).expect("it can be read");
        let half = |low: u8| super::super::numbers::half(u16::from_le_bytes([low, low + 1]));
        assert_eq!(rows, [(0, vec![half(4), half(6)]), (1, vec![half(8), half(10)])]);
        assert!(matches!(opened.rows("c", &mut |_, _| ()), Err(LoadFault::MissingTensor(_))));
    }

    #[test]
    fn each_fault_of_a_header_is_named() {
        let tensor = |offsets: &str, shape: &str| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        let two = |first: &str, second: &str| {
            let entry = |offsets: &str| format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#);
            format!(r#"{{"a":{},"b":{}}}"#, entry(first), entry(second))
        };
        for (header, data, wanted) in [
            (tensor("[0,8]", "[2]"), 4, "the tensor `a` lies at 0 to 8, but there are 4 bytes of data"),
            (tensor("[8,0]", "[2]"), 8, "the tensor `a` lies at 8 to 0, but there are 8 bytes of data"),
            (tensor("[0,4]", "[2]"), 4, "the tensor `a` has 4 bytes, but its shape takes 8"),
            (tensor("[0,4]", "[18446744073709551615,9]"), 4, "the tensor `a` has 4 bytes, and its shape cannot be"),
            (tensor("[0,4]", "[1]"), 9, "the bytes 4 to 9 of the data belong to no tensor"),
            (tensor("[0,0]", "[0]"), 1, "the bytes 0 to 1 of the data belong to no tensor"),
            (two("[0,4]", "[3,7]"), 8, "the tensors `a` and `b` overlap"),
            (two("[0,4]", "[0,4]"), 4, "the tensors `a` and `b` overlap"),
            (two("[0,4]", "[5,9]"), 9, "the bytes 4 to 5 of the data belong to no tensor"),
            (two("[0,4]", "[4,8]").replace("\"b\"", "\"a\""), 8, "`a` stands there twice"),
            (tensor("[0,4]", "[1]").replace("F32", "I4"), 4, "the type `I4` is not read here"),
            ("{".to_owned(), 0, "it is not the JSON it should be"),
            ("[]".to_owned(), 0, "it is not the JSON it should be"),
            (tensor("[0,4]", "[-1]"), 4, "it is not the JSON it should be"),
        ] {
            let found = fault(&header, data);
            assert!(found.starts_with(wanted), "{header}: {found}");
        }
    }

    #[test]
    fn a_header_is_not_read_before_its_length_is_known_to_be_right() {
        for (length, wanted) in
            [(u64::MAX, "bytes of header, more than"), (1 << 20, "it is cut short"), (5, "cut short")]
        {
            let mut bytes = file("{}", 0);
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            let found = open(Cursor::new(bytes)).expect_err("it is wrong").to_string();
            assert!(found.contains(wanted), "{length}: {found}");
        }
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n".to_vec();
        let found = open(Cursor::new(pointer)).expect_err("it is a pointer").to_string();
        assert!(found.contains("`git lfs pull` gets that"), "{found}");
        for keep in 0..8 {
            let cut = file("{}", 0)[..keep].to_vec();
            assert!(matches!(open(Cursor::new(cut)), Err(LoadFault::Truncated { .. })), "{keep}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn damaged_files_are_refused_or_read_and_never_more(
            index in 0..200_usize, byte in any::<u8>(), keep in 0..200_usize,
        ) {
            let mut bytes = file(GOOD, 12);
            let index = index % bytes.len();
            bytes[index] = byte;
            bytes.truncate(bytes.len() - keep % 12);
            if let Ok(mut opened) = open(Cursor::new(bytes)) {
                let names: Vec<String> = opened.names().into_iter().map(str::to_owned).collect();
                for name in names {
                    let _ = opened.rows(&name, &mut |_, row| assert!(row.iter().all(|x| x.is_finite())));
                }
            }
        }
    }
}
