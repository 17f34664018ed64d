//! Where rows go.

use std::io;

use super::columns::Cell;

/// Takes rows, one after the other.
pub(crate) trait Sink {
    /// Takes a row: a cell for each column.
    ///
    /// # Errors
    /// If it cannot be written.
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()>;

    /// There are no more rows.
    ///
    /// # Errors
    /// If they cannot be written.
    fn end(self: Box<Self>) -> io::Result<()>;
}
