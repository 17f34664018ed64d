//! Tasks, which are pairs of grids, as they are written in files.

use std::{borrow::Cow, fmt, marker::PhantomData, rc::Rc};

use jackfield_plugin_api::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
    ser::SerializeSeq as _,
};
use sha2::{Digest as _, Sha256};

use crate::value::Grid;

/// The most rows or columns of a grid in a task.
pub const LARGEST: usize = 1_000;

/// A grid as tasks hold it: an array of equally long arrays of integers 0..9.
#[derive(Clone, PartialEq, Eq)]
pub struct Cells {
    height: u32,
    width: u32,
    cells: Vec<u8>,
}

impl Cells {
    /// The grid of one cell, which is 0.
    #[must_use]
    pub(crate) fn blank() -> Cells {
        Cells { height: 1, width: 1, cells: vec![0] }
    }

    /// A grid as a value of the language.
    #[must_use]
    pub fn to_grid(&self) -> Grid {
        Grid::new(self.height, self.width, self.cells.clone())
    }

    /// Rows, columns.
    #[must_use]
    pub fn shape(&self) -> (u32, u32) {
        (self.height, self.width)
    }

    /// The cells, row after row.
    #[must_use]
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// The same grid with each cell replaced, and the cells in another order: `source_of` gives for a location of the new grid the
    /// place of this one it has.
    pub(crate) fn rearranged(
        &self,
        (height, width): (u32, u32),
        source_of: impl Fn(u32, u32) -> (u32, u32),
        color: &[u8; 10],
    ) -> Cells {
        let cell_at = |(row, column): (u32, u32)| {
            let (row, column) = source_of(row, column);
            color[usize::from(self.cells[(row * self.width + column) as usize])]
        };
        let positions = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        Cells { height, width, cells: positions.map(cell_at).collect() }
    }

    /// Adds the grid to a digest.
    pub(crate) fn digest_into(&self, digest: &mut Sha256) {
        digest.update(self.height.to_le_bytes());
        digest.update(self.width.to_le_bytes());
        digest.update(&self.cells);
    }
}

impl From<&Grid> for Cells {
    fn from(grid: &Grid) -> Cells {
        Cells { height: grid.height(), width: grid.width(), cells: grid.cells().to_vec() }
    }
}

impl From<&Rc<Grid>> for Cells {
    fn from(grid: &Rc<Grid>) -> Cells {
        Cells::from(&**grid)
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&rows_text(&self.cells, self.width as usize)))
    }
}

/// The rows as digits, a line each.
fn rows_text(cells: &[u8], width: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(cells.len() + cells.len() / width.max(1));
    for (at, row) in cells.chunks(width.max(1)).enumerate() {
        if at > 0 {
            text.push(b'\n');
        }
        text.extend(row.iter().map(|cell| b'0' + cell));
    }
    text
}

/// What stands for a grid in an outcome: `grid:` and the first 16 hex digits of the SHA-256 of its rows as digits, joined by
/// newlines.
#[must_use]
pub fn fingerprint(grid: &Grid) -> String {
    let digest = Sha256::digest(rows_text(grid.cells(), grid.width() as usize));
    let mut text = String::with_capacity(21);
    text.push_str("grid:");
    for byte in &digest[..8] {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cells, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Cells;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a grid: an array of equally long arrays of integers from 0 to 9")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Cells, A::Error> {
                let mut grid = Cells { height: 0, width: 0, cells: Vec::with_capacity(100) };
                while let Some(Row) =
                    rows.next_element_seed(RowInto { number: grid.height + 1, cells: &mut grid.cells })?
                {
                    grid.height += 1;
                    let length = grid.cells.len();
                    if grid.height == 1 {
                        grid.width = length as u32;
                    }
                    if length != grid.height as usize * grid.width as usize {
                        return Err(A::Error::custom(format!("row {} is not as long as the first", grid.height)));
                    }
                    if grid.width == 0 || grid.height as usize > LARGEST || grid.width as usize > LARGEST {
                        return Err(A::Error::custom(format!("a grid has 1 to {LARGEST} rows and columns")));
                    }
                }
                if grid.height == 0 {
                    return Err(A::Error::custom("a grid has at least one row"));
                }
                Ok(grid)
            }
        }
        deserializer.deserialize_seq(Rows)
    }
}

