//! Values that are used as grids without being one: ragged tuples, tuples with other values than colours or without a cell, and sets.
//! They are processed as the reference does it, in the same order.

use super::super::{duck, pieces};
use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, TUPLE},
    value::{SLOT, Value},
};

/// The tuple of what is made of each row, in order.
fn each_row(machine: &mut Machine, grid: &Value, mut make: impl FnMut(&mut Machine, Value) -> Outcome) -> Outcome {
    let count = duck::length(grid)?;
    machine.reserve_members(count)?;
    machine.visit(count.saturating_mul(TUPLE))?;
    let rows = duck::members(grid)?.map(|row| make(machine, row)).collect::<Outcome<_>>()?;
    Ok(Value::tuple(rows))
}

/// The tuple of what is made of each cell of each row, in order.
fn each_cell(machine: &mut Machine, grid: &Value, mut make: impl FnMut(Value) -> Value) -> Outcome {
    each_row(machine, grid, |machine, row| {
        machine.reserve_members(duck::length(&row)?)?;
        Ok(Value::tuple(duck::members(&row)?.map(&mut make).collect()))
    })
}

/// Rows, and columns of the first one. There must be a first one.
pub(in crate::primitives) fn dimensions(grid: &Value) -> Outcome<(usize, usize)> {
    match grid {
        Value::Grid(grid) => Ok((grid.height() as usize, grid.width() as usize)),
        grid => Ok((duck::length(grid)?, duck::length(&duck::slot(grid, 0)?)?)),
    }
}

pub(in crate::primitives) fn crop(machine: &mut Machine, grid: &Value, start: &Value, size: &Value) -> Outcome {
    let part = |at: usize, length: usize| {
        let first = duck::integer(&duck::slot(start, at)?)?;
        let size = duck::integer(&duck::slot(size, at)?)?;
        // A sum beyond 64 bits is past the end whatever it is.
        Ok(duck::part(first, first.saturating_add(size), length))
    };
    let rows = part(0, duck::slots(grid)?.len())?;
    let rows = duck::slice(machine, grid, rows)?;
    each_row(machine, &rows, |machine, row| {
        let columns = part(1, duck::slots(&row)?.len())?;
        duck::slice(machine, &row, columns)
    })
}

pub(in crate::primitives) fn rot90(machine: &mut Machine, grid: &Value) -> Outcome {
    Ok(Value::tuple(duck::zipped(machine, duck::slots(grid)?.rev())?))
}

pub(in crate::primitives) fn rot180(machine: &mut Machine, grid: &Value) -> Outcome {
    let rows = duck::reversed(machine, grid)?;
    each_row(machine, &rows, |machine, row| duck::reversed(machine, &row))
}

pub(in crate::primitives) fn rot270(machine: &mut Machine, grid: &Value) -> Outcome {
    let mut columns = duck::zipped(machine, duck::slots(grid)?)?;
    columns.reverse();
    Ok(Value::tuple(columns))
}

pub(in crate::primitives) fn hupscale(machine: &mut Machine, grid: &Value, factor: &Value) -> Outcome {
    each_row(machine, grid, |machine, row| widened(machine, &row, factor))
}

/// Every member of the row so many times.
fn widened(machine: &mut Machine, row: &Value, factor: &Value) -> Outcome {
    let mut wide = Vec::new();
    for value in duck::members(row)? {
        let times = duck::times(factor)?;
        machine.visit(1)?;
        machine.reserve_members(times)?;
        wide.extend(std::iter::repeat_n(value, times));
    }
    Ok(Value::tuple(wide))
}

pub(in crate::primitives) fn vupscale(machine: &mut Machine, grid: &Value, factor: &Value) -> Outcome {
    widened(machine, grid, factor)
}

pub(in crate::primitives) fn upscale(machine: &mut Machine, grid: &Value, factor: &Value) -> Outcome {
    let wide = hupscale(machine, grid, factor)?;
    vupscale(machine, &wide, factor)
}

