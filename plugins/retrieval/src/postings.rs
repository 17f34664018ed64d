//! Vectors that are zero in most dimensions, and exact search among them.

use crate::rank::{Ranked, best, numbered};

/// A dimension and its value. A sparse vector has them in order of the dimensions, each once, none with the value 0.
pub type Element = (u32, f32);

/// Sparse vectors, kept by dimension: for each, the rows that are not zero in it (an inverted index, Zobel and Moffat 2006). A row
/// costs 8 bytes for each of its elements, however many dimensions there are, and a query looks at the lists of its own
/// dimensions alone.
#[derive(Clone, Debug, Default)]
pub struct Postings {
    /// Where the list of each dimension starts, and after the last one where that ends.
    starts: Vec<usize>,
    /// Rows of each list, ascending.
    rows: Vec<u32>,
    /// The values of those rows in the dimension.
    values: Vec<f32>,
    count: usize,
}

impl Postings {
    /// Keeps rows of so many dimensions, numbered in the order given; fewer than 2^32. Elements beyond the dimensions are left
    /// out.
    #[must_use]
    pub fn new(dimensions: usize, given: impl IntoIterator<Item = Vec<Element>>) -> Self {
        let mut elements: Vec<Element> = Vec::new();
        let mut ends = Vec::new();
        let mut starts = vec![0usize; dimensions + 1];
        for row in given {
            for &(dimension, value) in row.iter().filter(|element| (element.0 as usize) < dimensions) {
                starts[dimension as usize + 1] += 1;
                elements.push((dimension, value));
            }
            ends.push(elements.len());
        }
        for dimension in 0..dimensions {
            starts[dimension + 1] += starts[dimension];
        }
        let (mut rows, mut values) = (vec![0u32; elements.len()], vec![0f32; elements.len()]);
        let mut next = starts.clone();
        let mut start = 0;
        for (row, &end) in ends.iter().enumerate() {
            for &(dimension, value) in &elements[start..end] {
                let place = next[dimension as usize];
                rows[place] = row as u32;
                values[place] = value;
                next[dimension as usize] += 1;
            }
            start = end;
        }
        Self { starts, rows, values, count: ends.len() }
    }

    /// How many dimensions there are.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How much memory the lists take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.rows) + size_of_val(&*self.values)
    }

    /// Rows that are not zero in a dimension, and their values there.
    fn list(&self, dimension: usize) -> impl Iterator<Item = (u32, f32)> {
        let list = self.starts[dimension]..self.starts[dimension + 1];
        self.rows[list.clone()].iter().copied().zip(self.values[list].iter().copied())
    }

    /// The inner product of each row and a query, whose elements are in order of the dimensions.
    #[must_use]
    pub fn products(&self, query: &[f32]) -> Vec<f32> {
        let mut products = vec![0f32; self.count];
        for (dimension, &weight) in
            query.iter().take(self.dimensions()).enumerate().filter(|(_, weight)| **weight != 0.0)
        {
            for (row, value) in self.list(dimension) {
                products[row as usize] += weight * value;
            }
        }
        products
    }

    /// The `most` rows with the greatest inner products, best first. Every row is looked at.
    #[must_use]
    pub fn nearest(&self, query: &[f32], most: usize) -> Vec<Ranked> {
        best(numbered(&self.products(query)), most)
    }

    /// Some of the rows, in the order asked for; empty beyond the last. All lists are gone through once.
    #[must_use]
    pub fn rows(&self, wanted: &[usize]) -> Vec<Vec<Element>> {
        let mut places = vec![None; self.count];
        for (place, &row) in wanted.iter().enumerate() {
            if let Some(known) = places.get_mut(row) {
                *known = Some(place);
            }
        }
        let mut found = vec![Vec::new(); wanted.len()];
        for dimension in 0..self.dimensions() {
            for (row, value) in self.list(dimension) {
                if let Some(place) = places[row as usize] {
                    found[place].push((dimension as u32, value));
                }
            }
        }
        found
    }
}

/// The inner product of two sparse vectors.
#[must_use]
pub fn sparse_dot(left: &[Element], right: &[Element]) -> f32 {
    let (mut left_at, mut right_at, mut sum) = (0, 0, 0f32);
    while let (Some(&(left_dimension, x)), Some(&(right_dimension, y))) = (left.get(left_at), right.get(right_at)) {
        if left_dimension == right_dimension {
            sum += x * y;
        }
        left_at += usize::from(left_dimension <= right_dimension);
        right_at += usize::from(right_dimension <= left_dimension);
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vectors::Vectors;

    fn sparse(row: &[f32]) -> Vec<Element> {
        row.iter().enumerate().filter(|(_, value)| **value != 0.0).map(|(at, &value)| (at as u32, value)).collect()
    }

    #[test]
    fn rows_come_back_in_the_order_asked_for() {
        let postings = Postings::new(4, [vec![(1, 0.5)], vec![], vec![(0, 2.0), (3, -1.0), (9, 7.0)]]);
        assert_eq!((postings.len(), postings.dimensions()), (3, 4));
        assert_eq!(postings.rows(&[2, 7, 0]), [vec![(0, 2.0), (3, -1.0)], vec![], vec![(1, 0.5)]]);
        assert_eq!(postings.bytes(), 5 * size_of::<usize>() + 3 * 8);
        assert!(Postings::new(4, []).is_empty() && Postings::default().products(&[1.0]).is_empty());
    }

    proptest! {
        #[test]
        fn products_are_those_of_the_same_vectors_with_their_zeros(
            rows in prop::collection::vec(prop::collection::vec(-2i8..3, 6), 1..12), query in prop::collection::vec(-2i8..3, 6),
        ) {
            let floats = |row: &Vec<i8>| row.iter().copied().map(f32::from).collect::<Vec<f32>>();
            let (rows, query): (Vec<Vec<f32>>, Vec<f32>) = (rows.iter().map(floats).collect(), floats(&query));
            let mut dense = Vectors::new(6);
            rows.iter().for_each(|row| dense.push(row));
            let postings = Postings::new(6, rows.iter().map(|row| sparse(row)));
            prop_assert_eq!(postings.nearest(&query, 5), dense.nearest(&query, 5));
            let products: Vec<f32> = rows.iter().map(|row| sparse_dot(&sparse(row), &sparse(&query))).collect();
            prop_assert_eq!(postings.products(&query), products);
            prop_assert_eq!(postings.rows(&[rows.len() - 1]), vec![sparse(&rows[rows.len() - 1])]);
        }
    }
}
