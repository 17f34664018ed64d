//! Primitives of the colours of grids and objects.

use std::rc::Rc;

use super::{containers, duck, grids, patches, shapes};
use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, bytes_of},
    value::{COLORS, Grid, Indices, Object, Value},
};

/// The values of all cells of a grid or of an object, in the order of iteration. A tuple is a grid.
fn values(machine: &mut Machine, element: &Value) -> Outcome<Vec<Value>> {
    let mut values = Vec::new();
    if element.is_tuple() {
        for row in duck::members(element)? {
            machine.reserve_tuple(duck::length(&row)?)?;
            values.extend(duck::members(&row)?);
        }
    } else {
        machine.reserve_members(duck::length(element)?)?;
        for cell in duck::members(element)? {
            values.push(duck::both(&cell)?.0);
        }
    }
    Ok(values)
}

/// The colours that occur in a grid or an object of a common form, and how often; ascending.
fn color_counts(element: &Value) -> Option<Vec<(i64, u32)>> {
    match element {
        Value::Grid(grid) => {
            let counts = (0..).zip(grid.counts()).filter(|(_, count)| **count > 0);
            Some(counts.map(|(color, count)| (color, *count)).collect())
        }
        Value::Object(object) => {
            Some(object.planes().iter().map(|(color, plane)| ((*color).into(), plane.count())).collect())
        }
        _ => None,
    }
}

/// The most frequent colour of a grid. Among equally frequent ones, the first in the order of a set of them.
pub(super) fn most_common_color(machine: &mut Machine, grid: &Rc<Grid>) -> Outcome<u8> {
    if machine.ascending() {
        machine.visit(grid.cells().len())?;
        let (mut most, mut count) = (0, 0);
        for (color, found) in (0..).zip(grid.counts()) {
            if *found > count {
                (most, count) = (color, *found);
            }
        }
        return Ok(most);
    }
    match mostcolor(machine, &[Value::Grid(Rc::clone(grid))])? {
        Value::Integer(color) => Ok(color as u8),
        _ => Err(Fault::Type("a grid holds something else than colours")),
    }
}

/// The value that is seen most often, or least often. Among equally frequent ones, the first in the order of a set of them.
fn by_frequency(machine: &mut Machine, element: &Value, most: bool) -> Outcome {
    let rank = |count: u32| if most { u32::MAX - count } else { count };
    if machine.ascending()
        && let Some(counts) = color_counts(element)
    {
        machine.visit(duck::length(element)?)?;
        let found = counts.into_iter().min_by_key(|(_, count)| rank(*count));
        return found.map(|(color, _)| Value::Integer(color)).ok_or(NO_COLOR);
    }
    let values = values(machine, element)?;
    let mut sorted = values.clone();
    machine.visit_sorted(values.len().saturating_mul(2), bytes_of(&values))?;
    sorted.sort();
    let distinct = machine.set_of(values)?;
    let count = |value: &Value| {
        let from = sorted.partition_point(|other| other < value);
        let to = sorted.partition_point(|other| other <= value);
        (to - from) as u32
    };
    duck::members(&distinct)?.min_by_key(|value| rank(count(value))).ok_or(NO_COLOR)
}

const NO_COLOR: Fault = Fault::Empty("what has no cell has no colour");

pub(super) fn mostcolor(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Value::Grid(grid) = &arguments[0]
    {
        return most_common_color(machine, grid).map(|color| Value::Integer(color.into()));
    }
    by_frequency(machine, &arguments[0], true)
}

pub(super) fn leastcolor(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    by_frequency(machine, &arguments[0], false)
}

