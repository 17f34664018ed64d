//! Programs: their text, their meaning, and their canonical form.
//!
//! A program is a text. [`parse`] reads it, [`canonical()`] reduces it, [`mutate`] and [`cross`] make others of it. None of it runs
//! anything.

mod canonical;
mod hash_index;
mod parse;
mod print;
mod suggest;
#[cfg(test)]
mod tests;
mod types;
mod vary;

use crate::primitives::{Constant, Primitive};

pub use canonical::{Canonical, Function, Node, NodeRef, canonical};
pub(crate) use canonical::{digest_of, hash_of};
pub(crate) use hash_index::HashIndex;
pub use parse::{
    LONGEST_NAME, LONGEST_TEXT, MOST_ARGUMENTS, MOST_FAULTS, MOST_LINES, ParseFault, ParseFaultKind, parse,
};
pub use print::constant_name;
pub use vary::{cross, mutate};

/// A program: lines that each give a name to what a function makes of values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// The task of the header: `67a3c6ac` in `def solve_67a3c6ac(I):`, nothing in `def solve(I):`.
    pub task: String,
    /// The lines, at least one. A line uses lines before it alone; the last one is `O`, the result.
    pub lines: Vec<Line>,
}

/// A line: `target = function(arguments)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The name that the line gives to its value, `O` in the last line.
    pub target: String,
    /// What is called.
    pub callee: Callee,
    /// What it is called with, one to [`MOST_ARGUMENTS`]. A primitive gets as many as it takes.
    pub arguments: Vec<Argument>,
    /// Where the line stands in the text, from 1.
    pub line: u32,
}

/// What a line calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A primitive.
    Primitive(Primitive),
    /// The value of an earlier line: its place in [`Program::lines`].
    Line(u32),
}

/// What a function is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// The input grid, `I`.
    Input,
    /// The value of an earlier line: its place in [`Program::lines`].
    Line(u32),
    /// A constant.
    Constant(Constant),
    /// A primitive as a value.
    Primitive(Primitive),
}
