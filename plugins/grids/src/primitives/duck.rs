//! Access to values as the language of the reference has it: without a check of the kind of a value first (duck typing).

use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, TUPLE},
    value::{Members, Value},
};

/// How many members a tuple or a set has.
pub(super) fn length(value: &Value) -> Outcome<usize> {
    value.size().ok_or(Fault::Type("a tuple or a set was expected"))
}

/// The members of a tuple or a set, in the order of iteration.
pub(super) fn members(value: &Value) -> Outcome<Members<'_>> {
    value.members().ok_or(Fault::Type("a tuple or a set was expected"))
}

/// An integer.
pub(super) fn integer(value: &Value) -> Outcome<i64> {
    match value {
        Value::Integer(integer) => Ok(*integer),
        _ => Err(Fault::Type("an integer was expected")),
    }
}

/// How many times a loop over so many numbers runs.
pub(super) fn times(value: &Value) -> Outcome<usize> {
    Ok(usize::try_from(integer(value)?.max(0)).unwrap_or(usize::MAX))
}

/// The slot of a tuple, counted from 0.
pub(super) fn slot(value: &Value, at: usize) -> Outcome {
    let slots = value.slots().ok_or(Fault::Type("a tuple was expected"))?;
    if at < slots.len() { Ok(slots.get(at)) } else { Err(Fault::Value("a tuple has fewer slots than were asked for")) }
}

/// The slot of a row of a grid, or of what stands in the place of one; no row of a grid is made for it.
pub(super) fn cell(grid: &Value, row: usize, column: usize) -> Outcome {
    match grid {
        Value::Grid(colors) if row < colors.height() as usize && column < colors.width() as usize => {
            Ok(Value::Integer(colors.cells()[row * colors.width() as usize + column].into()))
        }
        Value::Tuple(rows) if row < rows.items().len() => slot(&rows.items()[row], column),
        grid => slot(&slot(grid, row)?, column),
    }
}

/// The first member in the order of iteration.
pub(super) fn first(value: &Value) -> Outcome {
    members(value)?.next().ok_or(Fault::Empty("the first member of nothing was asked for"))
}

/// Both members of a tuple or a set of two.
pub(super) fn both(value: &Value) -> Outcome<(Value, Value)> {
    match value {
        Value::Pair(first, second) => Ok((Value::Integer((*first).into()), Value::Integer((*second).into()))),
        Value::Cell(color, row, column) => Ok((Value::Integer((*color).into()), Value::Pair(*row, *column))),
        value => {
            let mut members = members(value)?;
            match (members.next(), members.next(), members.next()) {
                (Some(first), Some(second), None) => Ok((first, second)),
                _ => Err(Fault::Value("two members were expected")),
            }
        }
    }
}

/// The part of so many things from `start` to before `stop`: negative numbers count from the end, and what is past an end is cut.
pub(super) fn part(start: i64, stop: i64, length: usize) -> std::ops::Range<usize> {
    let index = |at: i64| {
        let from_the_front = if at < 0 { at.saturating_add(length as i64).max(0) } else { at };
        usize::try_from(from_the_front).unwrap_or(usize::MAX).min(length)
    };
    let start = index(start);
    start..index(stop).max(start)
}

/// The slots of a tuple.
pub(super) fn slots(value: &Value) -> Outcome<impl DoubleEndedIterator<Item = Value> + ExactSizeIterator> {
    let slots = value.slots().ok_or(Fault::Type("a tuple was expected"))?;
    Ok((0..slots.len()).map(move |at| slots.get(at)))
}

/// The tuple of these slots of a tuple.
pub(super) fn slice(machine: &mut Machine, value: &Value, part: std::ops::Range<usize>) -> Outcome {
    machine.reserve_tuple(part.len())?;
    Ok(Value::tuple(slots(value)?.skip(part.start).take(part.len()).collect()))
}

/// The tuple backwards.
pub(super) fn reversed(machine: &mut Machine, value: &Value) -> Outcome {
    machine.reserve_tuple(length(value)?)?;
    Ok(Value::tuple(slots(value)?.rev().collect()))
}

/// The members of all at the first place, those at the second …, to the end of the shortest.
pub(super) fn zipped(machine: &mut Machine, all: impl Iterator<Item = Value>) -> Outcome<Vec<Value>> {
    let mut lists = Vec::new();
    for value in all {
        machine.reserve_tuple(length(&value)?)?;
        lists.push(members(&value)?.collect::<Vec<_>>());
    }
    let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
    machine.reserve_members(shortest.saturating_mul(lists.len() + TUPLE))?;
    Ok((0..shortest).map(|at| Value::tuple(lists.iter().map(|list| list[at].clone()).collect())).collect())
}

/// The sum of integers, or one tuple behind the other.
pub(super) fn sum(machine: &mut Machine, one: &Value, two: &Value) -> Outcome {
    match (one, two) {
        (Value::Integer(one), Value::Integer(two)) => one.checked_add(*two).map(Value::Integer).ok_or(Fault::Overflow),
        _ => {
            machine.reserve_tuple(length(one)?.saturating_add(length(two)?))?;
            Ok(Value::tuple(slots(one)?.chain(slots(two)?).collect()))
        }
    }
}

/// The difference of integers.
pub(super) fn difference(one: &Value, two: &Value) -> Outcome<i64> {
    integer(one)?.checked_sub(integer(two)?).ok_or(Fault::Overflow)
}

/// The place in a rectangle, if it is inside. The column is not looked at when the row is outside.
pub(super) fn grid_index(row: &Value, column: &Value, height: usize, width: usize) -> Outcome<Option<(usize, usize)>> {
    let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|at| *at < size);
    let Some(row) = inside(integer(row)?, height) else { return Ok(None) };
    Ok(inside(integer(column)?, width).map(|column| (row, column)))
}

/// Whether the members of a patch, which has some, are cells: whether the second slot of the first one is a tuple.
pub(super) fn holds_cells(patch: &Value) -> Outcome<bool> {
    Ok(slot(&first(patch)?, 1)?.is_tuple())
}
