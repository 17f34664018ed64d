//! Masks of whole grids: a bit a cell, row after row.

use super::Indices;

/// The most rows and columns of a grid that has a flat mask.
pub(crate) const SIDE: u32 = 64;

/// A word more than the largest grid has: a row is written to the word that it begins in and to the next one.
const WORDS: usize = 65;

/// A one in every byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// A bit for each cell of a grid of at most [`SIDE`] rows and columns, row after row, the first cell lowest.
#[derive(Clone, Debug)]
pub(crate) struct Flat([u64; WORDS]);

/// The bits of the colours of all cells of a grid: what is read once for the masks of several colours.
pub(crate) struct ColorBits {
    /// A mask for each of the four bits of a colour.
    bits: [[u64; WORDS]; 4],
    cells: usize,
}

impl ColorBits {
    /// Those of these cells, at most [`SIDE`] squared.
    pub(crate) fn of(cells: &[u8]) -> ColorBits {
        let mut bits = [[0_u64; WORDS]; 4];
        let (chunks, rest) = cells.as_chunks::<8>();
        let mut put = |at: usize, chunk: u64| {
            for (bit, words) in bits.iter_mut().enumerate() {
                words[at / 8] |= gathered(chunk >> bit & ONES) << (at % 8 * 8);
            }
        };
        for (at, chunk) in chunks.iter().enumerate() {
            put(at, u64::from_le_bytes(*chunk));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        put(chunks.len(), u64::from_le_bytes(last));
        ColorBits { bits, cells: cells.len() }
    }

    /// Where the cells are of this colour.
    pub(crate) fn mask_of(&self, color: u8) -> Flat {
        let mut words = [0; WORDS];
        for (at, word) in words.iter_mut().enumerate().take(self.cells.div_ceil(64)) {
            let same = |bit: usize| if color >> bit & 1 == 1 { self.bits[bit][at] } else { !self.bits[bit][at] };
            *word = same(0) & same(1) & same(2) & same(3);
        }
        if color == 0 && !self.cells.is_multiple_of(64) {
            // What is behind the last cell looks like colour 0.
            words[self.cells / 64] &= (1 << (self.cells % 64)) - 1;
        }
        Flat(words)
    }
}

impl Flat {
    /// Where the cells are of this colour. There are at most [`SIDE`] squared.
    pub(crate) fn of_color(cells: &[u8], color: u8) -> Flat {
        let mut words = [0; WORDS];
        let wanted = u64::from(color) * ONES;
        let (chunks, rest) = cells.as_chunks::<8>();
        for (chunks, word) in chunks.chunks(8).zip(&mut words) {
            for (at, chunk) in chunks.iter().enumerate() {
                // Colours are at most 9: a sum sets the highest bit of a byte unless the colours are the same.
                let differs = (u64::from_le_bytes(*chunk) ^ wanted) + 0x7f * ONES;
                *word |= gathered(!differs >> 7 & ONES) << (8 * at);
            }
        }
        let start = cells.len() - rest.len();
        for (at, cell) in rest.iter().enumerate() {
            words[(start + at) / 64] |= u64::from(*cell == color) << ((start + at) % 64);
        }
        Flat(words)
    }

    /// The locations, moved by (rows, columns), that are inside of a grid of this size; `None` if the locations are not stored as
    /// masks or the grid is too large.
    pub(crate) fn of_locations(locations: &Indices, moved: (i64, i64), height: u32, width: u32) -> Option<Flat> {
        let rows = locations.rows()?;
        if height > SIDE || width > SIDE {
            return None;
        }
        let mut flat = Flat([0; WORDS]);
        let inside = u64::MAX >> (SIDE - width);
        let shift = i64::from(locations.left()).saturating_add(moved.1);
        let top = i64::from(locations.top()).saturating_add(moved.0);
        let above = usize::try_from(top.saturating_neg()).unwrap_or(0).min(rows.len());
        let first = top.max(0) as u64;
        let below = u64::from(height).saturating_sub(first) as usize;
        for (at, mask) in rows[above..].iter().take(below).enumerate() {
            let mask = match shift {
                0..=63 => mask << shift,
                -63..=-1 => mask >> -shift,
                _ => 0,
            };
            flat.put_row((first as usize + at) * width as usize, mask & inside);
        }
        Some(flat)
    }

    fn put_row(&mut self, start: usize, mask: u64) {
        let (word, bit) = (start / 64, start % 64);
        self.0[word] |= mask << bit;
        // Shifted in two steps: by 64 at once is not allowed.
        self.0[word + 1] |= mask >> 1 >> (63 - bit);
    }

