//! Connected cells of a grid: runs of cells are found row by row, and runs that touch are joined.

use std::{cmp::Ordering, rc::Rc};

use crate::{
    fault::Outcome,
    machine::Machine,
    value::{COLORS, Grid, Indices, Object, Value, eights},
};

/// Neighbouring cells of one row and one colour.
struct Run {
    row: u32,
    /// First column.
    start: u32,
    /// One past the last column.
    end: u32,
    color: u8,
}

/// Where one colour of a component is: the box of its runs, `right` one past the last column, and how many cells they have.
struct Part {
    component: u32,
    color: u8,
    top: u32,
    left: u32,
    bottom: u32,
    right: u32,
    count: u32,
    /// Where its masks begin among those of all parts.
    masks: usize,
}

/// Room for what is found on the way.
#[derive(Default)]
pub(crate) struct Scratch {
    runs: Vec<Run>,
    /// For each run an earlier one of its component, or itself if it is the first; later on, the part that it belongs to.
    places: Vec<u32>,
    parts: Vec<Part>,
    /// The masks of all parts, one after the other.
    masks: Vec<u64>,
}

/// Room for so many runs is kept for the next grid.
const KEPT: usize = 4_096;

/// The connected components of a grid, ascending.
///
/// Cells connect sideways, and where `diagonal` also at their corners; where `one_color`, only cells of the same colour do. Cells of
/// the colour `background` belong to no component.
pub(super) fn components(
    machine: &mut Machine,
    grid: &Grid,
    one_color: bool,
    diagonal: bool,
    background: Option<u8>,
) -> Outcome<Vec<Value>> {
    let cells = grid.cells().len();
    machine.reserve(cells.saturating_mul(size_of::<Run>() + 12))?;
    machine.visit(cells)?;
    let mut scratch = std::mem::take(&mut machine.scratch);
    join_runs(&mut scratch, grid, one_color, diagonal, background);
    find_parts(&mut scratch, one_color);
    let charged = machine.charge(2 * scratch.parts.len() as u64);
    let reserved = machine.reserve(scratch.parts.len().saturating_mul(128).saturating_add(cells / 2));
    let objects = charged.and(reserved).map(|()| objects_of(&mut scratch, one_color, grid.has_masks()));
    if scratch.runs.capacity() <= KEPT {
        machine.scratch = scratch;
    }
    objects
}

/// The objects that the parts are, ascending.
fn objects_of(scratch: &mut Scratch, one_color: bool, as_masks: bool) -> Vec<Value> {
    let planes = planes_of(scratch, as_masks);
    let parts = &scratch.parts;
    if one_color {
        // Parts come by their first cells: only colours are out of order.
        let mut next = [0; COLORS];
        parts.iter().for_each(|part| next[usize::from(part.color)] += 1);
        let mut begin = 0;
        next.iter_mut().for_each(|next| begin += std::mem::replace(next, begin));
        let mut objects = vec![Value::None; parts.len()];
        for (part, plane) in parts.iter().zip(planes) {
            let next_index = &mut next[usize::from(part.color)];
            objects[*next_index] = Value::Object(Rc::new(Object::of_color(i32::from(part.color), plane)));
            *next_index += 1;
        }
        return objects;
    }
    let mut planes: Vec<(u32, i32, Rc<Indices>)> =
        parts.iter().zip(planes).map(|(part, plane)| (part.component, i32::from(part.color), plane)).collect();
    planes.sort_unstable_by_key(|(component, color, _)| (*component, *color));
    let object = |planes: &[(u32, i32, Rc<Indices>)]| match planes {
        [(_, color, plane)] => Some(Object::of_color(*color, Rc::clone(plane))),
        planes => Object::from_planes(planes.iter().map(|(_, color, plane)| (*color, Rc::clone(plane))).collect()),
    };
    let mut objects: Vec<Object> = planes.chunk_by(|one, other| one.0 == other.0).filter_map(object).collect();
    // No two objects have a cell in common: the first cell decides.
    objects.sort_unstable_by_key(|object| (object.planes()[0].0, object.planes()[0].1.first()));
    objects.into_iter().map(|object| Value::Object(Rc::new(object))).collect()
}

