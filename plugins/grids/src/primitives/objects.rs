//! Primitives that find objects in grids: connected cells, rows and columns of one colour, occurrences.

use std::{collections::HashSet, rc::Rc};

use super::{
    components::components,
    duck, elements, lines,
    patches::{normalized, shift},
    pieces::{height_of, width_of},
    shapes::two_integers,
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    order::OrderedSet,
    value::{COLORS, Grid, Indices, Object, Value},
};

pub(super) fn objects(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [grid, one_color, diagonal, without_background] = arguments else { unreachable!("as many as the row has") };
    let (one_color, diagonal) = (one_color.is_true(), diagonal.is_true());
    if machine.ascending()
        && let Some(grid) = grid.as_grid()
    {
        let background = match without_background.is_true() {
            true => Some(elements::most_common_color(machine, &grid)?),
            false => None,
        };
        let objects = components(machine, &grid, one_color, diagonal, background)?;
        return Ok(Value::sorted_set(objects));
    }
    let background = if without_background.is_true() {
        elements::mostcolor(machine, std::slice::from_ref(grid))?
    } else {
        // A cell that holds none counts as background then.
        Value::None
    };
    visited_objects(machine, grid, one_color, diagonal, &background)
}

/// The set of objects that ascend.
fn set_of_objects(objects: Vec<Object>) -> Value {
    Value::sorted_set(objects.into_iter().map(|object| Value::Object(Rc::new(object))).collect())
}

/// Connected components of what need not be a grid of colours: location by location, in the order of their set.
fn visited_objects(
    machine: &mut Machine,
    grid: &Value,
    one_color: bool,
    diagonal: bool,
    background: &Value,
) -> Outcome {
    let (rows, columns) = (duck::length(grid)?, duck::length(&duck::slot(grid, 0)?)?);
    let cells = rows.saturating_mul(columns);
    machine.reserve_members(cells.saturating_mul(4))?;
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| Value::pair(row as i64, column as i64)));
    let all = machine.set_of(all.collect())?;
    let mut objects = Vec::new();
    let mut occupied = Occupied { list: Vec::new(), set: HashSet::new() };
    for start in all.members().into_iter().flatten() {
        if occupied.has(&start)? {
            continue;
        }
        let color = cell(grid, &start)?;
        if color == *background {
            continue;
        }
        let mut object = vec![Value::tuple(vec![color.clone(), start.clone()])];
        let mut candidates = machine.set_of(vec![start])?;
        while duck::length(&candidates)? > 0 {
            let mut neighborhood = machine.set_of(Vec::new())?;
            for candidate in candidates.members().into_iter().flatten() {
                machine.charge(1)?;
                let here = cell(grid, &candidate)?;
                if if one_color { color == here } else { here != *background } {
                    object.push(Value::tuple(vec![here, candidate.clone()]));
                    occupied.add(&candidate)?;
                    let neighbors = neighbors_within(machine, &candidate, diagonal, rows, columns)?;
                    neighborhood = merged(machine, neighborhood, neighbors)?;
                }
            }
            candidates = occupied.removed_from(machine, &neighborhood)?;
        }
        machine.reserve_members(object.len().saturating_mul(2))?;
        objects.push(machine.copied_set_of(object)?);
    }
    machine.copied_set_of(objects)
}

/// The locations that were visited, in the order in which they were.
struct Occupied {
    list: Vec<Value>,
    set: HashSet<(i64, i64)>,
}

impl Occupied {
    fn has(&self, location: &Value) -> Outcome<bool> {
        Ok(self.set.contains(&two_integers(location)?))
    }

    fn add(&mut self, location: &Value) -> Outcome<()> {
        if self.set.insert(two_integers(location)?) {
            self.list.push(location.clone());
        }
        Ok(())
    }

