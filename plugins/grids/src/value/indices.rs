//! Sets of locations, stored as masks of rows or as sorted lists.

mod compare;
mod locations;
mod rows;
mod turns;

pub(crate) use compare::Compared;
pub use locations::Locations;
use locations::masks;
use rows::Rows;

/// A set of at least one location (row, column). Ascending order is by row, then by column.
///
/// Sets within a square of 64 are masks of rows; larger ones, sorted lists. What a set is stored as depends on its
/// members alone, so that equal sets are stored alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indices {
    top: i32,
    left: i32,
    bottom: i32,
    right: i32,
    count: u32,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// A mask a row, from `top`; bit 0 is column `left`.
    Rows(Rows),
    /// Sorted, without repetition.
    Cells(Box<[(i32, i32)]>),
}

/// Locations further out than this are members of plain sets: sums of two of them never overflow.
pub const FURTHEST: i32 = 1 << 29;

/// The side of the square within which a set is stored as masks.
const SIDE: i32 = 64;

impl Indices {
    /// The set of these masks of rows, of which the first is row `top` and bit 0 is column `left`; `None` if it is empty.
    #[must_use]
    pub fn from_rows(top: i32, left: i32, rows: &[u64]) -> Option<Indices> {
        let first = rows.iter().position(|row| *row != 0)?;
        let last = rows.iter().rposition(|row| *row != 0)?;
        let rows = &rows[first..=last];
        let (mut all, mut count) = (0, 0);
        for row in rows {
            all |= row;
            count += row.count_ones();
        }
        let shift = all.trailing_zeros();
        let (top, left) = (top + first as i32, left + shift as i32);
        let right = left + (63 - (all >> shift).leading_zeros()) as i32;
        let bottom = top + (last - first) as i32;
        if bottom - top >= SIDE {
            let cells = masks(top, left - shift as i32, rows).collect::<Vec<_>>();
            return Some(Indices { top, left, bottom, right, count, shape: Shape::Cells(cells.into()) });
        }
        let rows = Rows::shifted(rows, shift);
        Some(Indices { top, left, bottom, right, count, shape: Shape::Rows(rows) })
    }

    /// The set of these locations, in any order and with repetitions; `None` if there are none.
    ///
    /// # Panics
    /// If a location is beyond [`FURTHEST`]: a fault of the caller.
    #[must_use]
    pub fn from_cells(mut cells: Vec<(i32, i32)>) -> Option<Indices> {
        let (mut top, mut left, mut bottom, mut right) = (i32::MAX, i32::MAX, i32::MIN, i32::MIN);
        for (row, column) in &cells {
            (top, bottom) = (top.min(*row), bottom.max(*row));
            (left, right) = (left.min(*column), right.max(*column));
        }
        if cells.is_empty() {
            return None;
        }
        assert!(is_near(top, left) && is_near(bottom, right), "a location is beyond the furthest one");
        if bottom - top < SIDE && right - left < SIDE {
            let mut rows = [0_u64; SIDE as usize];
            for (row, column) in &cells {
                rows[(row - top) as usize] |= 1 << (column - left);
            }
            let rows = Rows::from(&rows[..=(bottom - top) as usize]);
            let count = rows.iter().map(|row| row.count_ones()).sum();
            return Some(Indices { top, left, bottom, right, count, shape: Shape::Rows(rows) });
        }
        // Often these are a few sets one after the other, which a stable sort makes use of.
        cells.sort();
        cells.dedup();
        Some(Indices { top, left, bottom, right, count: cells.len() as u32, shape: Shape::Cells(cells.into()) })
    }

