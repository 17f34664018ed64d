//! Approximate search among many vectors: cells around centres (an inverted file, Sivic and Zisserman 2003; Jégou, Douze and
//! Schmid 2011), vectors of the nearest cells scored exactly.
//!
//! Everything is in a fixed order from a fixed seed, so an index is the same in every run. Graph indexes (HNSW) answer
//! faster at the same recall, but those to be had draw their levels from the system's entropy or insert in parallel.

use jackfield_plugin_api::Random;

use crate::{
    rank::{Ranked, best},
    vectors::{Vectors, dot, normalize},
};

/// Rows per cell that centres are learned from.
const SAMPLE: usize = 40;
/// Rounds of k-means; later ones move little.
const ROUNDS: usize = 6;
/// Share of the cells that are looked into: one in so many.
const LOOKED_INTO: usize = 8;
/// Cells that are looked into at least.
const LEAST: usize = 12;

/// Vectors in cells.
#[derive(Clone, Debug)]
pub struct Cells {
    centres: Vectors,
    /// Rows of each cell, ascending.
    rows: Vec<Vec<u32>>,
}

impl Cells {
    /// Puts the rows into about `sqrt(rows)` cells by spherical k-means (Dhillon and Modha 2001).
    #[must_use]
    pub fn new(vectors: &Vectors) -> Self {
        let count = (vectors.len() as f64).sqrt().ceil() as usize;
        let mut random = Random::new(vectors.len() as u64);
        // A partial shuffle (Fisher and Yates): distinct rows, the first of them the first centres.
        let mut order: Vec<u32> = (0..vectors.len() as u32).collect();
        let sample = (count * SAMPLE).min(order.len());
        for at in 0..sample {
            let other = at + random.below((order.len() - at) as u64) as usize;
            order.swap(at, other);
        }
        let sample = &order[..sample];
        let mut centres = Vectors::new(vectors.dimensions());
        sample.iter().take(count).for_each(|&row| centres.push(vectors.row(row as usize)));
        for _ in 0..ROUNDS {
            let mut sums = vec![vec![0f32; vectors.dimensions()]; centres.len()];
            for &row in sample {
                let vector = vectors.row(row as usize);
                let cell = nearest(&centres, vector);
                sums[cell].iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
            }
            let mut moved = Vectors::new(vectors.dimensions());
            for (cell, mut sum) in sums.into_iter().enumerate() {
                normalize(&mut sum);
                // A cell that lost all its rows stays where it is.
                moved.push(if sum.iter().all(|&x| x == 0.0) { centres.row(cell) } else { &sum });
            }
            centres = moved;
        }
        let mut rows = vec![Vec::new(); centres.len()];
        for (row, vector) in vectors.rows().enumerate() {
            rows[nearest(&centres, vector)].push(row as u32);
        }
        Self { centres, rows }
    }

    /// Nearly the `most` rows of `vectors` with the greatest inner products, best first.
    #[must_use]
    pub fn nearest(&self, vectors: &Vectors, query: &[f32], most: usize) -> Vec<Ranked> {
        let looked_into = (self.rows.len() / LOOKED_INTO).max(LEAST);
        let cells = self.centres.nearest(query, looked_into);
        let rows = cells.iter().filter_map(|cell| self.rows.get(cell.document as usize)).flatten();
        best(rows.map(|&row| Ranked { document: row, score: dot(query, vectors.row(row as usize)) }), most)
    }
}

fn nearest(centres: &Vectors, vector: &[f32]) -> usize {
    centres.nearest(vector, 1).first().map_or(0, |best| best.document as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around `topics` directions, as texts have them.
    fn around(topics: u64, count: usize, seed: u64) -> Vectors {
        let dimensions = 32;
        let mut random = Random::new(seed);
        let mut vectors = Vectors::new(dimensions);
        for _ in 0..count {
            let mut topic = Random::new(random.below(topics));
            let mut vector: Vec<f32> =
                (0..dimensions).map(|_| (topic.next_f64() - 0.5 + 0.8 * (random.next_f64() - 0.5)) as f32).collect();
            normalize(&mut vector);
            vectors.push(&vector);
        }
        vectors
    }

    #[test]
    fn nearly_all_of_the_nearest_are_found_in_a_part_of_the_cells() {
        let (vectors, queries) = (around(200, 6000, 1), around(200, 100, 2));
        let cells = Cells::new(&vectors);
        let mut found = 0;
        for query in queries.rows() {
            let exact: Vec<u32> = vectors.nearest(query, 10).iter().map(|r| r.document).collect();
            found += cells.nearest(&vectors, query, 10).iter().filter(|r| exact.contains(&r.document)).count();
        }
        assert!(found >= 950, "recall at 10 is {} of 1000", found);
    }

    #[test]
    fn every_row_is_in_one_cell() {
        let vectors = around(20, 500, 3);
        let mut rows: Vec<u32> = Cells::new(&vectors).rows.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..500).collect::<Vec<u32>>());
        assert!(Cells::new(&Vectors::new(4)).nearest(&Vectors::new(4), &[1.0; 4], 3).is_empty());
    }
}
