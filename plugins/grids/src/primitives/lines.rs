//! Primitives of neighbours and of lines.

use super::{
    duck,
    shapes::{fitting, two_integers},
};
use crate::{
    fault::Outcome,
    machine::Machine,
    value::{Indices, Value, is_near},
};

/// Steps from here to the other end of what is shot.
const SHOT: i128 = 42;
/// Cells of a frontier.
const FRONTIER: i32 = 30;

pub(super) fn dneighbors(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    neighbors_at(machine, &arguments[0], [0b010, 0b101, 0b010], &SIDES)
}

pub(super) fn ineighbors(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    neighbors_at(machine, &arguments[0], [0b101, 0b000, 0b101], &DIAGONALS)
}

pub(super) fn neighbors(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending() {
        return neighbors_at(machine, &arguments[0], [0b111, 0b101, 0b111], &ALL);
    }
    let (sides, diagonals) = (dneighbors(machine, arguments)?, ineighbors(machine, arguments)?);
    machine.union(&sides, &diagonals)
}

const SIDES: [(i64, i64); 4] = [(-1, 0), (1, 0), (0, -1), (0, 1)];
const DIAGONALS: [(i64, i64); 4] = [(-1, -1), (-1, 1), (1, -1), (1, 1)];
const ALL: [(i64, i64); 8] = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)];

/// The neighbours of a location: as masks of the rows above, of and below it, and as steps in the order of addition.
fn neighbors_at(machine: &mut Machine, location: &Value, masks: [u64; 3], steps: &[(i64, i64)]) -> Outcome {
    if machine.ascending()
        && let Value::Pair(row, column) = location
        && is_near(row.saturating_abs() + 1, column.saturating_abs() + 1)
    {
        return Ok(Value::indices(Indices::from_rows(row - 1, column - 1, &masks)));
    }
    let (row, column) = (duck::integer(&duck::slot(location, 0)?)?, duck::integer(&duck::slot(location, 1)?)?);
    let neighbor = |offset: &(i64, i64)| {
        Ok(Value::pair(
            fitting(i128::from(row) + i128::from(offset.0))?,
            fitting(i128::from(column) + i128::from(offset.1))?,
        ))
    };
    let members = steps.iter().map(neighbor).collect::<Outcome<Vec<Value>>>()?;
    machine.reserve_members(members.len())?;
    machine.copied_set_of(members)
}

pub(super) fn connect(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (start, end) = (two_integers(&arguments[0])?, two_integers(&arguments[1])?);
    let widened = |(row, column): (i64, i64)| (i128::from(row), i128::from(column));
    line(machine, widened(start), widened(end))
}

pub(super) fn shoot(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [start, direction] = arguments else { unreachable!("as many as the row has") };
    let from = (duck::integer(&duck::slot(start, 0)?)?, duck::integer(&duck::slot(start, 1)?)?);
    let by = (duck::integer(&duck::slot(direction, 0)?)?, duck::integer(&duck::slot(direction, 1)?)?);
    // A start of more slots is looked at here, and fails to be an end of a line.
    duck::both(start)?;
    let from = (i128::from(from.0), i128::from(from.1));
    line(machine, from, (from.0 + SHOT * i128::from(by.0), from.1 + SHOT * i128::from(by.1)))
}

/// The locations of a straight line or of one at 45 degrees, both ends among them; none of any other.
fn line(machine: &mut Machine, one: (i128, i128), other: (i128, i128)) -> Outcome {
    let (rows, columns) = (other.0 - one.0, other.1 - one.1);
    if rows != 0 && columns != 0 && rows.abs() != columns.abs() {
        return machine.set_of(Vec::new());
    }
    let length = usize::try_from(rows.abs().max(columns.abs())).unwrap_or(usize::MAX).saturating_add(1);
    let near = |(row, column): (i128, i128)| {
        let (row, column) = (i32::try_from(row).ok()?, i32::try_from(column).ok()?);
        is_near(row, column).then_some((row, column))
    };
    // From the least row, and in a row from the least column.
    let (from, to) = if one <= other { (one, other) } else { (other, one) };
    if machine.ascending()
        && length <= 64
        && let (Some(from), Some(to)) = (near(from), near(to))
    {
        machine.reserve(8 * length)?;
        let left = from.1.min(to.1);
        if rows == 0 || columns == 0 {
            return Ok(Value::indices(Some(Indices::filled_box(from.0, left, to.0, from.1.max(to.1)))));
        }
        let mut masks = [0_u64; 64];
        for (index, mask) in masks[..length].iter_mut().enumerate() {
            *mask = if from.1 <= to.1 { 1 << index } else { 1 << (length - 1 - index) };
        }
        let bounds = [from.0, left, to.0, from.1.max(to.1)];
        return Ok(Value::indices(Some(Indices::of_counted_masks(bounds, &masks[..length], length as u32))));
    }
    machine.reserve_members(length)?;
    let row_step = (to.0 - from.0).signum();
    let column_step = (to.1 - from.1).signum();
    let location_at = |index: usize| {
        let index = index as i128;
        Ok(Value::pair(fitting(from.0 + index * row_step)?, fitting(from.1 + index * column_step)?))
    };
    let members = (0..length).map(location_at).collect::<Outcome<_>>()?;
    machine.set_of(members)
}

pub(super) fn vfrontier(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Value::Pair(_, column) = arguments[0]
    {
        return Ok(Value::indices(Some(Indices::filled_box(0, column, FRONTIER - 1, column))));
    }
    let column = duck::slot(&arguments[0], 1)?;
    frontier(machine, &column, |at, column| [at, column])
}

pub(super) fn hfrontier(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Value::Pair(row, _) = arguments[0]
    {
        return Ok(Value::indices(Some(Indices::filled_box(row, 0, row, FRONTIER - 1))));
    }
    let row = duck::slot(&arguments[0], 0)?;
    frontier(machine, &row, |at, row| [row, at])
}

/// Whatever stands in the slot that a frontier keeps stands in each of its members.
fn frontier(machine: &mut Machine, fixed: &Value, member: impl Fn(Value, Value) -> [Value; 2]) -> Outcome {
    machine.reserve((fixed.bytes() + 64).saturating_mul(FRONTIER as usize))?;
    let member_at = |index: i32| Value::tuple(member(Value::Integer(i64::from(index)), fixed.clone()).into());
    let members = (0..FRONTIER).map(member_at).collect();
    machine.set_of(members)
}