pub(super) fn colorcount(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (element, value) = (&arguments[0], &arguments[1]);
    let count = match (element, value) {
        (Value::Grid(grid), Value::Integer(color)) => {
            machine.visit(grid.cells().len())?;
            let count = usize::try_from(*color).ok().and_then(|color| grid.counts().get(color));
            count.map_or(0, |count| *count as usize)
        }
        (Value::Object(object), Value::Integer(color)) => {
            let plane = i32::try_from(*color).ok().and_then(|color| object.plane(color));
            plane.map_or(0, |plane| plane.count() as usize)
        }
        _ if element.is_tuple() => {
            let mut count = 0;
            for row in duck::members(element)? {
                machine.visit(duck::length(&row)?.saturating_add(2))?;
                count += duck::slots(&row)?.filter(|cell| cell == value).count();
            }
            count
        }
        _ => values(machine, element)?.iter().filter(|cell| *cell == value).count(),
    };
    Ok(Value::Integer(count as i64))
}

pub(super) fn colorfilter(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (objects, value) = (&arguments[0], &arguments[1]);
    machine.reserve_members(duck::length(objects)?)?;
    let mut remaining = Vec::new();
    containers::each(objects, |object| {
        if color_of(object)? == *value {
            remaining.push(object.clone());
        }
        Ok(())
    })?;
    if matches!(objects, Value::Set(_)) {
        // A part of an ascending set ascends, and has neither pairs nor cells: their first slots have no slots.
        return Ok(Value::sorted_set(remaining));
    }
    machine.set_of(remaining)
}

/// The colour of the first cell.
fn color_of(object: &Value) -> Outcome {
    match object {
        Value::Object(object) => Ok(Value::Integer(object.planes()[0].0.into())),
        object => duck::slot(&duck::first(object)?, 0),
    }
}

pub(super) fn color(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    color_of(&arguments[0])
}

pub(super) fn asindices(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if duck::length(&arguments[0])? == 0 {
        // Without a row, none is asked for its columns.
        return machine.set_of(Vec::new());
    }
    let (height, width) = grids::any::dimensions(&arguments[0])?;
    let cells = height.saturating_mul(width);
    let locations = i32::try_from(height).ok().zip(i32::try_from(width).ok());
    if machine.ascending()
        && let Some((height, width)) = locations
    {
        if cells == 0 {
            return machine.set_of(Vec::new());
        }
        machine.reserve(cells.saturating_mul(8))?;
        machine.visit(cells)?;
        return Ok(Value::indices(Some(Indices::filled_box(0, 0, height - 1, width - 1))));
    }
    machine.reserve_members(cells)?;
    let location = |row| (0..width).map(move |column| Value::pair(row as i64, column as i64));
    machine.set_of((0..height).flat_map(location).collect())
}

pub(super) fn ofcolor(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (grid, value) = (&arguments[0], &arguments[1]);
    if machine.ascending()
        && let Some(grid) = grid.as_grid()
    {
        machine.visit(grid.cells().len())?;
        let color = match value {
            Value::Integer(color @ 0..=9) => *color as u8,
            _ => return machine.set_of(Vec::new()),
        };
        return match grid.plane(color) {
            Some(plane) => Ok(Value::Indices(Rc::clone(plane))),
            None => machine.set_of(Vec::new()),
        };
    }
    any_cells(machine, grid, |cell, row, column| (cell == *value).then(|| Value::pair(row, column)))
}

/// The set of what is made of the cells of anything like a grid, row after row.
fn any_cells(machine: &mut Machine, grid: &Value, mut make: impl FnMut(Value, i64, i64) -> Option<Value>) -> Outcome {
    let mut members = Vec::new();
    for (row, cells) in (0..).zip(duck::members(grid)?) {
        machine.reserve_tuple(duck::length(&cells)?)?;
        members.extend((0..).zip(duck::members(&cells)?).filter_map(|(column, cell)| make(cell, row, column)));
    }
    machine.set_of(members)
}

