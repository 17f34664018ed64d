//! Primitives of patches, which are sets of locations or of cells: corners, moves, centres and boxes.

use std::rc::Rc;

use super::{
    duck,
    pieces::{height_of, width_of},
    shapes::{
        Axis, Bounds, End, bounds, columns, copied, extreme, extreme_of, fitting, locations, stored_bounds,
        stored_locations, two_integers,
    },
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Indices, Value, is_near},
};

pub(super) fn ulcorner(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    corner(machine, &arguments[0], |bounds| (bounds.top, bounds.left), &[End::Least; 1])
}

pub(super) fn urcorner(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    corner(machine, &arguments[0], |bounds| (bounds.top, bounds.right), &[End::Least, End::Greatest])
}

pub(super) fn llcorner(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    corner(machine, &arguments[0], |bounds| (bounds.bottom, bounds.left), &[End::Greatest, End::Least])
}

pub(super) fn lrcorner(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    corner(machine, &arguments[0], |bounds| (bounds.bottom, bounds.right), &[End::Greatest; 1])
}

/// A corner of the box. Of members that are no pairs: the least or greatest of each slot, as many as all members have. One `end`
/// stands for all slots; two are for members of no more slots.
fn corner(machine: &mut Machine, patch: &Value, corner_of: impl Fn(Bounds) -> (i64, i64), ends: &[End]) -> Outcome {
    if let Some(bounds) = stored_bounds(patch) {
        let (row, column) = corner_of(bounds);
        return Ok(Value::pair(row, column));
    }
    let mut slots = Vec::new();
    for (at, column) in columns(machine, patch)?.into_iter().enumerate() {
        let end = match ends {
            [end] => end,
            ends => ends.get(at).ok_or(Fault::Value("a location has two slots"))?,
        };
        slots.push(extreme_of(column.into_iter().map(Ok), *end)?);
    }
    Ok(Value::tuple(slots))
}

pub(super) fn corners(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some((top, left, bottom, right)) = near_bounds(&arguments[0], 0)
    {
        let cells = vec![(top, left), (top, right), (bottom, left), (bottom, right)];
        return Ok(Value::indices(Indices::from_cells(cells)));
    }
    let four = [ulcorner, urcorner, llcorner, lrcorner];
    let members = four.iter().map(|corner| corner(machine, arguments)).collect::<Outcome<_>>()?;
    machine.copied_set_of(members)
}

/// The bounds of a set that is stored as masks, if there is room for so many more steps around it.
fn near_bounds(patch: &Value, steps: i64) -> Option<(i32, i32, i32, i32)> {
    let bounds = stored_bounds(patch)?;
    let [top, left, bottom, right] =
        [bounds.top - steps, bounds.left - steps, bounds.bottom + steps, bounds.right + steps].map(|at| at as i32);
    (is_near(top, left) && is_near(bottom, right)).then_some((top, left, bottom, right))
}

pub(super) fn toindices(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    locations(machine, &arguments[0])
}

pub(super) fn shift(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [patch, directions] = arguments else { unreachable!("as many as the row has") };
    if duck::length(patch)? == 0 {
        return Ok(patch.clone());
    }
    let (rows, columns) = duck::both(directions)?;
    moved(machine, patch, duck::integer(&rows)?.into(), duck::integer(&columns)?.into())
}

pub(super) fn normalize(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    normalized(machine, &arguments[0])
}

/// A patch moved so that its corner is the origin; an empty one as it is.
pub(super) fn normalized(machine: &mut Machine, patch: &Value) -> Outcome {
    if duck::length(patch)? == 0 {
        return Ok(patch.clone());
    }
    let top = duck::integer(&extreme(machine, patch, Axis::Row, End::Least)?)?;
    let left = duck::integer(&extreme(machine, patch, Axis::Column, End::Least)?)?;
    moved(machine, patch, -i128::from(top), -i128::from(left))
}

