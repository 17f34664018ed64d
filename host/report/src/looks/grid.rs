//! Grids of cells, and where two of them differ.

use serde_json::Value;

/// The colours of the numbers from 0 to 9: red, green, blue.
pub const COLOURS: [[u8; 3]; 10] = [
    [0x00, 0x00, 0x00],
    [0x00, 0x74, 0xd9],
    [0xff, 0x41, 0x36],
    [0x2e, 0xcc, 0x40],
    [0xff, 0xdc, 0x00],
    [0xaa, 0xaa, 0xaa],
    [0xf0, 0x12, 0xbe],
    [0xff, 0x85, 0x1b],
    [0x7f, 0xdb, 0xff],
    [0x87, 0x0c, 0x25],
];

/// The most rows, and the most columns, of a grid that are drawn.
pub const LARGEST: usize = 64;

/// A grid: at least one row and one column, and in each cell a number from 0 to 9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    cells: Vec<u8>,
}

impl Grid {
    /// Reads a grid.
    ///
    /// # Errors
    /// Why the value is not a grid, in words that fit after "it is not a grid:".
    pub fn read(value: &Value) -> Result<Self, String> {
        let Some(rows) = value.as_array() else { return Err("it is not a list of rows".to_owned()) };
        let mut cells = Vec::new();
        let mut width = 0;
        for (index, row) in rows.iter().enumerate() {
            let Some(row) = row.as_array() else { return Err(format!("[{index}] is not a list of cells")) };
            if index == 0 {
                width = row.len();
            } else if row.len() != width {
                return Err(format!("row [{index}] has {} cells and row [0] has {width}", row.len()));
            }
            for (column, cell) in row.iter().enumerate() {
                match cell.as_u64() {
                    Some(number @ 0..=9) => cells.push(number as u8),
                    _ => return Err(format!("[{index}][{column}] is not an integer from 0 to 9")),
                }
            }
        }
        if cells.is_empty() {
            return Err("it has no cells".to_owned());
        }
        Ok(Self { width, height: rows.len(), cells })
    }

    /// The number in a cell; none outside of the grid.
    pub fn cell(&self, row: usize, column: usize) -> Option<u8> {
        (column < self.width).then(|| self.cells.get(row * self.width + column).copied()).flatten()
    }

    /// Its size in words: rows, then columns.
    pub fn size(&self) -> String {
        format!("{}×{}", self.height, self.width)
    }

    /// As digits, row by row, as far as it is drawn.
    pub fn digits(&self) -> String {
        let row = |row: usize| -> String {
            (0..self.width.min(LARGEST))
                .filter_map(|column| self.cell(row, column))
                .map(|n| char::from(b'0' + n))
                .collect()
        };
        (0..self.height.min(LARGEST)).map(row).collect::<Vec<_>>().join(" ")
    }

    /// What of it is not drawn, in words.
    pub fn cut(&self) -> Option<String> {
        cut(self.height, self.width)
    }
}

/// What of a grid of this size is not drawn, in words.
fn cut(height: usize, width: usize) -> Option<String> {
    let drawn = (height.min(LARGEST), width.min(LARGEST));
    (drawn != (height, width)).then(|| format!("the first {}×{} of {height}×{width} cells are drawn", drawn.0, drawn.1))
}

/// A cell of two grids that lie on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Both have this number.
    Same(u8),
    /// What was got has this number, which is not what was expected.
    Other(u8),
    /// What was got has no such cell.
    Missing,
    /// Neither has such a cell.
    Outside,
}

/// Where what was got differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How many cells differ, those that one of the two has not included.
    pub(crate) count: usize,
    /// Cells that at least one of the two has.
    pub(crate) all: usize,
    cells: Vec<Compared>,
}

impl Differences {
    /// What differs between two grids.
    pub fn between(expected: &Grid, got: &Grid) -> Self {
        let (width, height) = (expected.width.max(got.width), expected.height.max(got.height));
        let compared = |index: usize| {
            let (row, column) = (index / width, index % width);
            match (expected.cell(row, column), got.cell(row, column)) {
                (Some(expected), Some(got)) if expected == got => Compared::Same(got),
                (_, Some(got)) => Compared::Other(got),
                (Some(_), None) => Compared::Missing,
                (None, None) => Compared::Outside,
            }
        };
        let cells: Vec<Compared> = (0..width * height).map(compared).collect();
        let count = cells.iter().filter(|cell| matches!(cell, Compared::Other(_) | Compared::Missing)).count();
        let all = cells.iter().filter(|cell| **cell != Compared::Outside).count();
        Self { width, height, count, all, cells }
    }

    /// How the two differ in a cell.
    pub fn cell(&self, row: usize, column: usize) -> Compared {
        self.cells[row * self.width + column]
    }

    /// How many cells differ, in words.
    pub fn words(&self) -> String {
        match self.count {
            0 => "no differences".to_owned(),
            count => format!("{count} of {} cells differ", self.all),
        }
    }

    /// What of it is not drawn, in words.
    pub fn cut(&self) -> Option<String> {
        cut(self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn grid(value: &Value) -> Grid {
        Grid::read(value).expect("a grid")
    }

    #[test]
    fn a_value_that_is_not_a_grid_says_why() {
        let why = |value: Value| Grid::read(&value).expect_err("not a grid");
        let all = [
            why(json!({})),
            why(json!([])),
            why(json!([[], []])),
            why(json!([[1], 2])),
            why(json!([[1, 2], [3]])),
            why(json!([[1, 10]])),
            why(json!([[0.5]])),
            why(json!([["1"]])),
        ];
        let wanted = [
            "it is not a list of rows",
            "it has no cells",
            "it has no cells",
            "[1] is not a list of cells",
            "row [1] has 1 cells and row [0] has 2",
            "[0][1] is not an integer from 0 to 9",
            "[0][0] is not an integer from 0 to 9",
            "[0][0] is not an integer from 0 to 9",
        ];
        assert_eq!(all.each_ref().map(String::as_str), wanted);
    }

    #[test]
    fn cells_that_differ_are_those_with_other_numbers_and_those_that_one_has_alone() {
        let (expected, got) = (grid(&json!([[1, 2, 3], [4, 5, 6]])), grid(&json!([[1, 0], [4, 5], [7, 7]])));
        let found = Differences::between(&expected, &got);
        use Compared::{Missing, Other, Outside, Same};
        assert_eq!(found.cells, [Same(1), Other(0), Missing, Same(4), Same(5), Missing, Other(7), Other(7), Outside]);
        assert_eq!(found.words(), "5 of 8 cells differ");
        assert_eq!(Differences::between(&got, &got).words(), "no differences");
    }

    #[test]
    fn a_large_grid_is_drawn_in_part() {
        let large = grid(&json!(vec![vec![3; 100]; 70]));
        assert_eq!(large.cut().expect("cut"), "the first 64×64 of 70×100 cells are drawn");
        assert_eq!(large.digits().len(), 64 * 65 - 1);
        assert_eq!(grid(&json!([[1]])).cut(), None);
    }

    proptest! {
        #[test]
        fn a_grid_has_the_cells_that_it_was_made_of(
            rows in (1_usize..6).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(0_u8..10, width), 1..6))
        ) {
            let read = grid(&json!(rows));
            prop_assert_eq!((read.height, read.width), (rows.len(), rows[0].len()));
            for (row, cells) in rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    prop_assert_eq!(read.cell(row, column), Some(*cell));
                }
            }
            prop_assert_eq!(read.cell(0, read.width), None);
            prop_assert_eq!(read.cell(read.height, 0), None);
        }
    }
}