pub(in crate::primitives) fn downscale(machine: &mut Machine, grid: &Value, factor: &Value) -> Outcome {
    let (height, width) = dimensions(grid)?;
    let step = duck::integer(factor)?.unsigned_abs();
    if step == 0 {
        return Err(Fault::Arithmetic("a grid is scaled down by 0"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    for row in 0..height {
        // Rows that are dropped are read all the same: they must be as long as the first one.
        let cells = duck::slot(grid, row)?;
        machine.reserve_members(width)?;
        let cells_of_row = (0..width).step_by(step).map(|column| duck::slot(&cells, column)).collect::<Outcome<_>>()?;
        if row % step == 0 {
            rows.push(Value::tuple(cells_of_row));
        }
    }
    Ok(Value::tuple(rows))
}

pub(in crate::primitives) fn hconcat(machine: &mut Machine, one: &Value, two: &Value) -> Outcome {
    let (ones, twos) = (duck::members(one)?, duck::members(two)?);
    machine.reserve_members(duck::length(one)?.min(duck::length(two)?))?;
    let rows = ones.zip(twos).map(|(one, two)| duck::sum(machine, &one, &two)).collect::<Outcome<_>>()?;
    Ok(Value::tuple(rows))
}

pub(in crate::primitives) fn cellwise(machine: &mut Machine, one: &Value, two: &Value, fallback: &Value) -> Outcome {
    let (height, width) = dimensions(one)?;
    machine.reserve_members(height.saturating_mul(width.saturating_add(TUPLE)))?;
    let row = |row: usize| {
        let cell = |column: usize| {
            let cell = duck::cell(one, row, column)?;
            Ok(if cell == duck::cell(two, row, column)? { cell } else { fallback.clone() })
        };
        Ok(Value::tuple((0..width).map(cell).collect::<Outcome<_>>()?))
    };
    Ok(Value::tuple((0..height).map(row).collect::<Outcome<_>>()?))
}

pub(in crate::primitives) fn replace(machine: &mut Machine, grid: &Value, replaced: &Value, by: &Value) -> Outcome {
    if let (Value::Object(object), Value::Integer(replaced), Value::Integer(by)) = (grid, replaced, by)
        && let Ok(by) = i32::try_from(*by)
    {
        // A cell is a row of a colour and a location, which is no integer.
        let count = object.count() as usize;
        machine.reserve_members(count)?;
        machine.reserve(count.saturating_mul(2 * SLOT))?;
        let color = |color: i32| if i64::from(color) == *replaced { by } else { color };
        let cells = object.iter().map(|(found, (row, column))| Value::Cell(color(found), row, column));
        return Ok(Value::tuple(cells.collect()));
    }
    each_cell(machine, grid, |cell| if cell == *replaced { by.clone() } else { cell })
}

pub(in crate::primitives) fn switch(machine: &mut Machine, grid: &Value, one: &Value, two: &Value) -> Outcome {
    each_cell(machine, grid, |cell| {
        if cell == *one {
            two.clone()
        } else if cell == *two {
            one.clone()
        } else {
            cell
        }
    })
}

pub(in crate::primitives) fn trim(machine: &mut Machine, grid: &Value) -> Outcome {
    let inner = |value: &Value| Ok(duck::part(1, -1, duck::slots(value)?.len()));
    let rows = duck::slice(machine, grid, inner(grid)?)?;
    each_row(machine, &rows, |machine, row| duck::slice(machine, &row, inner(&row)?))
}

pub(in crate::primitives) fn tophalf(machine: &mut Machine, grid: &Value) -> Outcome {
    let height = duck::length(grid)?;
    duck::slice(machine, grid, 0..height / 2)
}

pub(in crate::primitives) fn bottomhalf(machine: &mut Machine, grid: &Value) -> Outcome {
    let height = duck::length(grid)?;
    duck::slice(machine, grid, height.div_ceil(2)..height)
}

pub(in crate::primitives) fn compress(machine: &mut Machine, grid: &Value) -> Outcome {
    let plain_rows = plain_members(machine, grid)?;
    let transposed = pieces::dmirror(machine, std::slice::from_ref(grid))?;
    let plain_columns = plain_members(machine, &transposed)?;
    let mut rows = Vec::new();
    for (row, is_plain) in duck::members(grid)?.zip(plain_rows) {
        if is_plain {
            continue;
        }
        machine.reserve_tuple(duck::length(&row)?)?;
        let is_kept = |column: &usize| !plain_columns.get(*column).is_some_and(|is_plain| *is_plain);
        let cells = duck::members(&row)?.enumerate().filter(|(column, _)| is_kept(column));
        rows.push(Value::tuple(cells.map(|(_, cell)| cell).collect()));
    }
    Ok(Value::tuple(rows))
}

/// Of each member, whether all its members are the same, and there is one.
fn plain_members(machine: &mut Machine, lines: &Value) -> Outcome<Vec<bool>> {
    machine.visit(duck::length(lines)?.saturating_mul(2))?;
    let is_plain = |line: Value| {
        machine.visit(duck::length(&line)?)?;
        let mut members = duck::members(&line)?;
        let Some(first) = members.next() else { return Ok(false) };
        Ok(members.all(|member| member == first))
    };
    duck::members(lines)?.map(is_plain).collect()
}
