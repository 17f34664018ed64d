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
/// One cell in so many is searched.
const CELLS_PER_SEARCHED: usize = 8;
/// So many cells are searched at least.
const LEAST_SEARCHED: usize = 12;

/// Vectors in cells, each of which has a centre.
#[derive(Clone, Debug)]
pub struct InvertedFile {
    centres: Vectors,
    /// Rows of each cell, ascending.
    rows: Vec<Vec<u32>>,
}

impl InvertedFile {
    /// Puts the rows into about `sqrt(rows)` cells by spherical k-means (Dhillon and Modha 2001).
    #[must_use]
    pub fn new(vectors: &Vectors) -> Self {
        let count = (vectors.len() as f64).sqrt().ceil() as usize;
        let mut random = Random::new(vectors.len() as u64);
        // A partial shuffle (Fisher and Yates): distinct rows, the first of them the first centres.
        let mut order: Vec<u32> = (0..vectors.len() as u32).collect();
        let sample = (count * SAMPLE).min(order.len());
        for index in 0..sample {
            let other = index + random.below((order.len() - index) as u64) as usize;
            order.swap(index, other);
        }
        let sample = &order[..sample];
        let mut centres = Vectors::new(vectors.dimensions());
        for &row in sample.iter().take(count) {
            centres.push(vectors.row(row as usize));
        }
        for _ in 0..ROUNDS {
            let mut sums = vec![vec![0f32; vectors.dimensions()]; centres.len()];
            for &row in sample {
                let vector = vectors.row(row as usize);
                let cell = nearest(&centres, vector);
                for (sum, x) in sums[cell].iter_mut().zip(vector) {
                    *sum += x;
                }
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
        let searched = (self.rows.len() / CELLS_PER_SEARCHED).max(LEAST_SEARCHED);
        let cells = self.centres.nearest(query, searched);
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
    fn vectors_around(topics: u64, count: usize, seed: u64) -> Vectors {
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
        let (vectors, queries) = (vectors_around(200, 6000, 1), vectors_around(200, 100, 2));
        let index = InvertedFile::new(&vectors);
        let mut found = 0;
        for query in queries.rows() {
            let exact: Vec<u32> = vectors.nearest(query, 10).iter().map(|r| r.document).collect();
            found += index.nearest(&vectors, query, 10).iter().filter(|r| exact.contains(&r.document)).count();
        }
        assert!(found >= 950, "recall at 10 is {} of 1000", found);
    }

    #[test]
    fn every_row_is_in_one_cell() {
        let vectors = vectors_around(20, 500, 3);
        let mut rows: Vec<u32> = InvertedFile::new(&vectors).rows.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..500).collect::<Vec<u32>>());
        assert!(InvertedFile::new(&Vectors::new(4)).nearest(&Vectors::new(4), &[1.0; 4], 3).is_empty());
    }
}