    /// The set of locations without those that are visited.
    fn removed_from(&self, machine: &mut Machine, locations: &Value) -> Outcome {
        // Few visited ones are removed from a copy of the set, which shows in its order.
        if let Value::Ordered(set) = locations
            && set.len() >> 2 > self.list.len()
        {
            let left = machine.work(|work| set.difference(&OrderedSet::of(self.list.clone(), work)?, work))?;
            return Ok(Value::Ordered(Rc::new(left)));
        }
        let mut left = Vec::new();
        for location in locations.members().into_iter().flatten() {
            if !self.has(&location)? {
                left.push(location);
            }
        }
        machine.set_of(left)
    }
}

/// The neighbours of a location that are within so many rows and columns.
fn neighbors_within(machine: &mut Machine, location: &Value, diagonal: bool, rows: usize, columns: usize) -> Outcome {
    let arguments = std::slice::from_ref(location);
    let neighbors =
        if diagonal { lines::neighbors(machine, arguments)? } else { lines::dneighbors(machine, arguments)? };
    let mut inside = Vec::new();
    for location in neighbors.members().into_iter().flatten() {
        let (row, column) = two_integers(&location)?;
        let within = |at: i64, count: usize| usize::try_from(at).is_ok_and(|at| at < count);
        if within(row, rows) && within(column, columns) {
            inside.push(location);
        }
    }
    machine.set_of(inside)
}

/// A set that can be changed, with the members of another one added.
fn merged(machine: &mut Machine, into: Value, other: Value) -> Outcome {
    match (into, other) {
        (Value::Ordered(into), Value::Ordered(other)) => {
            let mut into = match Rc::try_unwrap(into) {
                Ok(into) => into,
                Err(shared) => machine.work(|work| shared.copied(work))?,
            };
            machine.work(|work| into.merge(&other, work))?;
            Ok(Value::Ordered(Rc::new(into)))
        }
        (into, other) => machine.union(&into, &other),
    }
}

/// The value of the cell at a location.
fn cell(grid: &Value, location: &Value) -> Outcome {
    let (row, column) = two_integers(location)?;
    let at = |at: i64| usize::try_from(at).map_err(|_| Fault::Value("a location is outside of the grid"));
    duck::cell(grid, at(row)?, at(column)?)
}

pub(super) fn partition(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some(grid) = arguments[0].as_grid()
    {
        return Ok(set_of_objects(planes(machine, &grid, None)?));
    }
    let colors = elements::palette(machine, arguments)?;
    let colors = colors.members().into_iter().flatten().collect();
    cells_by_color(machine, &arguments[0], colors)
}

pub(super) fn fgpartition(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some(grid) = arguments[0].as_grid()
    {
        let background = elements::most_common_color(machine, &grid)?;
        return Ok(set_of_objects(planes(machine, &grid, Some(background))?));
    }
    let colors = elements::palette(machine, arguments)?;
    let background = elements::mostcolor(machine, arguments)?;
    let background = machine.set_of(vec![background])?;
    let colors = machine.difference(&colors, &background)?;
    let colors = colors.members().into_iter().flatten().collect();
    cells_by_color(machine, &arguments[0], colors)
}

/// An object for each colour of a grid but the background.
fn planes(machine: &mut Machine, grid: &Grid, background: Option<u8>) -> Outcome<Vec<Object>> {
    machine.reserve(COLORS * (8 * grid.height() as usize + 160))?;
    machine.visit(grid.cells().len())?;
    let planes = grid.all_planes().into_iter().filter(|(color, _)| background.map(i32::from) != Some(*color));
    Ok(planes.map(|(color, plane)| Object::of_color(color, plane)).collect())
}

/// For each of these values a set of the cells of a container of containers that have it.
fn cells_by_color(machine: &mut Machine, grid: &Value, colors: Vec<Value>) -> Outcome {
    let mut objects = Vec::with_capacity(colors.len());
    for color in &colors {
        let mut cells = Vec::new();
        let rows = duck::members(grid)?;
        for (row, values) in rows.enumerate() {
            machine.visit(duck::length(&values)?.saturating_add(2))?;
            machine.visit_bytes(values.bytes())?;
            let values = duck::members(&values)?;
            for (column, value) in values.enumerate().filter(|(_, value)| value == color) {
                machine.reserve_members(3)?;
                cells.push(Value::tuple(vec![value, Value::pair(row as i64, column as i64)]));
            }
        }
        objects.push(machine.set_of(cells)?);
    }
    machine.set_of(objects)
}

