//! Vectors in rows, and exact search among them.

use crate::rank::{Ranked, best};

/// Products summed side by side, so that the compiler can keep them in vector registers.
const LANES: usize = 16;

/// Rows of 32-bit floats, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    dimensions: usize,
    data: Vec<f32>,
}

impl Vectors {
    /// No rows yet, of so many dimensions.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, data: Vec::new() }
    }

    /// Adds a row; a shorter one is filled with zeros, a longer one cut.
    pub fn push(&mut self, row: &[f32]) {
        let end = self.data.len() + self.dimensions;
        self.data.extend(row.iter().take(self.dimensions));
        self.data.resize(end, 0.0);
    }

    /// Adds the rows of another, which has as many dimensions.
    pub fn append(&mut self, other: &Self) {
        for row in other.rows() {
            self.push(row);
        }
    }

    /// Length of a row.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dimensions).unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The row at `index`; empty beyond the last.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        let start = index.saturating_mul(self.dimensions);
        self.data.get(start..start.saturating_add(self.dimensions)).unwrap_or_default()
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.dimensions.max(1))
    }

    /// The `most` rows with the greatest inner products, best first. Every row is looked at.
    #[must_use]
    pub fn nearest(&self, query: &[f32], most: usize) -> Vec<Ranked> {
        let scores = self.rows().enumerate();
        best(scores.map(|(row, vector)| Ranked { document: row as u32, score: dot(query, vector) }), most)
    }
}

/// Inner product, over the length of the shorter. Sums are taken in an order of its own, the same on every machine.
#[must_use]
pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    let length = left.len().min(right.len());
    let (left, right) = (&left[..length], &right[..length]);
    let mut sums = [0f32; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + rest
}

/// Gives a vector the length 1; zero stays zero.
pub fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm > 0.0 && norm.is_finite() {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_row_is_the_one_in_the_same_direction() {
        let mut vectors = Vectors::new(3);
        for row in [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 1.0, 0.0]] {
            vectors.push(&row);
        }
        let found: Vec<u32> = vectors.nearest(&[0.0, 0.6, 0.8], 2).iter().map(|r| r.document).collect();
        assert_eq!(found, [1, 2]);
        assert!(vectors.row(7).is_empty());
    }

    proptest! {
        #[test]
        fn inner_products_are_those_of_a_plain_sum(pairs in prop::collection::vec((-9i8..9, -9i8..9), 0..70)) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.iter().map(|&(l, r)| (f32::from(l), f32::from(r))).unzip();
            let plain: i32 = pairs.iter().map(|&(l, r)| i32::from(l) * i32::from(r)).sum();
            prop_assert_eq!(dot(&left, &right), plain as f32);
        }
    }
}
