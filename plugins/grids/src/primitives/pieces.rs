//! Primitives that grids and patches share.
//!
//! A tuple is taken for a grid, anything else for a patch.

use super::{
    duck, grids, patches,
    shapes::{self, Bounds},
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Indices, Object, Value},
};

/// Places from the least to the greatest.
fn extent(least: &Value, greatest: &Value) -> Outcome<i64> {
    duck::difference(greatest, least)?.checked_add(1).ok_or(Fault::Overflow)
}

/// Rows of a tuple, or extent of the rows of a set; none when empty.
pub(super) fn height_of(machine: &mut Machine, piece: &Value) -> Outcome<i64> {
    match piece {
        Value::Grid(grid) => Ok(grid.height().into()),
        Value::Indices(patch) => Ok(patch.height().into()),
        piece if duck::length(piece)? == 0 => Ok(0),
        piece if piece.is_tuple() => Ok(duck::length(piece)? as i64),
        patch => {
            let patch = std::slice::from_ref(patch);
            let greatest = patches::lowermost(machine, patch)?;
            extent(&patches::uppermost(machine, patch)?, &greatest)
        }
    }
}

/// Length of the first row of a tuple, or extent of the columns of a set; none when empty.
pub(super) fn width_of(machine: &mut Machine, piece: &Value) -> Outcome<i64> {
    match piece {
        Value::Grid(grid) => Ok(grid.width().into()),
        Value::Indices(patch) => Ok(patch.width().into()),
        piece if duck::length(piece)? == 0 => Ok(0),
        piece if piece.is_tuple() => Ok(duck::length(&duck::slot(piece, 0)?)? as i64),
        patch => {
            let patch = std::slice::from_ref(patch);
            let greatest = patches::rightmost(machine, patch)?;
            extent(&patches::leftmost(machine, patch)?, &greatest)
        }
    }
}

/// Rows and columns.
fn size_of(machine: &mut Machine, piece: &Value) -> Outcome<(i64, i64)> {
    match shapes::stored_bounds(piece) {
        Some(bounds) => Ok((bounds.bottom - bounds.top + 1, bounds.right - bounds.left + 1)),
        None => Ok((height_of(machine, piece)?, width_of(machine, piece)?)),
    }
}

pub(super) fn height(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    height_of(machine, &arguments[0]).map(Value::Integer)
}

pub(super) fn width(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    width_of(machine, &arguments[0]).map(Value::Integer)
}

pub(super) fn shape(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (height, width) = size_of(machine, &arguments[0])?;
    Ok(Value::pair(height, width))
}

pub(super) fn portrait(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (height, width) = size_of(machine, &arguments[0])?;
    Ok(Value::truth(height > width))
}

pub(super) fn square(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let piece = &arguments[0];
    if piece.is_tuple() {
        let (height, width) = grids::any::dimensions(piece)?;
        return Ok(Value::truth(height == width));
    }
    let (height, width) = size_of(machine, piece)?;
    // What does not fit 64 bits is more than there are members.
    let is_full = height.checked_mul(width) == Some(duck::length(piece)? as i64);
    Ok(Value::truth(is_full && height == width))
}

/// A patch stored as masks, each of its sets of locations changed; `None` if it is no such patch, or a set ends up too far out.
fn changed(
    machine: &mut Machine,
    patch: &Value,
    change: impl Fn(&Indices) -> Option<Indices>,
) -> Outcome<Option<Value>> {
    machine.reserve(patch.bytes())?;
    machine.visit(patch.bytes() / 8)?;
    Ok(match patch {
        Value::Indices(patch) => change(patch).map(|changed| Value::indices(Some(changed))),
        Value::Object(patch) => {
            let planes = patch.planes().iter().map(|(color, plane)| Some((*color, change(plane)?.into())));
            planes.collect::<Option<_>>().map(|planes| Value::object(Object::from_planes(planes)))
        }
        _ => None,
    })
}

/// The set of the locations of any patch, each changed; cells keep their colours.
fn each_location(
    machine: &mut Machine,
    patch: &Value,
    change: impl Fn(&Value, &Value) -> Outcome<(i64, i64)>,
) -> Outcome {
    let holds_cells = duck::holds_cells(patch)?;
    machine.reserve_members(duck::length(patch)?)?;
    let mut members = Vec::new();
    for member in duck::members(patch)? {
        let (one, two) = duck::both(&member)?;
        members.push(if holds_cells {
            let (row, column) = duck::both(&two)?;
            let (row, column) = change(&row, &column)?;
            Value::tuple(vec![one, Value::pair(row, column)])
        } else {
            let (row, column) = change(&one, &two)?;
            Value::pair(row, column)
        });
    }
    machine.set_of(members)
}

/// The sum of the least and the greatest row, or column, of a patch.
fn ends(machine: &mut Machine, patch: &Value, at: usize) -> Outcome<i128> {
    let patch = std::slice::from_ref(patch);
    let least = duck::slot(&patches::ulcorner(machine, patch)?, at)?;
    let greatest = duck::slot(&patches::lrcorner(machine, patch)?, at)?;
    Ok(i128::from(duck::integer(&least)?) + i128::from(duck::integer(&greatest)?))
}

fn less(from: i128, value: &Value) -> Outcome<i64> {
    shapes::fitting(from - i128::from(duck::integer(value)?))
}

pub(super) fn hmirror(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let piece = &arguments[0];
    if let Value::Grid(grid) = piece {
        let mut cells = machine.reserve_cells(grid.height().into(), grid.width().into())?;
        grid.rows().rev().for_each(|row| cells.extend_from_slice(row));
        return Ok(Machine::grid(grid.height().into(), grid.width().into(), cells));
    }
    if piece.is_tuple() {
        return duck::reversed(machine, piece);
    }
    if let Some(Bounds { top, bottom, .. }) = shapes::stored_bounds(piece)
        && let Some(mirrored) = changed(machine, piece, |plane| plane.with_rows_mirrored(top + bottom))?
    {
        return Ok(mirrored);
    }
    any_hmirror(machine, piece)
}

