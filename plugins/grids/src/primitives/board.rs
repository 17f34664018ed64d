//! A grid whose cells are changed one by one.

use super::{duck, grids::any};
use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, TUPLE},
    value::{Grid, Value},
};

/// A grid, or what stands in the place of one, whose cells can be changed.
pub(super) struct Board {
    height: usize,
    /// Columns of the first row: the others may have more or fewer.
    width: usize,
    cells: Cells,
}

enum Cells {
    /// Colours, row after row.
    Colors(Vec<u8>),
    Values(Vec<Vec<Value>>),
}

impl Board {
    pub(super) fn of(machine: &mut Machine, grid: &Value) -> Outcome<Board> {
        if let Some(grid) = grid.as_grid() {
            let mut cells = machine.reserve_cells(grid.height().into(), grid.width().into())?;
            cells.extend_from_slice(grid.cells());
            let (height, width) = (grid.height() as usize, grid.width() as usize);
            return Ok(Board { height, width, cells: Cells::Colors(cells) });
        }
        Board::of_values(machine, grid)
    }

    /// With cells that are values even where they are colours.
    pub(super) fn of_values(machine: &mut Machine, grid: &Value) -> Outcome<Board> {
        let (height, width) = any::dimensions(grid)?;
        let row = |row: Value| {
            machine.reserve_tuple(duck::length(&row)?)?;
            Ok(duck::members(&row)?.collect())
        };
        let rows = duck::members(grid)?.map(row).collect::<Outcome<_>>()?;
        Ok(Board { height, width, cells: Cells::Values(rows) })
    }

    /// The row and the column of a location as indices, if it is inside.
    pub(super) fn index_of(&self, row: &Value, column: &Value) -> Outcome<Option<(usize, usize)>> {
        let index = duck::grid_index(row, column, self.height, self.width)?;
        match (&self.cells, index) {
            (Cells::Values(rows), Some((row, column))) if column >= rows[row].len() => {
                Err(Fault::Value("a row is shorter than the first one"))
            }
            _ => Ok(index),
        }
    }

    /// The value at indices that [`Board::index_of`] gave.
    pub(super) fn get(&self, (row, column): (usize, usize)) -> Value {
        match &self.cells {
            Cells::Colors(cells) => Value::Integer(cells[row * self.width + column].into()),
            Cells::Values(rows) => rows[row][column].clone(),
        }
    }

    /// Sets the value at indices that [`Board::index_of`] gave.
    pub(super) fn set(&mut self, machine: &mut Machine, (row, column): (usize, usize), value: &Value) -> Outcome<()> {
        match (&mut self.cells, value) {
            (Cells::Colors(cells), Value::Integer(color @ 0..=9)) => cells[row * self.width + column] = *color as u8,
            (Cells::Colors(cells), _) => {
                machine.reserve_members(cells.len().saturating_add(self.height.saturating_mul(TUPLE)))?;
                let rows = cells.chunks_exact(self.width);
                let values = |row: &[u8]| row.iter().map(|color| Value::Integer((*color).into())).collect();
                self.cells = Cells::Values(rows.map(values).collect());
                return self.set(machine, (row, column), value);
            }
            (Cells::Values(rows), _) => rows[row][column] = value.clone(),
        }
        Ok(())
    }

    /// Puts a cell where it belongs if it is inside, and the value `only_on`, where one is given, is there. False, and nothing is
    /// done, where that takes more than a byte that is written.
    #[inline]
    pub(super) fn put_cell(&mut self, cell: &Value, only_on: Option<&Value>) -> bool {
        let (Cells::Colors(cells), Value::Cell(color @ 0..=9, row, column)) = (&mut self.cells, cell) else {
            return false;
        };
        let inside = |at: i32, size: usize| usize::try_from(at).ok().filter(|at| *at < size);
        if let (Some(row), Some(column)) = (inside(*row, self.height), inside(*column, self.width)) {
            let cell = &mut cells[row * self.width + column];
            if only_on.is_none_or(|wanted| *wanted == Value::Integer((*cell).into())) {
                *cell = *color as u8;
            }
        }
        true
    }

    pub(super) fn into_value(self) -> Value {
        match self.cells {
            Cells::Colors(cells) => Value::grid(Grid::new(self.height as u32, self.width as u32, cells)),
            Cells::Values(rows) => Value::tuple(rows.into_iter().map(Value::tuple).collect()),
        }
    }
}