struct Row;

/// Reads a row into the cells that there are.
struct RowInto<'a> {
    /// Which row of the grid it is, from 1.
    number: u32,
    cells: &'a mut Vec<u8>,
}

/// A cell as it is read: whatever number stands there.
struct Cell(Result<u8, String>);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Cell;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a colour, an integer from 0 to 9")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
                Ok(Cell(if number < 10 { Ok(number as u8) } else { Err(number.to_string()) }))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
                Ok(Cell(Err(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
                Ok(Cell(Err(number.to_string())))
            }
        }
        deserializer.deserialize_u8(Number)
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for RowInto<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowInto<'_> {
    type Value = Row;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row of a grid: an array of integers from 0 to 9")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Row, A::Error> {
        let Self { number, cells } = self;
        let start = cells.len();
        while let Some(Cell(cell)) = row.next_element()? {
            let color = cell.map_err(|found| {
                let column = cells.len() - start + 1;
                A::Error::custom(format!(
                    "row {number}, column {column}: {found} is not a colour: a cell is an integer from 0 to 9"
                ))
            })?;
            cells.push(color);
            if cells.len() - start > LARGEST {
                return Err(A::Error::custom(format!("a grid has 1 to {LARGEST} rows and columns")));
            }
        }
        Ok(Row)
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.height as usize))?;
        for row in self.cells.chunks_exact(self.width as usize) {
            rows.serialize_element(row)?;
        }
        rows.end()
    }
}

impl JsonSchema for Cells {
    fn schema_name() -> Cow<'static, str> {
        "Grid".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array", "minItems": 1,
            "items": { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 0, "maximum": 9 } },
            "x-view": "grid",
        })
    }
}

/// A demonstration: what is given, and what is to come of it.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Demo {
    /// What is given.
    #[serde(deserialize_with = "read_input")]
    pub input: Cells,
    /// What is to come of it.
    #[serde(deserialize_with = "read_output")]
    pub output: Cells,
}

/// A test: what is given, and what is to come of it, where that is known.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Test {
    /// What is given.
    #[serde(deserialize_with = "read_input")]
    pub input: Cells,
    /// What is to come of it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_output")]
    pub output: Option<Cells>,
}

/// The error with its place in the task before it. The position in the JSON text is left out, since the caller adds it again and
/// nobody sees that text.
fn with_place<E: serde::de::Error>(place: impl fmt::Display, error: &E) -> E {
    let message = error.to_string();
    let message = message.rfind(" at line ").map_or(&*message, |end| &message[..end]);
    E::custom(format!("{place}: {message}"))
}

pub(crate) fn read_input<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(deserializer).map_err(|error| with_place("input", &error))
}

fn read_output<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(deserializer).map_err(|error| with_place("output", &error))
}

/// Reads the demonstrations of a task: what is wrong says with which, from 1.
pub(crate) fn read_demos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Demo>, D::Error> {
    deserializer.deserialize_seq(Numbered("demonstration", PhantomData))
}

/// Reads the tests of a task: what is wrong says with which, from 1.
pub(crate) fn read_tests<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Numbered("test", PhantomData))
}

struct Numbered<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Numbered<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an array of {}s", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut read = Vec::new();
        while let Some(one) =
            list.next_element().map_err(|error| with_place(format_args!("{} {}", self.0, read.len() + 1), &error))?
        {
            read.push(one);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_a_rectangle_of_colours() {
        let read = |text: &str| serde_json::from_str::<Cells>(text).map_err(|error| error.to_string());
        let grid = read("[[0,1,2],[3,4,5]]").unwrap();
        assert_eq!((grid.shape(), serde_json::to_string(&grid).unwrap()), ((2, 3), "[[0,1,2],[3,4,5]]".to_owned()));
        for (text, fault) in [
            ("[]", "at least one row"),
            ("[[]]", "1 to 1000 rows and columns"),
            ("[[1],[2,3]]", "row 2 is not as long as the first"),
            ("[[1],[10]]", "row 2, column 1: 10 is not a colour"),
            ("[[0, -1]]", "row 1, column 2: -1 is not a colour"),
            ("[[1.5]]", "row 1, column 1: 1.5 is not a colour"),
            ("3", "an array of equally long arrays"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
