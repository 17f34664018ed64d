//! Measurements of sets of locations: distances, sums, and shared rows and columns.

use super::{Indices, Object};

/// Rows or columns that have a location: a bit for each, from the one at `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    bits: u64,
    first: i32,
}

impl Taken {
    /// Whether one is in both.
    pub(crate) fn meets(self, other: Taken) -> bool {
        aligned(self.bits, self.first - other.first) & other.bits != 0
    }

    /// Those of all parts; nothing for more than 64 from the least to the greatest.
    fn all(parts: impl Iterator<Item = Option<Taken>>, first: i32, last: i32) -> Option<Taken> {
        let mut bits = 0;
        for part in parts {
            let part = part.filter(|_| last - first < 64)?;
            bits |= aligned(part.bits, part.first - first);
        }
        Some(Taken { bits, first })
    }
}

impl Object {
    /// The rows that have a cell; nothing if the object is not stored as masks, or has more than 64.
    pub(crate) fn taken_rows(&self) -> Option<Taken> {
        Taken::all(self.planes().iter().map(|(_, plane)| plane.taken_rows()), self.top(), self.bottom())
    }

    /// The columns that have a cell; nothing if the object is not stored as masks, or has more than 64.
    pub(crate) fn taken_columns(&self) -> Option<Taken> {
        Taken::all(self.planes().iter().map(|(_, plane)| plane.taken_columns()), self.left(), self.right())
    }
}

impl Indices {
    /// The rows that have a location; nothing if the set is not stored as masks.
    pub(crate) fn taken_rows(&self) -> Option<Taken> {
        let bit = |(at, row): (usize, &u64)| u64::from(*row != 0) << at;
        let bits = self.rows()?.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
        Some(Taken { bits, first: self.top() })
    }

    /// The columns that have a location; nothing if the set is not stored as masks.
    pub(crate) fn taken_columns(&self) -> Option<Taken> {
        Some(Taken { bits: self.rows()?.iter().fold(0, |all, row| all | row), first: self.left() })
    }

    /// The least city-block distance between a location of this set and one of the other; nothing if one of them is not stored
    /// as masks.
    #[must_use]
    pub fn distance(&self, other: &Indices) -> Option<u32> {
        let (rows, others) = (self.rows()?, other.rows()?);
        let shift = self.left() - other.left();
        let mut least = u32::MAX;
        for (row, mask) in (self.top()..).zip(rows).filter(|(_, mask)| **mask != 0) {
            for (other_row, other) in (other.top()..).zip(others).filter(|(_, mask)| **mask != 0) {
                let apart = row.abs_diff(other_row);
                if apart < least {
                    least = least.min(apart + gap(*mask, *other, shift));
                }
            }
            if least == 0 {
                break;
            }
        }
        Some(least)
    }

    /// The sum of the rows and the sum of the columns of all locations.
    #[must_use]
    pub fn sums(&self) -> (i64, i64) {
        let Some(masks) = self.rows() else {
            let add = |(rows, columns), (row, column)| (rows + i64::from(row), columns + i64::from(column));
            return self.iter().fold((0, 0), add);
        };
        let (mut rows, mut columns) = (0, i64::from(self.left()) * i64::from(self.count()));
        for (row, mask) in (i64::from(self.top())..).zip(masks) {
            rows += row * i64::from(mask.count_ones());
            // Each digit of the columns on its own.
            for (digit, columns_with_it) in DIGITS.iter().enumerate() {
                columns += i64::from((mask & columns_with_it).count_ones()) << digit;
            }
        }
        (rows, columns)
    }
}

/// The columns 0..64 that have this binary digit.
const DIGITS: [u64; 6] = [
    0xaaaa_aaaa_aaaa_aaaa,
    0xcccc_cccc_cccc_cccc,
    0xf0f0_f0f0_f0f0_f0f0,
    0xff00_ff00_ff00_ff00,
    0xffff_0000_ffff_0000,
    0xffff_ffff_0000_0000,
];

/// A mask so many columns further right, without what leaves it.
fn aligned(mask: u64, shift: i32) -> u64 {
    match shift {
        0..=63 => mask << shift,
        -63..=-1 => mask >> -shift,
        _ => 0,
    }
}

/// The least distance between a bit of `mask`, which lies `shift` columns further right than it says, and one of `other`. Both have
/// one.
fn gap(mask: u64, other: u64, shift: i32) -> u32 {
    if aligned(mask, shift) & other != 0 {
        return 0;
    }
    // Where no bits meet, the ends of runs are the nearest.
    let mut ends = mask & !(mask << 1 & mask >> 1);
    let mut least = u32::MAX;
    while ends != 0 {
        let at = ends.trailing_zeros() as i32 + shift;
        ends &= ends - 1;
        let near = match at {
            0..=63 => {
                let (right, left) = (other >> at, other << (63 - at));
                let right = if right == 0 { u32::MAX } else { right.trailing_zeros() };
                right.min(if left == 0 { u32::MAX } else { left.leading_zeros() })
            }
            ..=-1 => (other.trailing_zeros() as i32).abs_diff(at),
            _ => at.abs_diff(63 - other.leading_zeros() as i32),
        };
        least = least.min(near);
    }
    least
}
