//! Tensors in a file, whatever its format: where each lies, and its rows, read a few at a time.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
};

use super::{LoadFault, numbers::Stored};

/// Bytes that are read at a time, unless a row has more.
const AT_ONCE: u64 = 1 << 20;

/// Where a tensor lies in its file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TensorLocation {
    pub(crate) stored: Stored,
    /// Length of each dimension; elements of the last lie together.
    pub(crate) shape: Vec<u64>,
    /// Offset in the file. All bytes that the shape takes from there on are in the file.
    pub(crate) begin: u64,
}

/// A file of tensors whose header was read and found to be right.
#[derive(Debug)]
pub(crate) struct TensorFile<R> {
    pub(crate) reader: R,
    pub(crate) tensors: BTreeMap<String, TensorLocation>,
}

/// What gives the rows of tensors by name.
pub(crate) trait Tensors {
    /// The names of all tensors.
    fn names(&self) -> Vec<&str>;

    /// The shape of a tensor, if it is there.
    fn shape(&self, name: &str) -> Option<&[u64]>;

    /// Hands on each row of a tensor, in order, with its index. A tensor of one dimension is one row.
    fn rows(&mut self, name: &str, each: &mut dyn FnMut(usize, &[f32])) -> Result<(), LoadFault>;
}

impl<R: Read + Seek> Tensors for TensorFile<R> {
    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[u64]> {
        self.tensors.get(name).map(|location| location.shape.as_slice())
    }

    fn rows(&mut self, name: &str, each: &mut dyn FnMut(usize, &[f32])) -> Result<(), LoadFault> {
        let location = self.tensors.get(name).ok_or_else(|| LoadFault::MissingTensor(name.to_owned()))?;
        let (row_length, rows) = match location.shape[..] {
            [] => (1, 1),
            [length] => (length, 1),
            [.., length] => (length, location.shape[..location.shape.len() - 1].iter().product()),
        };
        let row_bytes = location.stored.bytes(&[row_length]).unwrap_or(0);
        if row_bytes == 0 || rows == 0 {
            return Ok(());
        }
        let at_once = (AT_ONCE / row_bytes).clamp(1, rows);
        let (mut bytes, mut numbers) = (zeros(at_once * row_bytes, name)?, zeros(at_once * row_length, name)?);
        let row_length = row_length as usize;
        self.reader.seek(SeekFrom::Start(location.begin))?;
        let mut row = 0;
        while row < rows {
            let count = at_once.min(rows - row);
            let (bytes, numbers) =
                (&mut bytes[..(count * row_bytes) as usize], &mut numbers[..count as usize * row_length]);
            self.reader.read_exact(bytes)?;
            location.stored.decode(bytes, numbers);
            for (index, numbers) in numbers.chunks_exact(row_length).enumerate() {
                let index = row as usize + index;
                if let Some(column) = numbers.iter().position(|number| !number.is_finite()) {
                    return Err(LoadFault::NotFinite { tensor: name.to_owned(), row: index, column });
                }
                each(index, numbers);
            }
            row += count;
        }
        Ok(())
    }
}

/// So many zeros, if there is memory for them.
fn zeros<T: Clone + Default>(count: u64, name: &str) -> Result<Vec<T>, LoadFault> {
    let out_of_memory = || LoadFault::OutOfMemory { what: name.to_owned() };
    let count = usize::try_from(count).map_err(|_| out_of_memory())?;
    let mut all = Vec::new();
    all.try_reserve_exact(count).map_err(|_| out_of_memory())?;
    all.resize(count, T::default());
    Ok(all)
}

/// Looks for tensors that overlap, among places from `begin` to `end` in a file.
///
/// # Errors
/// [`LoadFault::Overlap`], with the names of two tensors that do.
pub(super) fn check_overlap(mut places: Vec<(u64, u64, &str)>) -> Result<(), LoadFault> {
    places.retain(|(begin, end, _)| begin < end);
    places.sort_unstable();
    match places.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        Some(pair) => Err(LoadFault::Overlap { first: pair[0].2.to_owned(), second: pair[1].2.to_owned() }),
        None => Ok(()),
    }
}
