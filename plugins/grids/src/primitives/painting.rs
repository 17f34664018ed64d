//! Grids with some of their cells in another colour.

use std::rc::Rc;

use super::{
    board::Board,
    duck, elements,
    grids::{any, as_large},
    patches,
};
use crate::{
    fault::Outcome,
    machine::Machine,
    value::{Grid, Indices, Value, eights},
};

/// The value as a colour of a grid.
pub(super) fn as_color(value: &Value) -> Option<u8> {
    match value {
        Value::Integer(color @ 0..=9) => Some(*color as u8),
        _ => None,
    }
}

/// The cells of a grid, to be changed.
pub(super) fn copied(machine: &mut Machine, grid: &Grid) -> Outcome<Vec<u8>> {
    let mut cells = machine.reserve_cells(grid.height().into(), grid.width().into())?;
    cells.extend_from_slice(grid.cells());
    Ok(cells)
}

/// The planes of an object, if it is one of which every colour is one of a grid.
fn colored_planes(object: &Value) -> Option<impl Iterator<Item = (u8, &Rc<Indices>)>> {
    let Value::Object(object) = object else { return None };
    let (first, last) = (object.planes().first()?.0, object.planes().last()?.0);
    let planes = object.planes().iter().map(|(color, plane)| (*color as u8, plane));
    (first >= 0 && last <= 9).then_some(planes)
}

/// Whether a patch is stored as masks, and the grid is small enough for them.
fn have_masks(patch: &Value, grid: &Grid) -> bool {
    grid.has_masks()
        && match patch {
            Value::Indices(locations) => locations.rows().is_some(),
            Value::Object(object) => object.planes().iter().all(|(_, plane)| plane.rows().is_some()),
            _ => false,
        }
}

/// Gives a colour to the cells of a grid that are at the locations of a patch; only to those of the colour `only_on`, if there
/// is one. Both [`have_masks`].
fn fill_cells(cells: &mut [u8], grid: &Grid, color: u8, patch: &Value, only_on: Option<u8>) {
    let mut paint = |plane: &Indices| eights::paint(cells, grid.width(), plane, (0, 0), color, only_on);
    let are_masks = match patch {
        Value::Indices(locations) => paint(locations),
        Value::Object(object) => object.planes().iter().all(|(_, plane)| paint(plane)),
        _ => false,
    };
    debug_assert!(are_masks, "only masks are painted");
}

/// Paints the planes of an object, moved by (rows, columns). Both [`have_masks`].
fn paint_planes<'a>(
    cells: &mut [u8],
    grid: &Grid,
    mut planes: impl Iterator<Item = (u8, &'a Rc<Indices>)>,
    moved: (i64, i64),
    only_on: Option<u8>,
) {
    let are_masks = planes.all(|(color, plane)| eights::paint(cells, grid.width(), plane, moved, color, only_on));
    debug_assert!(are_masks, "only masks are painted");
}

pub(super) fn fill(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(color), Some(grid)) = (as_color(&arguments[1]), arguments[0].as_grid())
        && have_masks(&arguments[2], &grid)
    {
        let mut cells = copied(machine, &grid)?;
        fill_cells(&mut cells, &grid, color, &arguments[2], None);
        return Ok(as_large(&grid, cells));
    }
    let board = Board::of(machine, &arguments[0])?;
    fill_board(machine, board, &arguments[1], &arguments[2], None)
}

/// Fills location by location; only where there is a certain value, if one is given.
fn fill_board(
    machine: &mut Machine,
    mut board: Board,
    value: &Value,
    patch: &Value,
    only_on: Option<&Value>,
) -> Outcome {
    let locations = patches::toindices(machine, std::slice::from_ref(patch))?;
    machine.visit(duck::length(&locations)?)?;
    for location in duck::members(&locations)? {
        let (row, column) = duck::both(&location)?;
        if let Some(place) = board.index_of(&row, &column)?
            && only_on.is_none_or(|wanted| board.get(place) == *wanted)
        {
            board.set(machine, place, value)?;
        }
    }
    Ok(board.into_value())
}

pub(super) fn paint(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(planes), Some(grid)) = (colored_planes(&arguments[1]), arguments[0].as_grid())
        && have_masks(&arguments[1], &grid)
    {
        let mut cells = copied(machine, &grid)?;
        paint_planes(&mut cells, &grid, planes, (0, 0), None);
        return Ok(as_large(&grid, cells));
    }
    let board = Board::of(machine, &arguments[0])?;
    paint_board(machine, board, &arguments[1], None)
}

/// Paints cell by cell; only where there is a certain value at that moment, if one is given.
fn paint_board(machine: &mut Machine, mut board: Board, object: &Value, only_on: Option<&Value>) -> Outcome {
    machine.visit(duck::length(object)?)?;
    for cell in duck::members(object)? {
        if board.put_cell(&cell, only_on) {
            continue;
        }
        let (value, location) = duck::both(&cell)?;
        let (row, column) = duck::both(&location)?;
        if let Some(place) = board.index_of(&row, &column)?
            && only_on.is_none_or(|wanted| board.get(place) == *wanted)
        {
            board.set(machine, place, &value)?;
        }
    }
    Ok(board.into_value())
}

pub(super) fn underfill(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(color), Some(grid)) = (as_color(&arguments[1]), arguments[0].as_grid())
        && have_masks(&arguments[2], &grid)
    {
        let background = elements::most_common_color(machine, &grid)?;
        let mut cells = copied(machine, &grid)?;
        fill_cells(&mut cells, &grid, color, &arguments[2], Some(background));
        return Ok(as_large(&grid, cells));
    }
    any::dimensions(&arguments[0])?;
    let background = elements::mostcolor(machine, &arguments[..1])?;
    let board = Board::of(machine, &arguments[0])?;
    fill_board(machine, board, &arguments[1], &arguments[2], Some(&background))
}

pub(super) fn underpaint(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(planes), Some(grid)) = (colored_planes(&arguments[1]), arguments[0].as_grid())
        && have_masks(&arguments[1], &grid)
    {
        let background = elements::most_common_color(machine, &grid)?;
        let mut cells = copied(machine, &grid)?;
        paint_planes(&mut cells, &grid, planes, (0, 0), Some(background));
        return Ok(as_large(&grid, cells));
    }
    any::dimensions(&arguments[0])?;
    let background = elements::mostcolor(machine, &arguments[..1])?;
    let board = Board::of(machine, &arguments[0])?;
    paint_board(machine, board, &arguments[1], Some(&background))
}

pub(super) fn cover(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let background = elements::mostcolor(machine, &arguments[..1])?;
    if arguments[0].is_tuple() && matches!(arguments[1], Value::Indices(_) | Value::Object(_)) {
        return fill(machine, &[arguments[0].clone(), background, arguments[1].clone()]);
    }
    let locations = patches::toindices(machine, &arguments[1..])?;
    fill(machine, &[arguments[0].clone(), background, locations])
}

pub(super) fn r#move(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(grid), Some(planes), Value::Pair(down, right)) =
        (arguments[0].as_grid(), colored_planes(&arguments[1]), &arguments[2])
        && have_masks(&arguments[1], &grid)
    {
        let background = elements::most_common_color(machine, &grid)?;
        let mut cells = copied(machine, &grid)?;
        fill_cells(&mut cells, &grid, background, &arguments[1], None);
        paint_planes(&mut cells, &grid, planes, ((*down).into(), (*right).into()), None);
        return Ok(as_large(&grid, cells));
    }
    let covered = cover(machine, &arguments[..2])?;
    let shifted = patches::shift(machine, &arguments[1..])?;
    paint(machine, &[covered, shifted])
}