    /// The masks of the rows of a grid of this width, bit 0 in column 0.
    pub(crate) fn rows(&self, height: u32, width: u32) -> [u64; SIDE as usize] {
        let mut rows = [0; SIDE as usize];
        let inside = u64::MAX >> (SIDE - width);
        for (at, row) in rows.iter_mut().enumerate().take(height as usize) {
            let (word, bit) = (at * width as usize / 64, at * width as usize % 64);
            *row = (self.0[word] >> bit | self.0[word + 1] << 1 << (63 - bit)) & inside;
        }
        rows
    }

    /// What is in either.
    pub(crate) fn or(mut self, other: &Flat) -> Flat {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, others)| *mine |= others);
        self
    }

    /// What is in both.
    pub(crate) fn and(mut self, other: &Flat) -> Flat {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, others)| *mine &= others);
        self
    }

    /// What is in this one and not in the other.
    pub(crate) fn without(mut self, other: &Flat) -> Flat {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, others)| *mine &= !others);
        self
    }

    /// Gives the cells of the mask this colour.
    pub(crate) fn paint(&self, cells: &mut [u8], color: u8) {
        let colors = u64::from(color) * ONES;
        let (chunks, rest) = cells.as_chunks_mut::<8>();
        let start = chunks.len() * 8;
        for (chunks, word) in chunks.chunks_mut(8).zip(&self.0) {
            if *word == 0 {
                continue;
            }
            for (at, chunk) in chunks.iter_mut().enumerate() {
                let mask = spread((word >> (8 * at)) as u8);
                *chunk = (u64::from_le_bytes(*chunk) & !mask | colors & mask).to_le_bytes();
            }
        }
        for (at, cell) in rest.iter_mut().enumerate() {
            if self.0[(start + at) / 64] >> ((start + at) % 64) & 1 == 1 {
                *cell = color;
            }
        }
    }
}

/// The lowest bits of the eight bytes, which are 0 or 1, side by side.
fn gathered(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// A byte of ones for every bit that is set, the lowest first.
fn spread(bits: u8) -> u64 {
    // Every byte keeps the bit that is its own, which a sum carries to the highest one.
    let own = (u64::from(bits) * ONES) & 0x8040_2010_0804_0201;
    ((own + 0x7f * ONES) >> 7 & ONES) * 0xff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        testing,
        value::{Grid, Value},
    };

    fn cells_of(flat: &Flat, count: usize) -> Vec<bool> {
        (0..WORDS * 64).map(|at| flat.0[at / 64] >> (at % 64) & 1 == 1).take(count).collect()
    }

    proptest! {
        #[test]
        fn each_colour_is_found_where_it_is(grid in prop_oneof![testing::grids(9), testing::grids(SIDE)]) {
            let Value::Grid(grid) = grid else { unreachable!("a grid was made") };
            let all = ColorBits::of(grid.cells());
            for color in 0..10 {
                let found = all.mask_of(color);
                let expected: Vec<bool> = grid.cells().iter().map(|cell| *cell == color).collect();
                prop_assert_eq!(&cells_of(&found, expected.len()), &expected);
                prop_assert_eq!(found.0, Flat::of_color(grid.cells(), color).0);
                let count = expected.iter().filter(|is_there| **is_there).count();
                prop_assert_eq!(grid.plane(color).map_or(0, |plane| plane.count() as usize), count);
                prop_assert_eq!(grid.counts()[usize::from(color)] as usize, count);
            }
        }

        #[test]
        fn locations_are_painted_where_they_are_after_the_move(
            locations in testing::indices(),
            (height, width) in prop_oneof![(1..9_u32, 1..9_u32), (1..=SIDE, 1..=SIDE)],
            moved in prop_oneof![4 => (-9..9_i64, -9..9_i64), 1 => (any::<i64>(), any::<i64>())],
        ) {
            let Value::Indices(locations) = locations else { unreachable!("locations were made") };
            let Some(flat) = Flat::of_locations(&locations, moved, height, width) else {
                prop_assert!(locations.rows().is_none());
                return Ok(());
            };
            let mut cells = vec![3; (height * width) as usize];
            flat.paint(&mut cells, 7);
            let grid = Grid::new(height, width, cells);
            for row in 0..height as i32 {
                for column in 0..width as i32 {
                    let from = |at: i32, by: i64| i32::try_from(i64::from(at).saturating_sub(by)).unwrap_or(i32::MAX);
                    let is_there = locations.contains(from(row, moved.0), from(column, moved.1));
                    prop_assert_eq!(grid.at(row, column), Some(if is_there { 7 } else { 3 }));
                }
            }
        }
    }
}
