//! Sets of locations mirrored, transposed and enlarged.

use super::{Indices, SIDE, Shape, is_near};

impl Indices {
    /// Row i becomes row `sum` - i; `None` if the set ends up beyond [`super::FURTHEST`].
    #[must_use]
    pub fn with_rows_mirrored(&self, sum: i64) -> Option<Indices> {
        let (top, bottom) = (near(sum - i64::from(self.bottom))?, near(sum - i64::from(self.top))?);
        let shape = match &self.shape {
            Shape::Rows(rows) => Shape::Rows(rows.iter().rev().copied().collect()),
            Shape::Cells(cells) => {
                let row = |row: i32| top + (self.bottom - row);
                return Indices::from_cells(cells.iter().map(|(i, j)| (row(*i), *j)).collect());
            }
        };
        Some(Indices { top, bottom, left: self.left, right: self.right, count: self.count, shape })
    }

    /// Column j becomes column `sum` - j; `None` if the set ends up beyond [`super::FURTHEST`].
    #[must_use]
    pub fn with_columns_mirrored(&self, sum: i64) -> Option<Indices> {
        let (left, right) = (near(sum - i64::from(self.right))?, near(sum - i64::from(self.left))?);
        let shape = match &self.shape {
            Shape::Rows(rows) => {
                let spare = SIDE - self.width();
                Shape::Rows(rows.iter().map(|row| row.reverse_bits() >> spare).collect())
            }
            Shape::Cells(cells) => {
                let column = |column: i32| left + (self.right - column);
                return Indices::from_cells(cells.iter().map(|(i, j)| (*i, column(*j))).collect());
            }
        };
        Some(Indices { top: self.top, bottom: self.bottom, left, right, count: self.count, shape })
    }

    /// Location (i, j) becomes (j + `offset`, i - `offset`); `None` if the set ends up beyond [`super::FURTHEST`].
    #[must_use]
    pub fn transposed(&self, offset: i64) -> Option<Indices> {
        let (top, bottom) = (near(i64::from(self.left) + offset)?, near(i64::from(self.right) + offset)?);
        let (left, right) = (near(i64::from(self.top) - offset)?, near(i64::from(self.bottom) - offset)?);
        let shape = match &self.shape {
            Shape::Rows(rows) => {
                let mut columns = vec![0_u64; self.width() as usize];
                for (at, row) in rows.iter().enumerate() {
                    let mut mask = *row;
                    while mask != 0 {
                        columns[mask.trailing_zeros() as usize] |= 1 << at;
                        mask &= mask - 1;
                    }
                }
                Shape::Rows(columns.into())
            }
            Shape::Cells(cells) => {
                let turned = |(i, j): &(i32, i32)| (top + (j - self.left), left + (i - self.top));
                return Indices::from_cells(cells.iter().map(turned).collect());
            }
        };
        Some(Indices { top, bottom, left, right, count: self.count, shape })
    }

    /// Every location becomes a square of `factor` rows and columns; the location `origin`, which is neither below nor right of any,
    /// stays. `None` if the set ends up beyond [`super::FURTHEST`]. `factor` is at least 1.
    #[must_use]
    pub fn enlarged(&self, factor: i64, origin: (i32, i32)) -> Option<Indices> {
        let grown = |at: i32, from: i32| {
            let distance = (i64::from(at) - i64::from(from)).checked_mul(factor)?;
            near(i64::from(from).checked_add(distance)?)
        };
        let (top, left) = (grown(self.top, origin.0)?, grown(self.left, origin.1)?);
        let last = |at: i32, from: i32| near(i64::from(grown(at, from)?).checked_add(factor - 1)?);
        let (bottom, right) = (last(self.bottom, origin.0)?, last(self.right, origin.1)?);
        let count = u32::try_from(i64::from(self.count).checked_mul(factor.checked_mul(factor)?)?).ok()?;
        let factor = factor as i32;
        if let Shape::Rows(rows) = &self.shape
            && bottom - top < SIDE
            && right - left < SIDE
        {
            let square = u64::MAX >> (SIDE - factor);
            let mut grown = Vec::with_capacity((bottom - top + 1) as usize);
            for row in rows.iter() {
                let (mut mask, mut wide) = (*row, 0);
                while mask != 0 {
                    wide |= square << (mask.trailing_zeros() as i32 * factor);
                    mask &= mask - 1;
                }
                grown.extend(std::iter::repeat_n(wide, factor as usize));
            }
            return Some(Indices { top, bottom, left, right, count, shape: Shape::Rows(grown.into()) });
        }
        let mut cells = Vec::with_capacity(count as usize);
        for (i, j) in self.iter() {
            let (row, column) = (top + (i - self.top) * factor, left + (j - self.left) * factor);
            cells.extend((0..factor).flat_map(|down| (0..factor).map(move |across| (row + down, column + across))));
        }
        Indices::from_cells(cells)
    }
}

/// A row or a column, if it is within [`super::FURTHEST`].
fn near(at: i64) -> Option<i32> {
    i32::try_from(at).ok().filter(|at| is_near(*at, 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{testing, value::FURTHEST};

    proptest! {
        #[test]
        fn every_location_is_turned_and_enlarged_as_said(
            cells in proptest::collection::vec(testing::locations(), 1..20),
            sum in -20..20_i64,
            factor in 1..6_i64,
        ) {
            let set = Indices::from_cells(cells.clone()).expect("there are locations");
            let by = sum as i32;
            let check = |turned: Option<Indices>, each: &dyn Fn(i32, i32) -> Vec<(i32, i32)>| {
                let expected = cells.iter().flat_map(|(row, column)| each(*row, *column)).collect();
                prop_assert_eq!(turned, Indices::from_cells(expected));
                Ok(())
            };
            check(set.with_rows_mirrored(sum), &|i, j| vec![(by - i, j)])?;
            check(set.with_columns_mirrored(sum), &|i, j| vec![(i, by - j)])?;
            check(set.transposed(sum), &|i, j| vec![(j + by, i - by)])?;
            let (top, left) = (set.top() - 1, set.left());
            let times = factor as i32;
            check(set.enlarged(factor, (top, left)), &|i, j| {
                let (row, column) = (top + (i - top) * times, left + (j - left) * times);
                (0..times * times).map(|at| (row + at / times, column + at % times)).collect()
            })?;
        }
    }

    #[test]
    fn a_set_that_ends_up_too_far_out_is_none() {
        let set = Indices::from_cells(vec![(FURTHEST, 0), (0, -FURTHEST)]).expect("there are locations");
        assert_eq!(set.with_rows_mirrored(-1), None);
        assert_eq!(set.with_columns_mirrored(1), None);
        assert_eq!(set.transposed(-1), None);
        assert_eq!(set.enlarged(2, (0, -FURTHEST)), None);
        assert_eq!(set.enlarged(i64::MAX, (0, -FURTHEST)), None);
    }
}