pub(super) fn occurrences(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [grid, object] = arguments else { unreachable!("as many as the row has") };
    if let (Value::Grid(grid), Some(object)) = (grid, as_object(object))
        && grid.height() <= 64
        && grid.width() <= 64
    {
        let places = matches(machine, grid, &object)?;
        if machine.ascending() {
            return Ok(Value::indices(places));
        }
        let places = places.iter().flat_map(Indices::iter).map(|(row, column)| Value::Pair(row, column)).collect();
        return machine.copied_set_of(places);
    }
    let object_height = i128::from(height_of(machine, object)?);
    let object_width = i128::from(width_of(machine, object)?);
    let normal = normalized(machine, object)?;
    let (rows, columns) = (duck::length(grid)? as i128, duck::length(&duck::slot(grid, 0)?)? as i128);
    let mut places = Vec::new();
    for row in 0..=rows - object_height {
        for column in 0..=columns - object_width {
            machine.charge(1)?;
            let offset = Value::pair(row as i64, column as i64);
            let mark = machine.mark();
            let moved = shift(machine, &[normal.clone(), offset.clone()])?;
            let occurs = occurs(machine, grid, &moved, rows, columns)?;
            machine.release(mark, 0);
            if occurs {
                machine.reserve_members(1)?;
                places.push(offset);
            }
        }
    }
    machine.copied_set_of(places)
}

