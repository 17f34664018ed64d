//! Evaluates programs: all candidates of a task are one graph of shared nodes.

mod forest;
#[cfg(test)]
mod limits_tests;

pub use forest::{Forest, Options};

use crate::{
    fault::Fault,
    task::fingerprint,
    value::{Grid, Value},
};

/// What came of a program on an input.
#[derive(Clone, Debug)]
pub enum Result {
    /// A value.
    Value(Value),
    /// A fault, and the line of the program that it is in.
    Fault(Fault, u32),
}

/// What an output is against the grid that was to come, in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The grid itself.
    Equal,
    /// Another grid; of so many cells in the right shape that are equal, or another shape.
    Grid {
        /// `grid:` and a fingerprint.
        fingerprint: String,
        /// Cells that are as they should be, where the shape is.
        equal_cells: Option<u32>,
    },
    /// No grid.
    NotAGrid,
    /// No value.
    Fault(Fault),
}

impl Verdict {
    /// Compares what came with what was to come.
    #[must_use]
    pub fn of(result: &Result, expected: &Grid) -> Verdict {
        let value = match result {
            Result::Fault(fault, _) => return Verdict::Fault(*fault),
            Result::Value(value) => value,
        };
        let Some(grid) = value.as_grid() else { return Verdict::NotAGrid };
        if *grid == *expected {
            return Verdict::Equal;
        }
        let same_shape = grid.height() == expected.height() && grid.width() == expected.width();
        let equal_cells = same_shape
            .then(|| grid.cells().iter().zip(expected.cells()).filter(|(one, other)| one == other).count() as u32);
        Verdict::Grid { fingerprint: fingerprint(&grid), equal_cells }
    }

    /// The word for it: `equal`, `grid:…`, `not-a-grid`, `error:type`, `limit:steps`.
    #[must_use]
    pub fn outcome(self) -> String {
        match self {
            Verdict::Equal => "equal".to_owned(),
            Verdict::Grid { fingerprint, .. } => fingerprint,
            Verdict::NotAGrid => "not-a-grid".to_owned(),
            Verdict::Fault(fault) => fault.outcome(),
        }
    }

    /// 1000 for the grid itself, the share of equal cells times 999 for another one of its shape, 0 for anything else.
    #[must_use]
    pub fn score(&self, expected: &Grid) -> u32 {
        match self {
            Verdict::Equal => 1000,
            Verdict::Grid { equal_cells: Some(equal), .. } => 999 * equal / expected.cells().len() as u32,
            _ => 0,
        }
    }
}