    /// The set of these locations, in any order and with repetitions; `None` if there are none. They are gone through twice.
    ///
    /// # Panics
    /// If a location is beyond [`FURTHEST`]: a fault of the caller.
    #[must_use]
    pub fn from_locations(cells: impl Iterator<Item = (i32, i32)> + Clone) -> Option<Indices> {
        let (mut top, mut left, mut bottom, mut right) = (i32::MAX, i32::MAX, i32::MIN, i32::MIN);
        for (row, column) in cells.clone() {
            (top, bottom) = (top.min(row), bottom.max(row));
            (left, right) = (left.min(column), right.max(column));
        }
        if top > bottom {
            return None;
        }
        assert!(is_near(top, left) && is_near(bottom, right), "a location is beyond the furthest one");
        if bottom - top >= SIDE || right - left >= SIDE {
            return Indices::from_cells(cells.collect());
        }
        let mut rows = [0_u64; SIDE as usize];
        for (row, column) in cells {
            rows[(row - top) as usize] |= 1 << (column - left);
        }
        Some(Indices::of_masks([top, left, bottom, right], &rows))
    }

    /// The set of one location.
    #[must_use]
    pub fn of_one(row: i32, column: i32) -> Indices {
        Indices::filled_box(row, column, row, column)
    }

    /// What is in any of the sets; `None` if there are none.
    #[must_use]
    pub fn union_all<'a>(sets: impl Iterator<Item = &'a Indices> + Clone) -> Option<Indices> {
        let first = sets.clone().next()?;
        let [mut top, mut left, mut bottom, mut right] = [first.top, first.left, first.bottom, first.right];
        for set in sets.clone() {
            (top, bottom) = (top.min(set.top), bottom.max(set.bottom));
            (left, right) = (left.min(set.left), right.max(set.right));
        }
        if bottom - top >= SIDE || right - left >= SIDE {
            return Indices::from_cells(sets.flat_map(Indices::iter).collect());
        }
        let mut rows = [0_u64; SIDE as usize];
        sets.for_each(|set| set.add_to(&mut rows, top, left));
        Some(Indices::of_masks([top, left, bottom, right], &rows))
    }

    /// The set of masks whose box is known.
    fn of_masks([top, left, bottom, right]: [i32; 4], rows: &[u64]) -> Indices {
        let rows = Rows::from(&rows[..=(bottom - top) as usize]);
        let count = rows.iter().map(|row| row.count_ones()).sum();
        Indices { top, left, bottom, right, count, shape: Shape::Rows(rows) }
    }

    /// The set of so many locations with these masks, one a row, where the box (top, left, bottom, right), of at most 64 rows and
    /// columns, is that of the locations: bit 0 is column `left`.
    pub(crate) fn of_counted_masks([top, left, bottom, right]: [i32; 4], rows: &[u64], count: u32) -> Indices {
        debug_assert!(rows.len() as i32 == bottom - top + 1 && right - left < SIDE, "a mask is a row of the box");
        debug_assert!(rows.iter().map(|row| row.count_ones()).sum::<u32>() == count, "so many locations");
        Indices { top, left, bottom, right, count, shape: Shape::Rows(rows.into()) }
    }

    /// The box of locations from one corner to the other, both included.
    ///
    /// # Panics
    /// If the second corner is above or left of the first: a fault of the caller.
    #[must_use]
    pub fn filled_box(top: i32, left: i32, bottom: i32, right: i32) -> Indices {
        assert!(bottom >= top && right >= left, "a box has at least one location");
        let count = (bottom - top + 1) as u32 * (right - left + 1) as u32;
        let shape = if bottom - top < SIDE && right - left < SIDE {
            let row = u64::MAX >> (63 - (right - left));
            Shape::Rows(Rows::from(&[row; SIDE as usize][..(bottom - top + 1) as usize]))
        } else {
            Shape::Cells((top..=bottom).flat_map(|row| (left..=right).map(move |column| (row, column))).collect())
        };
        Indices { top, left, bottom, right, count, shape }
    }

    /// The outline of the box of locations from one corner to the other.
    ///
    /// # Panics
    /// If the second corner is above or left of the first: a fault of the caller.
    #[must_use]
    pub fn outline(top: i32, left: i32, bottom: i32, right: i32) -> Indices {
        assert!(bottom >= top && right >= left, "a box has at least one location");
        if bottom - top < SIDE && right - left < SIDE {
            let (all, ends) = (u64::MAX >> (63 - (right - left)), 1 | 1 << (right - left));
            let mut rows = [ends; SIDE as usize];
            let rows = &mut rows[..(bottom - top + 1) as usize];
            rows[0] = all;
            rows[(bottom - top) as usize] = all;
            let count = rows.iter().map(|row| row.count_ones()).sum();
            return Indices { top, left, bottom, right, count, shape: Shape::Rows((&*rows).into()) };
        }
        let sides = (top..=bottom).flat_map(|row| [(row, left), (row, right)]);
        let cells = sides.chain((left..=right).flat_map(|column| [(top, column), (bottom, column)])).collect();
        Indices::from_cells(cells).expect("an outline has locations")
    }

    /// The first location.
    #[must_use]
    pub fn first(&self) -> (i32, i32) {
        match &self.shape {
            Shape::Rows(rows) => (self.top, self.left + rows[0].trailing_zeros() as i32),
            Shape::Cells(cells) => cells[0],
        }
    }

    /// Number of locations.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Least row.
    #[must_use]
    pub fn top(&self) -> i32 {
        self.top
    }

    /// Least column.
    #[must_use]
    pub fn left(&self) -> i32 {
        self.left
    }

    /// Greatest row.
    #[must_use]
    pub fn bottom(&self) -> i32 {
        self.bottom
    }

    /// Greatest column.
    #[must_use]
    pub fn right(&self) -> i32 {
        self.right
    }

    /// Rows from the least to the greatest.
    #[must_use]
    pub fn height(&self) -> i32 {
        self.bottom - self.top + 1
    }

    /// Columns from the least to the greatest.
    #[must_use]
    pub fn width(&self) -> i32 {
        self.right - self.left + 1
    }

    /// The masks of the rows from [`Indices::top`], bit 0 at [`Indices::left`], where the set is stored so.
    #[must_use]
    pub fn rows(&self) -> Option<&[u64]> {
        match &self.shape {
            Shape::Rows(rows) => Some(rows),
            Shape::Cells(_) => None,
        }
    }

    /// The locations, ascending.
    #[must_use]
    pub fn iter(&self) -> Locations<'_> {
        match &self.shape {
            Shape::Rows(rows) => {
                Locations::Rows { row: self.top, left: self.left, mask: rows[0], rest: rows[1..].iter() }
            }
            Shape::Cells(cells) => Locations::Cells(cells.iter()),
        }
    }

    /// The last location.
    #[must_use]
    pub fn last(&self) -> (i32, i32) {
        match &self.shape {
            Shape::Rows(rows) => {
                let mask = rows.last().expect("a set has a row");
                (self.bottom, self.left + (63 - mask.leading_zeros()) as i32)
            }
            Shape::Cells(cells) => *cells.last().expect("a set has a location"),
        }
    }

    /// Whether the location is in the set.
    #[must_use]
    pub fn contains(&self, row: i32, column: i32) -> bool {
        if row < self.top || row > self.bottom || column < self.left || column > self.right {
            return false;
        }
        match &self.shape {
            Shape::Rows(rows) => rows[(row - self.top) as usize] >> (column - self.left) & 1 == 1,
            Shape::Cells(cells) => cells.binary_search(&(row, column)).is_ok(),
        }
    }

    /// The mask of a row, bit 0 at `column`; locations left of it and 64 or more columns right of it are left out.
    #[must_use]
    pub fn row_mask(&self, row: i32, column: i32) -> u64 {
        let Shape::Rows(rows) = &self.shape else {
            let inside = self.iter().filter(|(at, found)| *at == row && (column..column + SIDE).contains(found));
            return inside.fold(0, |mask, (_, found)| mask | 1 << (found - column));
        };
        let Some(mask) = usize::try_from(row - self.top).ok().and_then(|row| rows.get(row)) else { return 0 };
        let shift = self.left - column;
        match shift {
            0..=63 => mask << shift,
            -63..=-1 => mask >> -shift,
            _ => 0,
        }
    }

    /// The set moved by (rows, columns); `None` if it ends up beyond [`FURTHEST`].
    #[must_use]
    pub fn moved(&self, rows: i64, columns: i64) -> Option<Indices> {
        let add = |to: i32, by: i64| i32::try_from(i64::from(to).checked_add(by)?).ok();
        let (top, bottom) = (add(self.top, rows)?, add(self.bottom, rows)?);
        let (left, right) = (add(self.left, columns)?, add(self.right, columns)?);
        if !is_near(top, left) || !is_near(bottom, right) {
            return None;
        }
        let shape = match &self.shape {
            Shape::Rows(masks) => Shape::Rows(masks.clone()),
            Shape::Cells(cells) => {
                let (rows, columns) = (top - self.top, left - self.left);
                Shape::Cells(cells.iter().map(|(row, column)| (row + rows, column + columns)).collect())
            }
        };
        Some(Indices { top, left, bottom, right, count: self.count, shape })
    }

    /// What is in either set.
    #[must_use]
    pub fn union(&self, other: &Indices) -> Indices {
        let (top, left) = (self.top.min(other.top), self.left.min(other.left));
        let (bottom, right) = (self.bottom.max(other.bottom), self.right.max(other.right));
        if let (Shape::Rows(_), Shape::Rows(_)) = (&self.shape, &other.shape)
            && bottom - top < SIDE
            && right - left < SIDE
        {
            let mut rows = [0_u64; SIDE as usize];
            self.add_to(&mut rows, top, left);
            other.add_to(&mut rows, top, left);
            let rows = Rows::from(&rows[..=(bottom - top) as usize]);
            let count = rows.iter().map(|row| row.count_ones()).sum();
            return Indices { top, left, bottom, right, count, shape: Shape::Rows(rows) };
        }
        Indices::from_cells(self.iter().chain(other.iter()).collect()).expect("a union has the members of both")
    }

    /// Sets the bits of these locations in rows whose first is `top`, bit 0 at `left`. The set must be stored as masks, and
    /// lie within.
    pub(crate) fn add_to(&self, into: &mut [u64], top: i32, left: i32) {
        let Shape::Rows(rows) = &self.shape else { unreachable!("asked of masks alone") };
        let shift = self.left - left;
        for (mask, into) in rows.iter().zip(&mut into[(self.top - top) as usize..]) {
            *into |= mask << shift;
        }
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Indices) -> Option<Indices> {
        self.combined(other, |mine, others| mine & others, true)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Indices) -> Option<Indices> {
        self.combined(other, |mine, others| mine & !others, false)
    }

    fn combined(&self, other: &Indices, combine: impl Fn(u64, u64) -> u64, keep_shared: bool) -> Option<Indices> {
        if let (Shape::Rows(rows), Shape::Rows(_)) = (&self.shape, &other.shape) {
            let mut combined = [0_u64; SIDE as usize];
            for (at, (mask, into)) in rows.iter().zip(&mut combined).enumerate() {
                *into = combine(*mask, other.row_mask(self.top + at as i32, self.left));
            }
            return Indices::from_rows(self.top, self.left, &combined[..rows.len()]);
        }
        Indices::from_cells(self.iter().filter(|(row, column)| other.contains(*row, *column) == keep_shared).collect())
    }

    /// Whether every location is in the other set.
    #[must_use]
    pub fn is_subset(&self, other: &Indices) -> bool {
        if self.count > other.count
            || self.top < other.top
            || self.bottom > other.bottom
            || self.left < other.left
            || self.right > other.right
        {
            return false;
        }
        if let (Shape::Rows(rows), Shape::Rows(others)) = (&self.shape, &other.shape) {
            let others = &others[(self.top - other.top) as usize..];
            let shift = self.left - other.left;
            return rows.iter().zip(others).all(|(mask, other)| mask << shift & !other == 0);
        }
        self.iter().all(|(row, column)| other.contains(row, column))
    }

    /// Bytes on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        48 + match &self.shape {
            Shape::Rows(rows) => rows.len() * 8,
            Shape::Cells(cells) => cells.len() * 8,
        }
    }
}

/// Whether a location is within [`FURTHEST`] of the origin.
#[must_use]
pub fn is_near(row: i32, column: i32) -> bool {
    (-FURTHEST..=FURTHEST).contains(&row) && (-FURTHEST..=FURTHEST).contains(&column)
}
