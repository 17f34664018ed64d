//! Operations on eight cells of a grid at a time: finding a colour, and painting a set of locations.

use super::Indices;

/// The most rows and columns of a grid whose rows are masks.
pub(crate) const SIDE: u32 = 64;

/// A one in every byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Where a row of cells, which begins at `start` and has at most [`SIDE`] of them, has this colour: bit 0 for the first cell.
#[inline]
pub(super) fn color_mask(cells: &[u8], start: usize, width: usize, color: u8) -> u64 {
    let wanted = u64::from(color) * ONES;
    let (mut mask, mut at) = (0, 0);
    while at < width {
        let same = match cells[start + at..].first_chunk::<8>() {
            Some(eight) => gathered(alike(u64::from_le_bytes(*eight), wanted)),
            None => {
                let cells = cells[start + at..].iter();
                cells.rev().fold(0, |mask, cell| mask << 1 | u64::from(*cell == color))
            }
        };
        mask |= same << at;
        at += 8;
    }
    // The last eight may have begun in this row and ended in the next one.
    mask & (u64::MAX >> (SIDE as usize - width))
}

/// Where runs of one colour end in a row of cells, which begins at `start` and has 1 to [`SIDE`] of them: bit 0 for the first cell.
#[inline]
pub(crate) fn run_ends(cells: &[u8], start: usize, width: usize) -> u64 {
    let (mut same, mut at) = (0, 0);
    while at < width {
        let rest = &cells[start + at..];
        let pairs = match (rest.first_chunk::<8>(), rest[1..].first_chunk::<8>()) {
            (Some(ones), Some(others)) => gathered(alike(u64::from_le_bytes(*ones), u64::from_le_bytes(*others))),
            _ => rest.windows(2).rev().fold(0, |same, pair| same << 1 | u64::from(pair[0] == pair[1])),
        };
        same |= pairs << at;
        at += 8;
    }
    let last = 1 << (width - 1);
    (!same | last) & (last | (last - 1))
}

/// Gives a colour to the cells, `width` a row, that are at these locations, moved by (rows, columns); only to those of the colour
/// `only_on`, if there is one. The locations must be stored as masks: none is changed, and false is the answer, if they are not.
pub(crate) fn paint(
    cells: &mut [u8],
    width: u32,
    locations: &Indices,
    moved: (i64, i64),
    color: u8,
    only_on: Option<u8>,
) -> bool {
    let Some(rows) = locations.rows() else { return false };
    let height = cells.len() as u64 / u64::from(width);
    let colors = u64::from(color) * ONES;
    let left = i64::from(locations.left()).saturating_add(moved.1);
    let top = i64::from(locations.top()).saturating_add(moved.0);
    // Columns left of the grid are shifted out of the masks, those right of it cut off.
    let (first, hidden) = (left.max(0) as u64, left.saturating_neg().max(0) as u64);
    let visible = u64::from(width).saturating_sub(first);
    if visible == 0 || hidden >= u64::from(SIDE) {
        return true;
    }
    let inside = if visible < u64::from(SIDE) { !(u64::MAX << visible) } else { u64::MAX };
    let above = usize::try_from(top.saturating_neg()).unwrap_or(0).min(rows.len());
    let top = top.max(0) as u64;
    let below = height.saturating_sub(top) as usize;
    for (row, mask) in rows[above..].iter().take(below).enumerate() {
        let mut mask = mask >> hidden & inside;
        let start = (top as usize + row) * width as usize + first as usize;
        while mask != 0 {
            let at = mask.trailing_zeros();
            paint_eight(&mut cells[start + at as usize..], (mask >> at) as u8, colors, only_on);
            mask &= !(0xff << at);
        }
    }
    true
}

/// Paints those of the next eight cells whose bits are set.
#[inline]
fn paint_eight(cells: &mut [u8], bits: u8, colors: u64, only_on: Option<u8>) {
    if let Some(eight) = cells.first_chunk_mut::<8>() {
        let old = u64::from_le_bytes(*eight);
        let mut mask = spread(bits);
        if let Some(color) = only_on {
            mask &= alike(old, u64::from(color) * ONES) * 0xff;
        }
        *eight = (old & !mask | colors & mask).to_le_bytes();
        return;
    }
    for (at, cell) in cells.iter_mut().enumerate() {
        if bits >> at & 1 == 1 && only_on.is_none_or(|color| *cell == color) {
            *cell = colors as u8;
        }
    }
}

/// A 1 in each byte in which both are the same. Bytes are colours, at most 9.
#[inline]
fn alike(one: u64, other: u64) -> u64 {
    // A sum sets the highest bit of a byte unless the colours are the same.
    !((one ^ other) + 0x7f * ONES) >> 7 & ONES
}

/// The lowest bits of the eight bytes, which are 0 or 1, side by side.
#[inline]
fn gathered(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// A byte of ones for every bit that is set, the lowest first.
#[inline]
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

    proptest! {
        #[test]
        fn each_colour_is_found_where_it_is(grid in prop_oneof![testing::grids(9), testing::grids(SIDE)]) {
            let Value::Grid(grid) = grid else { unreachable!("a grid was made") };
            let width = grid.width() as usize;
            for color in 0..10 {
                for (at, row) in grid.rows().enumerate() {
                    let mask = color_mask(grid.cells(), at * width, width, color);
                    let found: Vec<bool> = (0..64).map(|bit| mask >> bit & 1 == 1).collect();
                    let expected: Vec<bool> = row.iter().map(|cell| *cell == color).collect();
                    prop_assert_eq!(&found[..width], &expected);
                    prop_assert!(found[width..].iter().all(|found| !found));
                    let ends = run_ends(grid.cells(), at * width, width);
                    let expected = (0..64).filter(|at| *at < width && row.get(at + 1) != Some(&row[*at]));
                    prop_assert_eq!(ends, expected.fold(0, |ends, at| ends | 1 << at));
                }
                let count = grid.cells().iter().filter(|cell| **cell == color).count();
                prop_assert_eq!(grid.plane(color).map_or(0, |plane| plane.count() as usize), count);
                prop_assert_eq!(grid.counts()[usize::from(color)] as usize, count);
            }
        }

        #[test]
        fn locations_are_painted_where_they_are_after_the_move(
            locations in testing::indices(),
            (height, width) in prop_oneof![(1..9_u32, 1..9_u32), (1..=SIDE, 1..=SIDE)],
            moved in prop_oneof![4 => (-9..9_i64, -9..9_i64), 1 => (any::<i64>(), any::<i64>())],
            only_on in proptest::option::of(3..5_u8),
        ) {
            let Value::Indices(locations) = locations else { unreachable!("locations were made") };
            let count = (height * width) as usize;
            let before = Grid::new(height, width, (0..count).map(|at| 3 + (at % 7 % 2) as u8).collect());
            let mut cells = before.cells().to_vec();
            if !paint(&mut cells, width, &locations, moved, 7, only_on) {
                prop_assert!(locations.rows().is_none());
                prop_assert_eq!(&cells, before.cells());
                return Ok(());
            }
            let grid = Grid::new(height, width, cells);
            for row in 0..height as i32 {
                for column in 0..width as i32 {
                    let from = |at: i32, by: i64| i32::try_from(i64::from(at).saturating_sub(by)).unwrap_or(i32::MAX);
                    let is_there = locations.contains(from(row, moved.0), from(column, moved.1));
                    let old = before.at(row, column);
                    let painted = is_there && (only_on.is_none() || only_on == old);
                    prop_assert_eq!(grid.at(row, column), if painted { Some(7) } else { old });
                }
            }
        }
    }
}
