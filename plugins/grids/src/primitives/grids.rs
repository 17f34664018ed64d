//! Grids.
//!
//! What is a grid is worked on as bytes and masks; what only stands in the place of one, in [`any`].

use std::rc::Rc;

use super::{
    duck, elements, patches, pieces,
    shapes::{self, Bounds},
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Grid, Indices, Value, eights},
};

pub(super) mod any;
mod board;

use board::Board;

/// The value as a colour of a grid.
fn as_color(value: &Value) -> Option<u8> {
    match value {
        Value::Integer(color @ 0..=9) => Some(*color as u8),
        _ => None,
    }
}

/// The cells of a grid, to be changed.
fn copied(machine: &mut Machine, grid: &Grid) -> Outcome<Vec<u8>> {
    let mut cells = machine.reserve_cells(grid.height().into(), grid.width().into())?;
    cells.extend_from_slice(grid.cells());
    Ok(cells)
}

/// A grid with the size of another one.
fn as_large(grid: &Grid, cells: Vec<u8>) -> Value {
    Value::grid(Grid::new(grid.height(), grid.width(), cells))
}

/// So many rows without a cell.
fn empty_rows(machine: &mut Machine, rows: usize) -> Outcome {
    machine.reserve_members(rows)?;
    Ok(Value::tuple(vec![Value::tuple(Vec::new()); rows]))
}

/// A part of a grid: these rows, and of them these columns.
fn window(
    machine: &mut Machine,
    grid: &Rc<Grid>,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Outcome {
    if columns.is_empty() || rows.is_empty() {
        return empty_rows(machine, rows.len());
    }
    let width = grid.width() as usize;
    if rows.len() == grid.height() as usize && columns.len() == width {
        return Ok(Value::Grid(Rc::clone(grid)));
    }
    let mut cells = machine.reserve_cells(rows.len() as u64, columns.len() as u64)?;
    for row in grid.cells()[rows.start * width..rows.end * width].chunks_exact(width) {
        cells.extend_from_slice(&row[columns.clone()]);
    }
    Ok(Machine::grid(rows.len() as u64, columns.len() as u64, cells))
}

/// The grid whose rows are the columns of this one: from the last to the first or from the first to the last, each read upwards or
/// downwards.
pub(super) fn turned(machine: &mut Machine, grid: &Grid, from_the_last: bool, upwards: bool) -> Outcome {
    let (height, width) = (grid.height() as usize, grid.width() as usize);
    let mut cells = machine.reserve_cells(width as u64, height as u64)?;
    cells.resize(height * width, 0);
    for (at, row) in cells.chunks_exact_mut(height).enumerate() {
        let column = if from_the_last { width - 1 - at } else { at };
        let read = grid.cells()[column..].iter().step_by(width);
        if upwards {
            row.iter_mut().rev().zip(read).for_each(|(cell, color)| *cell = *color);
        } else {
            row.iter_mut().zip(read).for_each(|(cell, color)| *cell = *color);
        }
    }
    Ok(Machine::grid(width as u64, height as u64, cells))
}

pub(super) fn crop(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(grid), Some(start), Some(size)) =
        (arguments[0].as_grid(), arguments[1].as_pair(), arguments[2].as_pair())
    {
        return cropped(machine, &grid, start, size);
    }
    any::crop(machine, &arguments[0], &arguments[1], &arguments[2])
}

fn cropped(machine: &mut Machine, grid: &Rc<Grid>, start: [i64; 2], size: [i64; 2]) -> Outcome {
    let rows = duck::part(start[0], start[0].saturating_add(size[0]), grid.height() as usize);
    let columns = duck::part(start[1], start[1].saturating_add(size[1]), grid.width() as usize);
    window(machine, grid, rows, columns)
}

pub(super) fn rot90(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => turned(machine, &grid, false, true),
        None => any::rot90(machine, &arguments[0]),
    }
}

pub(super) fn rot180(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::rot180(machine, &arguments[0]) };
    let mut cells = copied(machine, &grid)?;
    cells.reverse();
    Ok(as_large(&grid, cells))
}