/// Whether every cell of an object is where the grid has that colour.
fn occurs(machine: &mut Machine, grid: &Value, object: &Value, rows: i128, columns: i128) -> Outcome<bool> {
    for member in duck::members(object)? {
        machine.charge(1)?;
        let (color, location) = duck::both(&member)?;
        let (row, column) = two_integers(&location)?;
        let within = (0..rows).contains(&i128::from(row)) && (0..columns).contains(&i128::from(column));
        if !within || cell(grid, &location)? != color {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value as a set of cells, whatever the order of its iteration.
fn as_object(value: &Value) -> Option<Rc<Object>> {
    match value {
        Value::Object(object) => Some(Rc::clone(object)),
        Value::Ordered(set) => {
            let cell = |member: Value| match member {
                Value::Cell(color, row, column) => Some((color, (row, column))),
                _ => None,
            };
            Object::from_cells(set.iter().map(cell).collect::<Option<_>>()?).map(Rc::new)
        }
        _ => None,
    }
}

/// Where the corner of an object can lie so that all of its cells are where the grid, of at most 64 rows and columns, has their
/// colours: the places of each row are the bits that are left of it when every cell has kept its own.
fn matches(machine: &mut Machine, grid: &Grid, object: &Object) -> Outcome<Option<Indices>> {
    let (rows, columns) = (grid.height() as usize, grid.width() as usize);
    let (top, left) = (object.top(), object.left());
    let (object_rows, object_columns) = ((object.bottom() - top) as usize + 1, (object.right() - left) as usize + 1);
    if object_rows > rows || object_columns > columns {
        return Ok(None);
    }
    let (rows, columns) = (rows - object_rows + 1, columns - object_columns + 1);
    let mut places = [0_u64; 64];
    places[..rows].fill(u64::MAX >> (64 - columns));
    for (color, cells) in object.planes() {
        let plane = u8::try_from(*color).ok().and_then(|color| grid.plane(color));
        let (Some(plane), Some(masks)) = (plane, cells.rows()) else { return Ok(None) };
        machine.visit(grid.cells().len())?;
        machine.charge((masks.len() * rows) as u64 / 16)?;
        let mut colored = [0_u64; 64];
        plane.add_to(&mut colored, 0, 0);
        let (down, aside) = ((cells.top() - top) as usize, (cells.left() - left) as u32);
        for (at, mask) in masks.iter().enumerate() {
            let mut mask = *mask;
            while mask != 0 {
                let column = mask.trailing_zeros() + aside;
                mask &= mask - 1;
                for (places, colored) in places[..rows].iter_mut().zip(&colored[down + at..]) {
                    *places &= colored >> column;
                }
            }
        }
    }
    Ok(Indices::from_rows(0, 0, &places[..rows]))
}

pub(super) fn frontiers(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if machine.ascending()
        && let Some(grid) = arguments[0].as_grid()
    {
        return straight(machine, &grid);
    }
    let grid = &arguments[0];
    let (rows, columns) = (duck::length(grid)?, duck::length(&duck::slot(grid, 0)?)?);
    let mut all = Vec::with_capacity(rows);
    for row in duck::members(grid)? {
        machine.reserve_tuple(duck::length(&row)?)?;
        all.push(duck::members(&row)?.collect::<Vec<Value>>());
    }
    let mut lines: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    for row in (0..rows).filter(|row| are_one(all[*row].iter())) {
        lines[0].push(line(machine, grid, (0..columns).map(|column| (row, column)))?);
    }
    let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
    for column in (0..shortest).filter(|column| are_one(all.iter().map(|row| &row[*column]))) {
        lines[1].push(line(machine, grid, (0..rows).map(|row| (row, column)))?);
    }
    let [across, down] = lines;
    let (across, down) = (machine.copied_set_of(across)?, machine.copied_set_of(down)?);
    machine.union(&across, &down)
}

/// Whether there are values, and all are the same.
fn are_one<'a>(mut values: impl Iterator<Item = &'a Value>) -> bool {
    values.next().is_some_and(|first| values.all(|value| value == first))
}

/// The set of the cells at these places.
fn line(machine: &mut Machine, grid: &Value, places: impl Iterator<Item = (usize, usize)>) -> Outcome {
    let mut cells = Vec::new();
    for (row, column) in places {
        machine.reserve_members(3)?;
        let value = duck::cell(grid, row, column)?;
        cells.push(Value::tuple(vec![value, Value::pair(row as i64, column as i64)]));
    }
    machine.copied_set_of(cells)
}

/// The rows and columns of one colour.
fn straight(machine: &mut Machine, grid: &Grid) -> Outcome {
    let (rows, columns) = (grid.height() as i32, grid.width() as i32);
    machine.visit(grid.cells().len())?;
    let mut objects = Vec::new();
    let mut add = |machine: &mut Machine, color: u8, ends: [i32; 4]| {
        machine.charge(1)?;
        machine.visit(rows.max(columns) as usize)?;
        machine.reserve(SLOT_OF_LINE + 8 * (rows.max(columns) as usize))?;
        let [top, left, bottom, right] = ends;
        let line = Indices::filled_box(top, left, bottom, right);
        objects.push(Object::of_color(i32::from(color), Rc::new(line)));
        Ok(())
    };
    let first = grid.row(0);
    let mut alike = vec![true; first.len()];
    for (at, row) in grid.rows().enumerate() {
        if row.iter().all(|cell| *cell == row[0]) {
            add(machine, row[0], [at as i32, 0, at as i32, columns - 1])?;
        }
        for ((alike, cell), first) in alike.iter_mut().zip(row).zip(first) {
            *alike &= cell == first;
        }
    }
    for (at, _) in alike.iter().enumerate().filter(|(_, alike)| **alike) {
        add(machine, first[at], [0, at as i32, rows - 1, at as i32])?;
    }
    objects.sort_unstable();
    objects.dedup();
    Ok(set_of_objects(objects))
}

/// Bytes of a set of cells of one colour beside its masks, about.
const SLOT_OF_LINE: usize = 160;

#[cfg(test)]
mod tests;
