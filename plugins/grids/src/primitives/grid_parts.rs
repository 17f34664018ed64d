//! Grids split into parts, and joined from parts.

use std::rc::Rc;

use super::{
    duck,
    grids::{any, cropped, window},
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Grid, Value},
};

pub(super) fn hconcat(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (Some(one), Some(two)) = (arguments[0].as_grid(), arguments[1].as_grid()) else {
        return any::hconcat(machine, &arguments[0], &arguments[1]);
    };
    let (height, width) = (one.height().min(two.height()), u64::from(one.width()) + u64::from(two.width()));
    let mut cells = machine.reserve_cells(height.into(), width)?;
    for (one, two) in one.rows().zip(two.rows()) {
        cells.extend_from_slice(one);
        cells.extend_from_slice(two);
    }
    Ok(Machine::grid(height.into(), width, cells))
}

pub(super) fn vconcat(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Value::Grid(one), Value::Grid(two)) = (&arguments[0], &arguments[1])
        && one.width() == two.width()
    {
        let height = u64::from(one.height()) + u64::from(two.height());
        let mut cells = machine.reserve_cells(height, one.width().into())?;
        cells.extend_from_slice(one.cells());
        cells.extend_from_slice(two.cells());
        return Ok(Machine::grid(height, one.width().into(), cells));
    }
    duck::sum(machine, &arguments[0], &arguments[1])
}

pub(super) fn hsplit(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (height, width) = any::dimensions(&arguments[0])?;
    split(machine, arguments, width, |start, part| [[0, start], [height as i64, part]])
}

pub(super) fn vsplit(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (height, width) = any::dimensions(&arguments[0])?;
    split(machine, arguments, height, |start, part| [[start, 0], [part, width as i64]])
}

/// The parts of a grid along a side of so many cells: `box_of` gives the corner and the size of the part from `start`, `part` long.
fn split(
    machine: &mut Machine,
    arguments: &[Value],
    side: usize,
    box_of: impl Fn(i64, i64) -> [[i64; 2]; 2],
) -> Outcome {
    let count = duck::integer(&arguments[1])?;
    if count == 0 {
        return Err(Fault::Arithmetic("a grid is split into 0 parts"));
    }
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    machine.reserve_members(count)?;
    if count == 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    let (part, skipped) = (side / count, usize::from(!side.is_multiple_of(count)));
    let grid = arguments[0].as_grid();
    let mut parts = Vec::with_capacity(count);
    for at in 0..count {
        let [corner, size] = box_of((at * (part + skipped)) as i64, part as i64);
        machine.charge(1)?;
        let part = match &grid {
            Some(grid) => cropped(machine, grid, corner, size)?,
            None => {
                let (corner, size) = (Value::pair(corner[0], corner[1]), Value::pair(size[0], size[1]));
                any::crop(machine, &arguments[0], &corner, &size)?
            }
        };
        machine.reserve(part.bytes())?;
        parts.push(part);
    }
    Ok(Value::tuple(parts))
}

pub(super) fn tophalf(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::tophalf(machine, &arguments[0]) };
    let (height, width) = (grid.height() as usize, grid.width() as usize);
    window(machine, &grid, 0..height / 2, 0..width)
}

pub(super) fn bottomhalf(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::bottomhalf(machine, &arguments[0]) };
    let (height, width) = (grid.height() as usize, grid.width() as usize);
    window(machine, &grid, height.div_ceil(2)..height, 0..width)
}

pub(super) fn lefthalf(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => {
            let width = grid.width() as usize;
            halved(machine, &grid, 0..width / 2)
        }
        None => {
            let turned = any::rot90(machine, &arguments[0])?;
            let half = any::tophalf(machine, &turned)?;
            any::rot270(machine, &half)
        }
    }
}

pub(super) fn righthalf(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => {
            let width = grid.width() as usize;
            halved(machine, &grid, width.div_ceil(2)..width)
        }
        None => {
            let turned = any::rot90(machine, &arguments[0])?;
            let half = any::bottomhalf(machine, &turned)?;
            any::rot270(machine, &half)
        }
    }
}

/// These columns of the grid; without any, no rows are left either.
fn halved(machine: &mut Machine, grid: &Rc<Grid>, columns: std::ops::Range<usize>) -> Outcome {
    let rows = if columns.is_empty() { 0..0 } else { 0..grid.height() as usize };
    window(machine, grid, rows, columns)
}