pub(super) fn recolor(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (value, patch) = (&arguments[0], &arguments[1]);
    let color = match value {
        Value::Integer(color) => i32::try_from(*color).ok(),
        _ => None,
    };
    match (color, patch) {
        (Some(color), Value::Indices(locations)) => {
            return Ok(Value::object(Some(Object::of_color(color, Rc::clone(locations)))));
        }
        (Some(color), Value::Object(object)) => {
            machine.reserve(object.bytes())?;
            return Ok(Value::object(Some(Object::of_color(color, object.locations()))));
        }
        _ => {}
    }
    let locations = patches::toindices(machine, &arguments[1..])?;
    machine.reserve_members(duck::length(&locations)?)?;
    let cells = duck::members(&locations)?.map(|location| Value::tuple(vec![value.clone(), location]));
    machine.set_of(cells.collect())
}

pub(super) fn palette(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some(counts) = color_counts(&arguments[0])
    {
        machine.visit(duck::length(&arguments[0])?)?;
        return Ok(Value::sorted_set(counts.into_iter().map(|(color, _)| Value::Integer(color)).collect()));
    }
    let values = values(machine, &arguments[0])?;
    // The reference makes one set of another here, which its order can tell.
    machine.copied_set_of(values)
}

pub(super) fn numcolors(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let count = match &arguments[0] {
        Value::Grid(grid) => {
            machine.visit(grid.cells().len())?;
            grid.counts().iter().filter(|count| **count > 0).count()
        }
        Value::Object(object) => object.planes().len(),
        element => {
            let mut values = values(machine, element)?;
            machine.visit_sorted(values.len(), bytes_of(&values))?;
            values.sort();
            values.dedup();
            values.len()
        }
    };
    Ok(Value::Integer(count as i64))
}

pub(super) fn toobject(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (patch, grid) = (&arguments[0], &arguments[1]);
    if let (Some(locations), Some(grid)) = (shapes::stored_locations(patch), grid.as_grid()) {
        machine.reserve_members(locations.count() as usize)?;
        if locations.rows().is_none() || !grid.has_masks() {
            // Each colour takes a look for each location.
            machine.visit_sorted(locations.count() as usize * COLORS, 0)?;
        }
        return Ok(Value::object(cells_at(&locations, &grid)));
    }
    let (height, width) = grids::any::dimensions(grid)?;
    let locations = patches::toindices(machine, &arguments[..1])?;
    machine.reserve_members(duck::length(&locations)?)?;
    let mut cells = Vec::new();
    for location in duck::members(&locations)? {
        let (row, column) = duck::both(&location)?;
        if let Some((row, column)) = duck::grid_index(&row, &column, height, width)? {
            let value = duck::cell(grid, row, column)?;
            cells.push(Value::tuple(vec![value, Value::pair(row as i64, column as i64)]));
        }
    }
    machine.set_of(cells)
}

/// The cells of the grid at these locations.
fn cells_at(locations: &Rc<Indices>, grid: &Grid) -> Option<Object> {
    let inside = (0..grid.height() as i32).contains(&locations.top())
        && (0..grid.width() as i32).contains(&locations.left())
        && locations.bottom() < grid.height() as i32
        && locations.right() < grid.width() as i32;
    let mut left = if inside {
        Rc::clone(locations)
    } else {
        let whole = Indices::filled_box(0, 0, grid.height() as i32 - 1, grid.width() as i32 - 1);
        Rc::new(locations.intersection(&whole)?)
    };
    let mut planes = Vec::new();
    // Colour by colour: of each that is there, all locations at once.
    loop {
        let (row, column) = left.iter().next()?;
        let color = grid.at(row, column)?;
        let plane = grid.plane(color)?;
        planes.push((i32::from(color), Rc::new(left.intersection(plane)?)));
        match left.difference(plane) {
            Some(others) => left = Rc::new(others),
            None => break,
        }
    }
    planes.sort_unstable_by_key(|(color, _)| *color);
    Object::from_planes(planes)
}

pub(super) fn asobject(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some(grid) = arguments[0].as_grid()
    {
        machine.visit(grid.cells().len())?;
        return Ok(Value::object(Object::from_planes(grid.all_planes())));
    }
    any_cells(machine, &arguments[0], |cell, row, column| Some(Value::tuple(vec![cell, Value::pair(row, column)])))
}
