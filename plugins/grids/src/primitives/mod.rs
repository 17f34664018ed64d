//! The primitives of the language: one table of them, and a module for each family.

use crate::{fault::Outcome, machine::Machine, value::Value};

mod board;
mod callables;
mod components;
mod containers;
#[cfg(test)]
mod containers_tests;
mod distances;
mod duck;
mod elements;
mod extremes;
mod filters;
mod grid_parts;
mod grids;
mod lines;
mod logic;
mod numbers;
mod objects;
mod painting;
mod patches;
mod periods;
mod pieces;
mod shapes;
mod sorting;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use words::Word;

pub(crate) use components::Scratch;

/// What the table says about a primitive.
pub struct Row {
    /// The name that programs use.
    pub name: &'static str,
    /// Name and type of each argument.
    pub arguments: &'static [(&'static str, &'static str)],
    /// Type of the result.
    pub result: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    /// Whether it may look at all of its arguments. One that does not counts itself what it looks at.
    pub(crate) looks: bool,
    /// Runs it; there are as many arguments as the row has.
    pub(crate) run: fn(&mut Machine, &[Value]) -> Outcome,
}

/// A primitive: its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Primitive(u8);

impl Primitive {
    /// The primitive of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Primitive> {
        match words::word_of(name) {
            Some(Word::Primitive(primitive)) => Some(primitive),
            _ => None,
        }
    }

    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Primitive> {
        (0..table::ROWS.len() as u8).map(Primitive)
    }

    /// Its place in the table.
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// What the table says.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &table::ROWS[self.0 as usize]
    }

    /// How many arguments it takes.
    #[must_use]
    pub fn arity(self) -> usize {
        self.row().arguments.len()
    }
}

/// Names with a value that programs may use, in the order of the reference page.
pub static CONSTANTS: &[(&str, Constant)] = &[
    ("F", Constant::Integer(0)),
    ("T", Constant::Integer(1)),
    ("ZERO", Constant::Integer(0)),
    ("ONE", Constant::Integer(1)),
    ("TWO", Constant::Integer(2)),
    ("THREE", Constant::Integer(3)),
    ("FOUR", Constant::Integer(4)),
    ("FIVE", Constant::Integer(5)),
    ("SIX", Constant::Integer(6)),
    ("SEVEN", Constant::Integer(7)),
    ("EIGHT", Constant::Integer(8)),
    ("NINE", Constant::Integer(9)),
    ("TEN", Constant::Integer(10)),
    ("NEG_ONE", Constant::Integer(-1)),
    ("NEG_TWO", Constant::Integer(-2)),
    ("DOWN", Constant::Pair(1, 0)),
    ("RIGHT", Constant::Pair(0, 1)),
    ("UP", Constant::Pair(-1, 0)),
    ("LEFT", Constant::Pair(0, -1)),
    ("ORIGIN", Constant::Pair(0, 0)),
    ("UNITY", Constant::Pair(1, 1)),
    ("NEG_UNITY", Constant::Pair(-1, -1)),
    ("UP_RIGHT", Constant::Pair(-1, 1)),
    ("DOWN_LEFT", Constant::Pair(1, -1)),
    ("ZERO_BY_TWO", Constant::Pair(0, 2)),
    ("TWO_BY_ZERO", Constant::Pair(2, 0)),
    ("TWO_BY_TWO", Constant::Pair(2, 2)),
    ("THREE_BY_THREE", Constant::Pair(3, 3)),
];

/// The value of a constant. Truth is 1 and 0: `T` and `ONE` are one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// An integer.
    Integer(i64),
    /// A pair of integers.
    Pair(i32, i32),
}

impl Constant {
    /// The constant of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Constant> {
        match words::word_of(name) {
            Some(Word::Constant(constant)) => Some(constant),
            _ => None,
        }
    }
}