/// Finds the parts of all components, in the order of their first runs, and which part each run belongs to.
fn find_parts(scratch: &mut Scratch, one_color: bool) {
    let Scratch { runs, places, parts, .. } = scratch;
    parts.clear();
    // The component of each run that was gone through, and the parts of each component by their colours.
    let (mut components, mut by_color): (Vec<u32>, Vec<[u32; COLORS]>) = (Vec::new(), Vec::new());
    for (at, run) in runs.iter().enumerate() {
        let parent = places[at] as usize;
        let known = if one_color {
            if parent == at { None } else { Some(places[parent]) }
        } else {
            let component = if parent == at { by_color.len() as u32 } else { components[parent] };
            components.push(component);
            if parent == at {
                by_color.push([u32::MAX; COLORS]);
            }
            let part = &mut by_color[component as usize][usize::from(run.color)];
            let known = (*part != u32::MAX).then_some(*part);
            *part = known.unwrap_or(parts.len() as u32);
            known
        };
        places[at] = known.unwrap_or(parts.len() as u32);
        let length = run.end - run.start;
        let Some(known) = known else {
            parts.push(Part {
                component: components.last().copied().unwrap_or(0),
                color: run.color,
                top: run.row,
                left: run.start,
                bottom: run.row,
                right: run.end,
                count: length,
                masks: 0,
            });
            continue;
        };
        let part = &mut parts[known as usize];
        (part.left, part.right) = (part.left.min(run.start), part.right.max(run.end));
        part.bottom = run.row;
        part.count += length;
    }
}

/// The locations of the parts that the runs belong to.
fn planes_of(scratch: &mut Scratch, as_masks: bool) -> Vec<Rc<Indices>> {
    let Scratch { runs, places, parts, masks } = scratch;
    if !as_masks {
        let mut cells = vec![Vec::new(); parts.len()];
        for (run, part) in runs.iter().zip(&*places) {
            cells[*part as usize].extend((run.start..run.end).map(|column| (run.row as i32, column as i32)));
        }
        return cells.into_iter().filter_map(Indices::from_cells).map(Rc::new).collect();
    }
    let mut count = 0;
    for part in parts.iter_mut() {
        part.masks = count;
        count += (part.bottom - part.top + 1) as usize;
    }
    masks.clear();
    masks.resize(count, 0);
    for (run, part) in runs.iter().zip(&*places) {
        let part = &parts[*part as usize];
        let mask = u64::MAX >> (64 - (run.end - run.start)) << (run.start - part.left);
        masks[part.masks + (run.row - part.top) as usize] |= mask;
    }
    let plane = |part: &Part| {
        let bounds = [part.top, part.left, part.bottom, part.right - 1].map(|at| at as i32);
        let masks = &masks[part.masks..][..(part.bottom - part.top + 1) as usize];
        Rc::new(Indices::of_counted_masks(bounds, masks, part.count))
    };
    parts.iter().map(plane).collect()
}

/// Finds the runs of a grid, row by row, and for each of them an earlier one of its component, or itself if it is the first.
fn join_runs(scratch: &mut Scratch, grid: &Grid, one_color: bool, diagonal: bool, background: Option<u8>) {
    let Scratch { runs, places: parents, .. } = scratch;
    runs.clear();
    parents.clear();
    let reach = u32::from(diagonal);
    let mut above = 0..0;
    for (row, cells) in grid.rows().enumerate() {
        let begin = runs.len();
        let mut add = |color: u8, start: u32, end: u32| {
            if Some(color) == background {
                return;
            }
            let at = runs.len();
            parents.push(at as u32);
            let beside = at > begin && runs[at - 1].end == start;
            runs.push(Run { row: row as u32, start, end, color });
            if beside && !one_color {
                join(parents, at - 1, at);
            }
        };
        let mut start = 0;
        if cells.len() <= 64 {
            let mut ends = eights::run_ends(grid.cells(), row * cells.len(), cells.len());
            while ends != 0 {
                let end = ends.trailing_zeros() + 1;
                ends &= ends - 1;
                add(cells[start as usize], start, end);
                start = end;
            }
        } else {
            for same in cells.chunk_by(|one, other| one == other) {
                let end = start + same.len() as u32;
                add(same[0], start, end);
                start = end;
            }
        }
        let (mut up, mut here) = (above.start, begin);
        let mut touch = |up: usize, here: usize| {
            let (one, other) = (&runs[up], &runs[here]);
            let near = one.start < other.end + reach && other.start < one.end + reach;
            if near && (!one_color || one.color == other.color) {
                join(parents, up, here);
            }
        };
        while up < above.end && here < runs.len() {
            touch(up, here);
            match runs[up].end.cmp(&runs[here].end) {
                Ordering::Less => up += 1,
                Ordering::Greater => here += 1,
                Ordering::Equal => {
                    if diagonal && up + 1 < above.end {
                        touch(up + 1, here);
                    }
                    if diagonal && here + 1 < runs.len() {
                        touch(up, here + 1);
                    }
                    up += 1;
                    here += 1;
                }
            }
        }
        above = begin..runs.len();
    }
}

/// Makes two runs of one component: the earlier of their first ones becomes the first of both.
fn join(parents: &mut [u32], one: usize, other: usize) {
    let (one, other) = (first_of(parents, one), first_of(parents, other));
    parents[one.max(other)] = one.min(other) as u32;
}

/// The first run of the component of a run.
fn first_of(parents: &mut [u32], mut at: usize) -> usize {
    while parents[at] as usize != at {
        parents[at] = parents[parents[at] as usize];
        at = parents[at] as usize;
    }
    at
}
