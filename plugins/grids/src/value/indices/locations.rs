//! The locations of a set, one after the other.

/// The locations of masks of rows.
pub(super) fn masks(top: i32, left: i32, rows: &[u64]) -> impl Iterator<Item = (i32, i32)> {
    let bits = move |(at, mask): (usize, &u64)| {
        let mask = *mask;
        (0..64).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| (top + at as i32, left + bit))
    };
    rows.iter().enumerate().flat_map(bits)
}

/// The locations of a set, ascending.
#[derive(Clone)]
pub enum Locations<'a> {
    /// Of masks.
    #[doc(hidden)]
    Rows { row: i32, left: i32, mask: u64, rest: std::slice::Iter<'a, u64> },
    /// Of a list.
    #[doc(hidden)]
    Cells(std::slice::Iter<'a, (i32, i32)>),
}

impl Iterator for Locations<'_> {
    type Item = (i32, i32);

    fn next(&mut self) -> Option<(i32, i32)> {
        match self {
            Locations::Rows { row, left, mask, rest } => {
                while *mask == 0 {
                    *mask = *rest.next()?;
                    *row += 1;
                }
                let bit = mask.trailing_zeros();
                *mask &= *mask - 1;
                Some((*row, *left + bit as i32))
            }
            Locations::Cells(cells) => cells.next().copied(),
        }
    }
}