pub(super) fn rot270(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments[0].as_grid() {
        Some(grid) => turned(machine, &grid, true, false),
        None => any::rot270(machine, &arguments[0]),
    }
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
    let mut paint = |plane: &Indices| eights::paint(cells, grid.width(), (plane, (0, 0)), color, only_on);
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
    let are_masks = planes.all(|(color, plane)| eights::paint(cells, grid.width(), (plane, moved), color, only_on));
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
        if let Some(place) = board.place(&row, &column)?
            && only_on.is_none_or(|wanted| board.get(place) == *wanted)
        {
            board.put(machine, place, value)?;
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
        if let Some(place) = board.place(&row, &column)?
            && only_on.is_none_or(|wanted| board.get(place) == *wanted)
        {
            board.put(machine, place, &value)?;
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

pub(super) fn hupscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match (arguments[0].as_grid(), &arguments[1]) {
        (Some(grid), Value::Integer(factor)) => enlarged(machine, &grid, 1, *factor),
        _ => any::hupscale(machine, &arguments[0], &arguments[1]),
    }
}

pub(super) fn vupscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match (arguments[0].as_grid(), &arguments[1]) {
        (Some(grid), Value::Integer(factor)) => enlarged(machine, &grid, *factor, 1),
        _ => any::vupscale(machine, &arguments[0], &arguments[1]),
    }
}

/// The grid with every row and every column so many times.
pub(super) fn enlarged(machine: &mut Machine, grid: &Rc<Grid>, downwards: i64, sideways: i64) -> Outcome {
    if downwards <= 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    if sideways <= 0 {
        return empty_rows(machine, grid.height() as usize);
    }
    if downwards == 1 && sideways == 1 {
        return Ok(Value::Grid(Rc::clone(grid)));
    }
    let times = |size: u32, factor: i64| u64::from(size).saturating_mul(factor as u64);
    let (height, width) = (times(grid.height(), downwards), times(grid.width(), sideways));
    let mut cells = machine.reserve_cells(height, width)?;
    for row in grid.rows() {
        let start = cells.len();
        if sideways == 1 {
            cells.extend_from_slice(row);
        } else {
            for color in row {
                cells.resize(cells.len() + sideways as usize, *color);
            }
        }
        for _ in 1..downwards {
            cells.extend_from_within(start..start + width as usize);
        }
    }
    Ok(Machine::grid(height, width, cells))
}

pub(super) fn downscale(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (Some(grid), Value::Integer(factor @ 1..)) = (arguments[0].as_grid(), &arguments[1]) else {
        return any::downscale(machine, &arguments[0], &arguments[1]);
    };
    let step = usize::try_from(*factor).unwrap_or(usize::MAX);
    let (height, width) = ((grid.height() as usize).div_ceil(step), (grid.width() as usize).div_ceil(step));
    let mut cells = machine.reserve_cells(height as u64, width as u64)?;
    for row in grid.rows().step_by(step) {
        cells.extend(row.iter().step_by(step));
    }
    Ok(Machine::grid(height as u64, width as u64, cells))
}

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

pub(super) fn subgrid(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(Bounds { top, left, bottom, right }) = shapes::stored_bounds(&arguments[0]) else {
        let corner = patches::ulcorner(machine, &arguments[..1])?;
        let size = pieces::shape(machine, &arguments[..1])?;
        return crop(machine, &[arguments[1].clone(), corner, size]);
    };
    let (corner, size) = ([top, left], [bottom - top + 1, right - left + 1]);
    match arguments[1].as_grid() {
        Some(grid) => cropped(machine, &grid, corner, size),
        None => {
            let pair = |pair: [i64; 2]| Value::pair(pair[0], pair[1]);
            any::crop(machine, &arguments[1], &pair(corner), &pair(size))
        }
    }
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

pub(super) fn cellwise(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(one), Some(two), Some(fallback)) =
        (arguments[0].as_grid(), arguments[1].as_grid(), as_color(&arguments[2]))
        && two.height() >= one.height()
        && two.width() >= one.width()
    {
        let mut cells = copied(machine, &one)?;
        for (row, other) in cells.chunks_exact_mut(one.width() as usize).zip(two.rows()) {
            for (cell, other) in row.iter_mut().zip(other) {
                *cell = if cell == other { *cell } else { fallback };
            }
        }
        return Ok(as_large(&one, cells));
    }
    any::cellwise(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn replace(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let Some(grid) = arguments[0].as_grid() {
        let Some(replaced) = as_color(&arguments[1]).filter(|color| grid.has(*color)) else {
            return Ok(Value::Grid(grid));
        };
        if let Some(by) = as_color(&arguments[2]) {
            let mut cells = copied(machine, &grid)?;
            cells.iter_mut().for_each(|cell| *cell = if *cell == replaced { by } else { *cell });
            return Ok(as_large(&grid, cells));
        }
    }
    any::replace(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn switch(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    if let (Some(grid), Some(one), Some(two)) =
        (arguments[0].as_grid(), as_color(&arguments[1]), as_color(&arguments[2]))
    {
        let mut cells = copied(machine, &grid)?;
        for cell in &mut cells {
            let switched = if *cell == two { one } else { *cell };
            *cell = if *cell == one { two } else { switched };
        }
        return Ok(as_large(&grid, cells));
    }
    any::switch(machine, &arguments[0], &arguments[1], &arguments[2])
}

pub(super) fn index(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (grid, location) = (&arguments[0], &arguments[1]);
    if let (Value::Grid(grid), Value::Pair(row, column)) = (grid, location) {
        return Ok(grid.at(*row, *column).map_or(Value::None, |color| Value::Integer(color.into())));
    }
    let (row, column) = duck::both(location)?;
    let (height, width) = any::dimensions(grid)?;
    let Some((row, column)) = duck::place(&row, &column, height, width)? else { return Ok(Value::None) };
    if !location.is_tuple() {
        return Err(Fault::Type("a location inside of the grid must be a tuple"));
    }
    duck::cell(grid, row, column)
}

pub(super) fn canvas(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let (value, size) = (&arguments[0], &arguments[1]);
    let height = duck::times(&duck::slot(size, 0)?)?;
    if height == 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    let width = duck::times(&duck::slot(size, 1)?)?;
    if width == 0 {
        return empty_rows(machine, height);
    }
    if let Some(color) = as_color(value) {
        let mut cells = machine.reserve_cells(height as u64, width as u64)?;
        cells.resize(height * width, color);
        return Ok(Machine::grid(height as u64, width as u64, cells));
    }
    machine.reserve_members(width)?;
    machine.reserve_members(height)?;
    machine.reserve(value.bytes().saturating_mul(width).saturating_mul(height))?;
    let row = Value::tuple(vec![value.clone(); width]);
    machine.reserve(row.bytes().saturating_mul(height))?;
    Ok(Value::tuple(vec![row; height]))
}

pub(super) fn cover(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let background = elements::mostcolor(machine, &arguments[..1])?;
    if arguments[0].is_tuple() && matches!(arguments[1], Value::Indices(_) | Value::Object(_)) {
        return fill(machine, &[arguments[0].clone(), background, arguments[1].clone()]);
    }
    let locations = patches::toindices(machine, &arguments[1..])?;
    fill(machine, &[arguments[0].clone(), background, locations])
}

pub(super) fn trim(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::trim(machine, &arguments[0]) };
    let inner = |size: u32| duck::part(1, -1, size as usize);
    window(machine, &grid, inner(grid.height()), inner(grid.width()))
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

pub(super) fn compress(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let Some(grid) = arguments[0].as_grid() else { return any::compress(machine, &arguments[0]) };
    machine.visit(grid.cells().len())?;
    let first_row = grid.row(0);
    let mut columns: Vec<bool> = vec![false; first_row.len()];
    for row in grid.rows() {
        for (is_kept, (cell, first)) in columns.iter_mut().zip(row.iter().zip(first_row)) {
            *is_kept |= cell != first;
        }
    }
    let width = columns.iter().filter(|is_kept| **is_kept).count();
    let is_kept = |row: &&[u8]| row.iter().any(|cell| *cell != row[0]);
    let height = grid.rows().filter(is_kept).count();
    if height == 0 || width == 0 {
        return empty_rows(machine, height);
    }
    if (height, width) == (grid.height() as usize, first_row.len()) {
        return Ok(Value::Grid(grid));
    }
    let mut cells = machine.reserve_cells(height as u64, width as u64)?;
    for row in grid.rows().filter(is_kept) {
        cells.extend(row.iter().zip(&columns).filter(|(_, is_kept)| **is_kept).map(|(cell, _)| *cell));
    }
    Ok(Machine::grid(height as u64, width as u64, cells))
}
