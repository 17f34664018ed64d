//! Connected cells of a grid: runs of cells are found row by row, and runs that touch are joined.

use std::{cmp::Ordering, rc::Rc};

use crate::{
    fault::Outcome,
    machine::Machine,
    value::{COLORS, Grid, Indices, Object, Value},
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
    let (runs, mut parents) = joined_runs(grid, one_color, diagonal, background);
    // A parent comes before its children, so that one pass numbers the components in the order of their first runs.
    let mut count = 0;
    for at in 0..runs.len() {
        let parent = parents[at] as usize;
        parents[at] = if parent == at {
            count += 1;
            count - 1
        } else {
            parents[parent]
        };
    }
    let components = parents;
    let mut colors = vec![[0_u32; COLORS]; count as usize];
    for (run, component) in runs.iter().zip(&components) {
        colors[*component as usize][usize::from(run.color)] += 1;
    }
    let planes: usize = colors.iter().map(|colors| colors.iter().filter(|count| **count > 0).count()).sum();
    machine.reserve(planes.saturating_mul(128).saturating_add(cells / 2))?;
    // Where the runs of each colour of each component begin, once they are sorted by these.
    let mut begin = 0;
    for count in colors.iter_mut().flatten() {
        begin += std::mem::replace(count, begin);
    }
    let mut sorted = vec![0_u32; runs.len()];
    for (at, (run, component)) in runs.iter().zip(&components).enumerate() {
        let place = &mut colors[*component as usize][usize::from(run.color)];
        sorted[*place as usize] = at as u32;
        *place += 1;
    }
    let (mut begin, mut rows) = (0, [0_u64; 64]);
    let mut objects = Vec::with_capacity(count as usize);
    for ends in &colors {
        let (mut first, mut others) = (None, Vec::new());
        for (color, end) in (0..).zip(ends) {
            let of_color = &sorted[begin as usize..*end as usize];
            begin = *end;
            let Some(plane) = plane_of(of_color.iter().map(|at| &runs[*at as usize]), grid, &mut rows) else {
                continue;
            };
            if first.is_none() {
                first = Some((color, Rc::new(plane)));
            } else {
                others.push((color, Rc::new(plane)));
            }
        }
        let Some((color, plane)) = first else { continue };
        // No two objects have a cell in common: the first cell decides.
        let (row, column) = plane.first();
        let key = (color as u64) << 56 | (row as u64) << 28 | column as u64;
        let object = if others.is_empty() {
            Object::of_color(color, plane)
        } else {
            others.insert(0, (color, plane));
            Object::from_planes(others).expect("an object has a plane")
        };
        objects.push((key, Value::Object(Rc::new(object))));
    }
    objects.sort_unstable_by_key(|(key, _)| *key);
    Ok(objects.into_iter().map(|(_, object)| object).collect())
}

/// The runs of a grid, row by row, and for each of them an earlier one of its component, or itself if it is the first.
fn joined_runs(grid: &Grid, one_color: bool, diagonal: bool, background: Option<u8>) -> (Vec<Run>, Vec<u32>) {
    let mut runs: Vec<Run> = Vec::with_capacity(grid.cells().len().min(256));
    let mut parents: Vec<u32> = Vec::with_capacity(runs.capacity());
    let reach = u32::from(diagonal);
    let mut above = 0..0;
    for (row, cells) in grid.rows().enumerate() {
        let begin = runs.len();
        let mut start = 0;
        for same in cells.chunk_by(|one, other| one == other) {
            let (color, end) = (same[0], start + same.len() as u32);
            if Some(color) != background {
                let at = runs.len();
                parents.push(at as u32);
                let beside = at > begin && runs[at - 1].end == start;
                runs.push(Run { row: row as u32, start, end, color });
                if beside && !one_color {
                    join(&mut parents, at - 1, at);
                }
            }
            start = end;
        }
        let (mut up, mut here) = (above.start, begin);
        let mut touch = |up: usize, here: usize| {
            let (one, other) = (&runs[up], &runs[here]);
            let near = one.start < other.end + reach && other.start < one.end + reach;
            if near && (!one_color || one.color == other.color) {
                join(&mut parents, up, here);
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
    (runs, parents)
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

/// The locations of runs, which come row by row. The rows are empty before and after.
fn plane_of<'a>(runs: impl Iterator<Item = &'a Run> + Clone, grid: &Grid, rows: &mut [u64; 64]) -> Option<Indices> {
    let top = runs.clone().next()?.row;
    if grid.height() > 64 || grid.width() > 64 {
        let cells = runs.flat_map(|run| (run.start..run.end).map(|column| (run.row as i32, column as i32)));
        return Indices::from_cells(cells.collect());
    }
    let mut height = 0;
    for run in runs {
        height = (run.row - top) as usize + 1;
        rows[height - 1] |= (u64::MAX >> (64 - (run.end - run.start))) << run.start;
    }
    let plane = Indices::from_rows(top as i32, 0, &rows[..height]);
    rows[..height].fill(0);
    plane
}