/// A patch that is not empty moved by so many rows and columns: a set, whatever it was.
fn moved(machine: &mut Machine, patch: &Value, rows: i128, columns: i128) -> Outcome {
    if let (Ok(rows), Ok(columns)) = (i64::try_from(rows), i64::try_from(columns)) {
        match patch {
            Value::Indices(_) | Value::Object(_) if (rows, columns) == (0, 0) => return Ok(patch.clone()),
            Value::Indices(indices) => {
                machine.reserve(indices.bytes())?;
                if let Some(moved) = indices.moved(rows, columns) {
                    return Ok(Value::Indices(Rc::new(moved)));
                }
            }
            Value::Object(object) => {
                machine.reserve(object.bytes())?;
                if let Some(moved) = object.moved(rows, columns) {
                    return Ok(Value::Object(Rc::new(moved)));
                }
            }
            _ => {}
        }
    }
    let cells = duck::holds_cells(patch)?;
    machine.reserve_members(duck::length(patch)?)?;
    machine.reserve_members(duck::length(patch)?)?;
    let step = |location: &Value| {
        let (row, column) = two_integers(location)?;
        Ok(Value::pair(fitting(i128::from(row) + rows)?, fitting(i128::from(column) + columns)?))
    };
    let members = patch.members().into_iter().flatten().map(|member| {
        if !cells {
            return step(&member);
        }
        let (value, location) = duck::both(&member)?;
        Ok(Value::tuple(vec![value, step(&location)?]))
    });
    let members = members.collect::<Outcome<_>>()?;
    machine.set_of(members)
}

pub(super) fn uppermost(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extreme(machine, &arguments[0], Axis::Row, End::Least)
}

pub(super) fn lowermost(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extreme(machine, &arguments[0], Axis::Row, End::Greatest)
}

pub(super) fn leftmost(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extreme(machine, &arguments[0], Axis::Column, End::Least)
}

pub(super) fn rightmost(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extreme(machine, &arguments[0], Axis::Column, End::Greatest)
}

pub(super) fn vline(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    let long = height_of(machine, patch)? == duck::length(patch)? as i64;
    Ok(Value::truth(long && width_of(machine, patch)? == 1))
}

pub(super) fn hline(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    let long = width_of(machine, patch)? == duck::length(patch)? as i64;
    Ok(Value::truth(long && height_of(machine, patch)? == 1))
}

pub(super) fn centerofmass(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    let count = duck::length(patch)? as i128;
    if let Some(locations) = stored_locations(patch) {
        machine.visit(locations.count() as usize)?;
        let (rows, columns) = locations.sums();
        let of = |sum: i64| (i128::from(sum)).div_euclid(count) as i64;
        return Ok(Value::pair(of(rows), of(columns)));
    }
    let mut slots = Vec::new();
    for column in columns(machine, patch)? {
        let mut sum = 0_i128;
        for slot in &column {
            sum += i128::from(duck::integer(slot)?);
        }
        slots.push(Value::Integer(fitting(sum.div_euclid(count))?));
    }
    Ok(Value::tuple(slots))
}

pub(super) fn center(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (row, column) = center_of(machine, &arguments[0])?;
    Ok(Value::pair(fitting(row)?, fitting(column)?))
}

pub(super) fn center_of(machine: &mut Machine, patch: &Value) -> Outcome<(i128, i128)> {
    if let Some(bounds) = stored_bounds(patch) {
        let half = |least: i64, greatest: i64| i128::from(least + (greatest - least + 1) / 2);
        return Ok((half(bounds.top, bounds.bottom), half(bounds.left, bounds.right)));
    }
    let top = duck::integer(&extreme(machine, patch, Axis::Row, End::Least)?)?;
    let left = duck::integer(&extreme(machine, patch, Axis::Column, End::Least)?)?;
    Ok((
        i128::from(top) + i128::from(height_of(machine, patch)? / 2),
        i128::from(left) + i128::from(width_of(machine, patch)? / 2),
    ))
}

pub(super) fn position(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let mut center = |patch: &Value| {
        if stored_bounds(patch).is_some() {
            return center_of(machine, patch);
        }
        let locations = locations(machine, patch)?;
        center_of(machine, &locations)
    };
    let (one, other) = (center(&arguments[0])?, center(&arguments[1])?);
    let (row, column) = ((other.0 - one.0).signum() as i64, (other.1 - one.1).signum() as i64);
    Ok(if row == 0 && column == 0 { Value::pair(0, -1) } else { Value::pair(row, column) })
}

