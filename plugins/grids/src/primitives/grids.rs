//! Primitives of grids that turn, scale, crop or recolour them.
//!
//! A grid is processed as bytes and masks. A value that is used as a grid without being one is processed in [`any`].

pub(super) mod any;

use std::rc::Rc;

use super::{
    duck,
    painting::{as_color, copied},
    patches, pieces,
    shapes::{self, Bounds},
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Grid, Value},
};

/// A grid with the size of another one.
pub(super) fn as_large(grid: &Grid, cells: Vec<u8>) -> Value {
    Value::grid(Grid::new(grid.height(), grid.width(), cells))
}

/// So many rows without a cell.
fn empty_rows(machine: &mut Machine, rows: usize) -> Outcome {
    machine.reserve_members(rows)?;
    Ok(Value::tuple(vec![Value::tuple(Vec::new()); rows]))
}

/// A part of a grid: these rows, and of them these columns.
pub(super) fn window(
    machine: &mut Machine,
    grid: &Rc<Grid>,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Outcome {
    if columns.is_empty() || rows.is_empty() {
        return empty_rows(machine, rows.len());
    }
    let width = grid.width() as usize;
    if rows.len() == grid.height() as usize && columns.len() == width {
        return Ok(Value::Grid(Rc::clone(grid)));
    }
    let mut cells = machine.reserve_cells(rows.len() as u64, columns.len() as u64)?;
    for row in grid.cells()[rows.start * width..rows.end * width].chunks_exact(width) {
        cells.extend_from_slice(&row[columns.clone()]);
    }
    Ok(Machine::grid(rows.len() as u64, columns.len() as u64, cells))
}

/// The grid whose rows are the columns of this one: from the last to the first or from the first to the last, each read upwards or
/// downwards.
pub(super) fn turned(machine: &mut Machine, grid: &Grid, from_the_last: bool, upwards: bool) -> Outcome {
    let (height, width) = (grid.height() as usize, grid.width() as usize);
    let mut cells = machine.reserve_cells(width as u64, height as u64)?;
    cells.resize(height * width, 0);
    for (at, row) in cells.chunks_exact_mut(height).enumerate() {
        let column = if from_the_last { width - 1 - at } else { at };
        let read = grid.cells()[column..].iter().step_by(width);
        if upwards {
            row.iter_mut().rev().zip(read).for_each(|(cell, color)| *cell = *color);
        } else {
            row.iter_mut().zip(read).for_each(|(cell, color)| *cell = *color);
        }
    }
    Ok(Machine::grid(width as u64, height as u64, cells))
}

pub(super) fn crop(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(grid), Some(start), Some(size)) =
        (arguments[0].as_grid(), arguments[1].as_pair(), arguments[2].as_pair())
    {
        return cropped(machine, &grid, start, size);
    }
    any::crop(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn cropped(machine: &mut Machine, grid: &Rc<Grid>, start: [i64; 2], size: [i64; 2]) -> Outcome {
    let rows = duck::part(start[0], start[0].saturating_add(size[0]), grid.height() as usize);
    let columns = duck::part(start[1], start[1].saturating_add(size[1]), grid.width() as usize);
    window(machine, grid, rows, columns)
}

pub(super) fn rot90(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => turned(machine, &grid, false, true),
        None => any::rot90(machine, &arguments[0]),
    }
}

pub(super) fn rot180(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::rot180(machine, &arguments[0]) };
    let mut cells = copied(machine, &grid)?;
    cells.reverse();
    Ok(as_large(&grid, cells))
}

pub(super) fn rot270(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => turned(machine, &grid, true, false),
        None => any::rot270(machine, &arguments[0]),
    }
}

pub(super) fn hupscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match (arguments[0].as_grid(), &arguments[1]) {
        (Some(grid), Value::Integer(factor)) => enlarged(machine, &grid, 1, *factor),
        _ => any::hupscale(machine, &arguments[0], &arguments[1]),
    }
}

pub(super) fn vupscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match (arguments[0].as_grid(), &arguments[1]) {
        (Some(grid), Value::Integer(factor)) => enlarged(machine, &grid, *factor, 1),
        _ => any::vupscale(machine, &arguments[0], &arguments[1]),
    }
}

/// The grid with every row and every column so many times.
pub(super) fn enlarged(machine: &mut Machine, grid: &Rc<Grid>, downwards: i64, sideways: i64) -> Outcome {
    if downwards <= 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    if sideways <= 0 {
        return empty_rows(machine, grid.height() as usize);
    }
    if downwards == 1 && sideways == 1 {
        return Ok(Value::Grid(Rc::clone(grid)));
    }
    let times = |size: u32, factor: i64| u64::from(size).saturating_mul(factor as u64);
    let (height, width) = (times(grid.height(), downwards), times(grid.width(), sideways));
    let mut cells = machine.reserve_cells(height, width)?;
    for row in grid.rows() {
        let start = cells.len();
        if sideways == 1 {
            cells.extend_from_slice(row);
        } else {
            for color in row {
                cells.resize(cells.len() + sideways as usize, *color);
            }
        }
        for _ in 1..downwards {
            cells.extend_from_within(start..start + width as usize);
        }
    }
    Ok(Machine::grid(height, width, cells))
}

