//! Grids: rectangles of colours 0..=9.

use std::{cell::OnceCell, rc::Rc};

use super::Indices;

/// The most colours a grid has.
pub const COLORS: usize = 10;

/// A rectangle of at least one cell, each a colour 0..=9. Any other tuple of tuples is a [`super::Value::Tuple`].
#[derive(Debug)]
pub struct Grid {
    height: u32,
    width: u32,
    /// Row after row.
    cells: Box<[u8]>,
    /// Where each colour is, as it was asked for.
    planes: [OnceCell<Option<Rc<Indices>>>; COLORS],
}

impl Grid {
    /// A grid of these cells, row after row.
    ///
    /// # Panics
    /// If there are not `height` times `width` cells, none at all, or a cell is no colour: a fault of the caller.
    #[must_use]
    pub fn new(height: u32, width: u32, cells: Vec<u8>) -> Grid {
        assert!(
            height > 0 && width > 0 && cells.len() == height as usize * width as usize,
            "a grid is a full rectangle"
        );
        debug_assert!(cells.iter().all(|cell| usize::from(*cell) < COLORS), "a cell is a colour");
        Grid { height, width, cells: cells.into(), planes: Default::default() }
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

    /// How often each colour occurs.
    #[must_use]
    pub fn counts(&self) -> [u32; COLORS] {
        // Sixteen counters, so that no index has to be checked.
        let mut counts = [0_u32; 16];
        for cell in &self.cells {
            counts[usize::from(*cell & 15)] += 1;
        }
        std::array::from_fn(|color| counts[color])
    }

    /// Where a colour is; `None` if nowhere. Found once.
    #[must_use]
    pub fn plane(&self, color: u8) -> Option<&Rc<Indices>> {
        let plane = self.planes.get(usize::from(color))?;
        plane.get_or_init(|| self.find(color).map(Rc::new)).as_ref()
    }

    fn find(&self, color: u8) -> Option<Indices> {
        if self.width <= 64 && self.height <= 64 {
            let mut rows = [0_u64; 64];
            for (row, mask) in self.rows().zip(&mut rows) {
                *mask = mask_of(row, color);
            }
            return Indices::from_rows(0, 0, &rows[..self.height as usize]);
        }
        let width = self.width as usize;
        let cells = self.cells.iter().enumerate().filter(|(_, cell)| **cell == color);
        Indices::from_cells(cells.map(|(at, _)| ((at / width) as i32, (at % width) as i32)).collect())
    }

    /// Whether any cell has this colour.
    #[must_use]
    pub fn has(&self, color: u8) -> bool {
        self.cells.contains(&color)
    }
}

/// A bit for each cell of the row that has this colour, the first one lowest.
fn mask_of(row: &[u8], color: u8) -> u64 {
    row.iter().enumerate().fold(0, |mask, (column, cell)| mask | (u64::from(*cell == color) << column))
}

impl PartialEq for Grid {
    fn eq(&self, other: &Grid) -> bool {
        self.width == other.width && self.cells == other.cells
    }
}

impl Eq for Grid {}
