//! Where patches are in relation to each other: distances, shared rows and columns, and the way to each other.

use super::{
    duck,
    patches::center_of,
    shapes::{Axis, Bounds, End, extreme, fitting, locations, stored_bounds, stored_locations, two_integers},
};
use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, bytes_of},
    value::{Indices, Value},
};

pub(super) fn hmatching(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    matching(machine, &arguments[0], &arguments[1], Axis::Row)
}

pub(super) fn vmatching(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    matching(machine, &arguments[0], &arguments[1], Axis::Column)
}

/// Whether two patches share a row or a column.
fn matching(machine: &mut Machine, one: &Value, other: &Value, axis: Axis) -> Outcome {
    let taken = |patch: &Value| match (patch, axis) {
        (Value::Indices(indices), Axis::Row) => indices.taken_rows(),
        (Value::Indices(indices), Axis::Column) => indices.taken_columns(),
        (Value::Object(object), Axis::Row) => object.taken_rows(),
        (Value::Object(object), Axis::Column) => object.taken_columns(),
        _ => None,
    };
    if let (Some(one), Some(other)) = (taken(one), taken(other)) {
        return Ok(Value::truth(one.meets(other)));
    }
    let mut slots = |patch: &Value| {
        let locations = locations(machine, patch)?;
        machine.reserve_members(duck::length(&locations)?)?;
        let members = locations.members().into_iter().flatten().map(|location| {
            let (row, column) = duck::both(&location)?;
            Ok(if axis == Axis::Row { row } else { column })
        });
        let mut slots = members.collect::<Outcome<Vec<Value>>>()?;
        machine.visit_sorted(slots.len(), bytes_of(&slots))?;
        slots.sort_unstable();
        Ok(slots)
    };
    let (ones, others) = (slots(one)?, slots(other)?);
    Ok(Value::truth(ones.iter().any(|slot| others.binary_search(slot).is_ok())))
}

pub(super) fn manhattan(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::Integer(distance(machine, &arguments[0], &arguments[1])?))
}

pub(super) fn adjacent(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::truth(distance(machine, &arguments[0], &arguments[1])? == 1))
}

/// The least city-block distance between locations of two patches.
fn distance(machine: &mut Machine, one: &Value, other: &Value) -> Outcome<i64> {
    if let (Some(one), Some(other)) = (stored_locations(one), stored_locations(other)) {
        machine.visit(one.count() as usize + other.count() as usize)?;
        machine.visit(rows_to_rows(&one, &other))?;
        if let Some(distance) = one.distance(&other) {
            return Ok(distance.into());
        }
    }
    let (ones, others) = (integer_locations(machine, one)?, integer_locations(machine, other)?);
    fitting(least_distance(machine, &ones, &others, (0, 0))?)
}

/// How many pairs of rows are looked at for the distance of two sets that are stored as masks.
fn rows_to_rows(one: &Indices, other: &Indices) -> usize {
    let rows = |set: &Indices| set.rows().map_or(0, <[u64]>::len);
    rows(one) * rows(other) / 2
}

/// The least distance between locations of two lists, the first one moved.
fn least_distance(
    machine: &mut Machine,
    ones: &[(i128, i128)],
    others: &[(i128, i128)],
    moved: (i128, i128),
) -> Outcome<i128> {
    machine.visit(ones.len().saturating_mul(others.len()))?;
    let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs
        .map(|(one, other)| (one.0 + moved.0 - other.0).abs() + (one.1 + moved.1 - other.1).abs())
        .min()
        .ok_or(Fault::Empty("there is no distance to a patch without cells"))
}

/// The locations of a patch as integers.
fn integer_locations(machine: &mut Machine, patch: &Value) -> Outcome<Vec<(i128, i128)>> {
    let locations = locations(machine, patch)?;
    machine.reserve_members(duck::length(&locations)?.saturating_mul(2))?;
    let members = locations.members().into_iter().flatten();
    members.map(|location| two_integers(&location).map(|(row, column)| (row.into(), column.into()))).collect()
}

pub(super) fn bordering(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [patch, grid] = arguments else { unreachable!("as many as the row has") };
    if let (Some(Bounds { top, left, bottom, right }), Value::Grid(grid)) = (stored_bounds(patch), grid) {
        let (last_row, last_column) = (i64::from(grid.height()) - 1, i64::from(grid.width()) - 1);
        return Ok(Value::truth(top == 0 || left == 0 || bottom == last_row || right == last_column));
    }
    // The grid is looked at only where it matters.
    for (axis, end) in
        [(Axis::Row, End::Least), (Axis::Column, End::Least), (Axis::Row, End::Greatest), (Axis::Column, End::Greatest)]
    {
        let border = match (axis, end) {
            (_, End::Least) => 0,
            (Axis::Row, End::Greatest) => duck::length(grid)? as i64 - 1,
            (Axis::Column, End::Greatest) => match grid {
                Value::Grid(grid) => i64::from(grid.width()) - 1,
                grid => duck::length(&duck::slot(grid, 0)?)? as i64 - 1,
            },
        };
        if extreme(machine, patch, axis, end)? == Value::Integer(border) {
            return Ok(Value::truth(true));
        }
    }
    Ok(Value::truth(false))
}

/// The most steps that gravity takes.
const MOST_STEPS: i64 = 42;

pub(super) fn gravitate(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [source, destination] = arguments else { unreachable!("as many as the row has") };
    let (from, to) = (center_of(machine, source)?, center_of(machine, destination)?);
    let share_column = matching(machine, source, destination, Axis::Column)?.is_true();
    let (rows, columns) =
        if share_column { (if from.0 < to.0 { 1 } else { -1 }, 0) } else { (0, if from.1 < to.1 { 1 } else { -1 }) };
    let offset = |steps: i64| Ok(Value::pair(rows * steps, columns * steps));
    if let (Some(one), Some(other)) = (stored_locations(source), stored_locations(destination)) {
        machine.visit(one.count() as usize + other.count() as usize)?;
        let furthest = one.moved(rows * MOST_STEPS, columns * MOST_STEPS);
        if furthest.and_then(|furthest| furthest.distance(&other)).is_some() {
            for steps in 0..MOST_STEPS {
                machine.charge(1)?;
                machine.visit(rows_to_rows(&one, &other))?;
                let moved = one.moved(rows * steps, columns * steps);
                if moved.and_then(|moved| moved.distance(&other)) == Some(1) {
                    return offset(steps);
                }
            }
            return offset(MOST_STEPS);
        }
    }
    let (ones, others) = (integer_locations(machine, source)?, integer_locations(machine, destination)?);
    for steps in 0..MOST_STEPS {
        let moved = (i128::from(rows * steps), i128::from(columns * steps));
        if least_distance(machine, &ones, &others, moved)? == 1 {
            return offset(steps);
        }
    }
    offset(MOST_STEPS)
}
