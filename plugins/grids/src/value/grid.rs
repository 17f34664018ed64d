//! Grids, which are rectangles of the colours 0 to 9.

use std::{cell::OnceCell, rc::Rc};

use super::{
    Indices,
    eights::{self, SIDE},
};

/// The most colours a grid has.
pub const COLORS: usize = 10;

/// A rectangle of at least one cell, each a colour 0..=9. Any other tuple of tuples is a [`super::Value::Tuple`].
#[derive(Debug)]
pub struct Grid {
    height: u32,
    width: u32,
    /// Row after row.
    cells: Box<[u8]>,
    /// Where each colour is, as it was asked for: apart, since most grids are never asked.
    planes: OnceCell<Box<Planes>>,
    /// How often each colour occurs, once it was asked for.
    counts: OnceCell<[u32; COLORS]>,
}

/// Where each colour is, or that it is nowhere, once that is known.
type Planes = [OnceCell<Option<Rc<Indices>>>; COLORS];

impl Grid {
    /// A grid of these cells, row after row.
    ///
    /// # Panics
    /// If there are not `height` times `width` cells, no cells at all, or a cell that is not a colour: a fault of the caller.
    #[must_use]
    pub fn new(height: u32, width: u32, cells: Vec<u8>) -> Grid {
        assert!(
            height > 0 && width > 0 && cells.len() == height as usize * width as usize,
            "a grid is a full rectangle"
        );
        debug_assert!(cells.iter().all(|cell| usize::from(*cell) < COLORS), "a cell is a colour");
        Grid { height, width, cells: cells.into(), planes: OnceCell::new(), counts: OnceCell::new() }
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The cells, row after row.
    #[must_use]
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// A row.
    #[must_use]
    pub fn row(&self, row: u32) -> &[u8] {
        let width = self.width as usize;
        &self.cells[row as usize * width..][..width]
    }

    /// The rows, from above.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.cells.chunks_exact(self.width as usize)
    }

    /// The color of a cell inside of the grid.
    #[must_use]
    pub fn at(&self, row: i32, column: i32) -> Option<u8> {
        let inside = row >= 0 && column >= 0 && (row as u32) < self.height && (column as u32) < self.width;
        inside.then(|| self.cells[row as usize * self.width as usize + column as usize])
    }

    /// How often each colour occurs. Counted once.
    #[must_use]
    pub fn counts(&self) -> &[u32; COLORS] {
        self.counts.get_or_init(|| {
            let mut counts = [0; COLORS];
            let (parts, rest) = self.cells.as_chunks::<16>();
            rest.iter().for_each(|cell| counts[usize::from(*cell)] += 1);
            // Of so few cells that a count of them fits a byte, many are compared at once.
            for part in parts.chunks(15) {
                let part = part.as_flattened();
                for (color, count) in (0..).zip(&mut counts) {
                    let found = part.iter().fold(0_u8, |found, cell| found.wrapping_add(u8::from(*cell == color)));
                    *count += u32::from(found);
                }
            }
            counts
        })
    }

    /// Where a colour is; `None` if nowhere. Found once.
    #[must_use]
    pub fn plane(&self, color: u8) -> Option<&Rc<Indices>> {
        let plane = self.planes.get_or_init(Box::default).get(usize::from(color))?;
        plane.get_or_init(|| self.find(color).map(Rc::new)).as_ref()
    }

    fn find(&self, color: u8) -> Option<Indices> {
        let width = self.width as usize;
        if self.has_masks() {
            let mut rows = [0; SIDE as usize];
            let rows = &mut rows[..self.height as usize];
            for (at, row) in rows.iter_mut().enumerate() {
                *row = eights::color_mask(&self.cells, at * width, width, color);
            }
            return Indices::from_rows(0, 0, rows);
        }
        let cells = self.cells.iter().enumerate().filter(|(_, cell)| **cell == color);
        Indices::from_cells(cells.map(|(at, _)| ((at / width) as i32, (at % width) as i32)).collect())
    }

    /// Whether the grid is small enough for masks of its rows.
    #[must_use]
    pub(crate) fn has_masks(&self) -> bool {
        self.height <= SIDE && self.width <= SIDE
    }

    /// The colours that occur, ascending, and where each is.
    #[must_use]
    pub fn all_planes(&self) -> Vec<(i32, Rc<Indices>)> {
        let colors = (0..COLORS as u8).zip(self.counts()).filter(|(_, count)| **count > 0);
        colors.filter_map(|(color, _)| Some((i32::from(color), Rc::clone(self.plane(color)?)))).collect()
    }

    /// Whether any cell has this colour.
    #[must_use]
    pub fn has(&self, color: u8) -> bool {
        self.cells.contains(&color)
    }
}

impl PartialEq for Grid {
    fn eq(&self, other: &Grid) -> bool {
        self.width == other.width && self.cells == other.cells
    }
}

impl Eq for Grid {}