fn any_hmirror(machine: &mut Machine, patch: &Value) -> Outcome {
    let sum = ends(machine, patch, 0)?;
    each_location(machine, patch, |row, column| Ok((less(sum, row)?, duck::integer(column)?)))
}

pub(super) fn vmirror(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let piece = &arguments[0];
    if let Some(grid) = piece.as_grid() {
        let mut cells = machine.reserve_cells(grid.height().into(), grid.width().into())?;
        grid.rows().for_each(|row| cells.extend(row.iter().rev()));
        return Ok(Machine::grid(grid.height().into(), grid.width().into(), cells));
    }
    if piece.is_tuple() {
        machine.reserve_members(duck::length(piece)?)?;
        let rows = duck::slots(piece)?.map(|row| duck::reversed(machine, &row)).collect::<Outcome<_>>()?;
        return Ok(Value::tuple(rows));
    }
    if let Some(Bounds { left, right, .. }) = shapes::stored_bounds(piece)
        && let Some(mirrored) = changed(machine, piece, |plane| plane.with_columns_mirrored(left + right))?
    {
        return Ok(mirrored);
    }
    any_vmirror(machine, piece)
}

fn any_vmirror(machine: &mut Machine, patch: &Value) -> Outcome {
    let sum = ends(machine, patch, 1)?;
    each_location(machine, patch, |row, column| Ok((duck::integer(row)?, less(sum, column)?)))
}

pub(super) fn dmirror(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let piece = &arguments[0];
    if let Some(grid) = piece.as_grid() {
        return grids::turned(machine, &grid, false, false);
    }
    if piece.is_tuple() {
        return Ok(Value::tuple(duck::zipped(machine, duck::slots(piece)?)?));
    }
    if let Some(Bounds { top, left, .. }) = shapes::stored_bounds(piece)
        && let Some(mirrored) = changed(machine, piece, |plane| plane.transposed(top - left))?
    {
        return Ok(mirrored);
    }
    any_dmirror(machine, piece)
}

fn any_dmirror(machine: &mut Machine, patch: &Value) -> Outcome {
    let (top, left) = duck::both(&patches::ulcorner(machine, std::slice::from_ref(patch))?)?;
    let offset = i128::from(duck::integer(&top)?) - i128::from(duck::integer(&left)?);
    let moved = |at: &Value, by: i128| shapes::fitting(i128::from(duck::integer(at)?) + by);
    each_location(machine, patch, |row, column| Ok((moved(column, offset)?, moved(row, -offset)?)))
}

pub(super) fn cmirror(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let piece = &arguments[0];
    if let Some(grid) = piece.as_grid() {
        return grids::turned(machine, &grid, true, true);
    }
    if piece.is_tuple() {
        let rows = duck::slots(piece)?.rev().map(|row| duck::reversed(machine, &row)).collect::<Outcome<Vec<_>>>()?;
        return Ok(Value::tuple(duck::zipped(machine, rows.into_iter())?));
    }
    let mirrored = vmirror(machine, arguments)?;
    let mirrored = dmirror(machine, &[mirrored])?;
    vmirror(machine, &[mirrored])
}

pub(super) fn upscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (element, factor) = (&arguments[0], &arguments[1]);
    if element.is_tuple() {
        return match (element.as_grid(), factor) {
            (Some(grid), Value::Integer(factor)) => grids::enlarged(machine, &grid, *factor, *factor),
            _ => grids::any::upscale(machine, element, factor),
        };
    }
    if duck::length(element)? == 0 {
        return machine.set_of(Vec::new());
    }
    if let (Value::Object(object), Value::Integer(factor @ 1..)) = (element, factor) {
        let origin = (object.top(), object.left());
        // A set of masks is far smaller than a list of its locations: this is what the largest one takes.
        let cells = u64::from(object.count()).saturating_mul(factor.saturating_mul(*factor) as u64);
        machine.reserve(usize::try_from(cells.saturating_mul(8)).unwrap_or(usize::MAX))?;
        if let Some(grown) = changed(machine, element, |plane| plane.enlarged(*factor, origin))? {
            return Ok(grown);
        }
    }
    any_upscale(machine, element, factor)
}

fn any_upscale(machine: &mut Machine, element: &Value, factor: &Value) -> Outcome {
    let corner = patches::ulcorner(machine, std::slice::from_ref(element))?;
    let (top, left) = duck::both(&corner)?;
    let away = Value::pair(less(0, &top)?, less(0, &left)?);
    let normed = patches::shift(machine, &[element.clone(), away])?;
    let mut members = Vec::new();
    for member in duck::members(&normed)? {
        let (value, location) = duck::both(&member)?;
        let (row, column) = duck::both(&location)?;
        let times = duck::times(factor)?;
        if times == 0 {
            continue;
        }
        machine.reserve_members(times.saturating_mul(times))?;
        let enlarged = |at: &Value| duck::integer(at)?.checked_mul(times as i64).ok_or(Fault::Overflow);
        let (row, column) = (enlarged(&row)?, enlarged(&column)?);
        let moved_by = |from: i64, by: usize| from.checked_add(by as i64).ok_or(Fault::Overflow);
        for down in 0..times {
            for across in 0..times {
                let location = Value::pair(moved_by(row, down)?, moved_by(column, across)?);
                members.push(Value::tuple(vec![value.clone(), location]));
            }
        }
    }
    let grown = machine.copied_set_of(members)?;
    patches::shift(machine, &[grown, corner])
}
