//! Rows of numbers that are mostly zero, with the zeros left out.

use crate::vectors::Vectors;

/// Sparse rows, one after the other. An entry is a dimension and the value there; those of a row ascend by dimension.
#[derive(Clone, Debug)]
pub struct Rows {
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
    dimensions: usize,
}

impl Rows {
    /// No rows yet, of so many dimensions.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self { starts: vec![0], entries: Vec::new(), dimensions }
    }

    /// The rows of dense vectors.
    #[must_use]
    pub fn of(vectors: &Vectors) -> Self {
        let mut rows = Self::new(vectors.dimensions());
        vectors.rows().for_each(|row| rows.push(entries_of(row)));
        rows
    }

    /// Adds a row. Entries of dimensions that there are not are left out.
    pub fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        let dimensions = self.dimensions;
        self.entries.extend(entries.into_iter().filter(|entry| (entry.0 as usize) < dimensions));
        self.starts.push(self.entries.len());
    }

    /// Length of a row, zeros counted.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries of the row at `index`; none beyond the last.
    #[must_use]
    pub fn row(&self, index: usize) -> &[(u32, f32)] {
        match self.starts.get(index..index.saturating_add(2)) {
            Some(&[start, end]) => &self.entries[start..end],
            _ => &[],
        }
    }
}

/// The entries of a dense vector.
pub fn entries_of(vector: &[f32]) -> impl Iterator<Item = (u32, f32)> + '_ {
    (0u32..).zip(vector.iter().copied()).filter(|(_, value)| *value != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_left_out_and_rows_stay_apart() {
        let mut vectors = Vectors::new(3);
        vectors.push(&[0.0, 2.0, 0.0]);
        vectors.push(&[0.0, 0.0, 0.0]);
        vectors.push(&[1.0, 0.0, 3.0]);
        let rows = Rows::of(&vectors);
        assert_eq!((rows.row(0), rows.row(1)), ([(1, 2.0)].as_slice(), [].as_slice()));
        assert_eq!((rows.row(2), rows.row(3), rows.len()), ([(0, 1.0), (2, 3.0)].as_slice(), [].as_slice(), 3));
    }

    #[test]
    fn a_dimension_that_there_is_not_is_left_out() {
        let mut rows = Rows::new(2);
        rows.push([(0, 1.0), (2, 9.0)]);
        assert_eq!(rows.row(0), [(0, 1.0)]);
    }
}