pub(super) fn downscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (Some(grid), Value::Integer(factor @ 1..)) = (arguments[0].as_grid(), &arguments[1]) else {
        return any::downscale(machine, &arguments[0], &arguments[1]);
    };
    let step = usize::try_from(*factor).unwrap_or(usize::MAX);
    let (height, width) = ((grid.height() as usize).div_ceil(step), (grid.width() as usize).div_ceil(step));
    let mut cells = machine.reserve_cells(height as u64, width as u64)?;
    for row in grid.rows().step_by(step) {
        cells.extend(row.iter().step_by(step));
    }
    Ok(Machine::grid(height as u64, width as u64, cells))
}

pub(super) fn subgrid(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(Bounds { top, left, bottom, right }) = shapes::stored_bounds(&arguments[0]) else {
        let corner = patches::ulcorner(machine, &arguments[..1])?;
        let size = pieces::shape(machine, &arguments[..1])?;
        return crop(machine, &[arguments[1].clone(), corner, size]);
    };
    let (corner, size) = ([top, left], [bottom - top + 1, right - left + 1]);
    match arguments[1].as_grid() {
        Some(grid) => cropped(machine, &grid, corner, size),
        None => {
            let pair = |pair: [i64; 2]| Value::pair(pair[0], pair[1]);
            any::crop(machine, &arguments[1], &pair(corner), &pair(size))
        }
    }
}

pub(super) fn cellwise(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(one), Some(two), Some(fallback)) =
        (arguments[0].as_grid(), arguments[1].as_grid(), as_color(&arguments[2]))
        && two.height() >= one.height()
        && two.width() >= one.width()
    {
        let mut cells = copied(machine, &one)?;
        for (row, other) in cells.chunks_exact_mut(one.width() as usize).zip(two.rows()) {
            for (cell, other) in row.iter_mut().zip(other) {
                *cell = if cell == other { *cell } else { fallback };
            }
        }
        return Ok(as_large(&one, cells));
    }
    any::cellwise(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn replace(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let Some(grid) = arguments[0].as_grid() {
        let Some(replaced) = as_color(&arguments[1]).filter(|color| grid.has(*color)) else {
            return Ok(Value::Grid(grid));
        };
        if let Some(by) = as_color(&arguments[2]) {
            let mut cells = copied(machine, &grid)?;
            cells.iter_mut().for_each(|cell| *cell = if *cell == replaced { by } else { *cell });
            return Ok(as_large(&grid, cells));
        }
    }
    any::replace(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn switch(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(grid), Some(one), Some(two)) =
        (arguments[0].as_grid(), as_color(&arguments[1]), as_color(&arguments[2]))
    {
        let mut cells = copied(machine, &grid)?;
        for cell in &mut cells {
            let switched = if *cell == two { one } else { *cell };
            *cell = if *cell == one { two } else { switched };
        }
        return Ok(as_large(&grid, cells));
    }
    any::switch(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn index(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (grid, location) = (&arguments[0], &arguments[1]);
    if let (Value::Grid(grid), Value::Pair(row, column)) = (grid, location) {
        return Ok(grid.at(*row, *column).map_or(Value::None, |color| Value::Integer(color.into())));
    }
    let (row, column) = duck::both(location)?;
    let (height, width) = any::dimensions(grid)?;
    let Some((row, column)) = duck::grid_index(&row, &column, height, width)? else { return Ok(Value::None) };
    if !location.is_tuple() {
        return Err(Fault::Type("a location inside of the grid must be a tuple"));
    }
    duck::cell(grid, row, column)
}

pub(super) fn canvas(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (value, size) = (&arguments[0], &arguments[1]);
    let height = duck::times(&duck::slot(size, 0)?)?;
    if height == 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    let width = duck::times(&duck::slot(size, 1)?)?;
    if width == 0 {
        return empty_rows(machine, height);
    }
    if let Some(color) = as_color(value) {
        let mut cells = machine.reserve_cells(height as u64, width as u64)?;
        cells.resize(height * width, color);
        return Ok(Machine::grid(height as u64, width as u64, cells));
    }
    machine.reserve_members(width)?;
    machine.reserve_members(height)?;
    machine.reserve(value.bytes().saturating_mul(width).saturating_mul(height))?;
    let row = Value::tuple(vec![value.clone(); width]);
    machine.reserve(row.bytes().saturating_mul(height))?;
    Ok(Value::tuple(vec![row; height]))
}

pub(super) fn trim(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::trim(machine, &arguments[0]) };
    let inner = |size: u32| duck::part(1, -1, size as usize);
    window(machine, &grid, inner(grid.height()), inner(grid.width()))
}

pub(super) fn compress(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::compress(machine, &arguments[0]) };
    machine.visit(grid.cells().len())?;
    let first_row = grid.row(0);
    let mut columns: Vec<bool> = vec![false; first_row.len()];
    for row in grid.rows() {
        for (is_kept, (cell, first)) in columns.iter_mut().zip(row.iter().zip(first_row)) {
            *is_kept |= cell != first;
        }
    }
    let width = columns.iter().filter(|is_kept| **is_kept).count();
    let is_kept = |row: &&[u8]| row.iter().any(|cell| *cell != row[0]);
    let height = grid.rows().filter(is_kept).count();
    if height == 0 || width == 0 {
        return empty_rows(machine, height);
    }
    if (height, width) == (grid.height() as usize, first_row.len()) {
        return Ok(Value::Grid(grid));
    }
    let mut cells = machine.reserve_cells(height as u64, width as u64)?;
    for row in grid.rows().filter(is_kept) {
        cells.extend(row.iter().zip(&columns).filter(|(_, is_kept)| **is_kept).map(|(cell, _)| *cell));
    }
    Ok(Machine::grid(height as u64, width as u64, cells))
}