pub(super) fn backdrop(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    if duck::length(patch)? == 0 {
        return machine.set_of(Vec::new());
    }
    if machine.ascending()
        && let Some((top, left, bottom, right)) = near_bounds(patch, 0)
    {
        return Ok(Value::indices(Some(stored_box(machine, top, left, bottom, right)?)));
    }
    let (top, left) = two_integers(&ulcorner(machine, arguments)?)?;
    let (bottom, right) = two_integers(&lrcorner(machine, arguments)?)?;
    let side = |least: i64, greatest: i64| usize::try_from(i128::from(greatest) - i128::from(least) + 1);
    let (rows, columns) = (side(top, bottom).unwrap_or(usize::MAX), side(left, right).unwrap_or(usize::MAX));
    machine.reserve_members(rows.saturating_mul(columns))?;
    let all = (top..=bottom).flat_map(|row| (left..=right).map(move |column| Value::pair(row, column)));
    machine.set_of(all.collect())
}

/// The box of all locations from one corner to the other, counted before it is made.
fn stored_box(machine: &mut Machine, top: i32, left: i32, bottom: i32, right: i32) -> Outcome<Indices> {
    let (rows, columns) = ((bottom - top) as usize + 1, (right - left) as usize + 1);
    if rows > 64 || columns > 64 {
        machine.reserve(rows.saturating_mul(columns).saturating_mul(8))?;
    }
    machine.visit(rows.saturating_mul(columns))?;
    Ok(Indices::filled_box(top, left, bottom, right))
}

pub(super) fn delta(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    if machine.ascending()
        && let (Some((top, left, bottom, right)), Some(locations)) = (near_bounds(patch, 0), stored_locations(patch))
    {
        let all = stored_box(machine, top, left, bottom, right)?;
        if all.rows().is_none() {
            machine.visit_sorted(all.count() as usize, 0)?;
        }
        return Ok(Value::indices(all.difference(&locations)));
    }
    if duck::length(patch)? == 0 {
        return machine.set_of(Vec::new());
    }
    let (all, locations) = (backdrop(machine, arguments)?, locations(machine, patch)?);
    machine.difference(&all, &locations)
}

pub(super) fn inbox(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let bounds = bounds(machine, &arguments[0])?;
    outline(machine, bounds, -1)
}

pub(super) fn outbox(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let bounds = bounds(machine, &arguments[0])?;
    outline(machine, bounds, 1)
}

pub(super) fn r#box(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let patch = &arguments[0];
    if duck::length(patch)? == 0 {
        return Ok(patch.clone());
    }
    let bounds = match stored_bounds(patch) {
        Some(bounds) => bounds,
        None => {
            let (top, left) = two_integers(&ulcorner(machine, arguments)?)?;
            let (bottom, right) = two_integers(&lrcorner(machine, arguments)?)?;
            Bounds { top, left, bottom, right }
        }
    };
    outline(machine, bounds, 0)
}

/// The outline of the box so many steps outside of these bounds. A box that is turned inside out by it is turned back.
fn outline(machine: &mut Machine, bounds: Bounds, steps: i64) -> Outcome {
    let out = |least: i64, greatest: i64| {
        let (one, other) = (i128::from(least) - i128::from(steps), i128::from(greatest) + i128::from(steps));
        Ok((fitting(one.min(other))?, fitting(one.max(other))?))
    };
    let ((top, bottom), (left, right)) = (out(bounds.top, bounds.bottom)?, out(bounds.left, bounds.right)?);
    let side = |least: i64, greatest: i64| usize::try_from(i128::from(greatest) - i128::from(least) + 1);
    let (rows, columns) = (side(top, bottom).unwrap_or(usize::MAX), side(left, right).unwrap_or(usize::MAX));
    let length = rows.saturating_add(columns).saturating_mul(2);
    if machine.ascending()
        && let [Ok(top), Ok(left), Ok(bottom), Ok(right)] = [top, left, bottom, right].map(i32::try_from)
        && is_near(top, left)
        && is_near(bottom, right)
    {
        if rows > 64 || columns > 64 {
            machine.reserve(length.saturating_mul(8))?;
        }
        machine.visit(length)?;
        return Ok(Value::indices(Some(Indices::outline(top, left, bottom, right))));
    }
    machine.reserve_members(length.saturating_mul(2))?;
    let mut down = |column: i64| machine.set_of((top..=bottom).map(|row| Value::pair(row, column)).collect());
    let (west, east) = (down(left)?, down(right)?);
    let mut across = |row: i64| machine.set_of((left..=right).map(|column| Value::pair(row, column)).collect());
    let (north, south) = (across(top)?, across(bottom)?);
    let (vertical, horizontal) = (machine.union(&west, &east)?, machine.union(&north, &south)?);
    let length = machine.union(&vertical, &horizontal)?;
    copied(machine, length)
}
