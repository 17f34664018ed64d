//! The values of the language: integers, tuples, sets, functions.
//!
//! True is 1 and false is 0. Common shapes have a representation of their own: pairs and cells are stored in the value itself, grids are bytes,
//! sets of locations and of cells are masks of rows. The representation is not visible to programs: equal values are equal.

mod compare;
mod construct;
pub(crate) mod eights;
mod grid;
mod indices;
mod json;
mod less;
mod measures;
mod members;
mod object;

use std::rc::Rc;

pub use grid::{COLORS, Grid};
pub use indices::{FURTHEST, Indices, Locations, is_near};
pub use members::{Members, Slots};
pub use object::Object;

use crate::{order::OrderedSet, primitives::Primitive};

/// A value. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value: what `index` gives outside of a grid.
    None,
    /// An integer, or truth.
    Integer(i64),
    /// A tuple of two integers, near the origin ([`is_near`]).
    Pair(i32, i32),
    /// A tuple of a colour and a location, (colour, (row, column)), near the origin.
    Cell(i32, i32, i32),
    /// A tuple of equally long tuples of colours.
    Grid(Rc<Grid>),
    /// Any other tuple, and any of the above that was not made as such.
    Tuple(Rc<Tuple>),
    /// A set of pairs.
    Indices(Rc<Indices>),
    /// A set of cells.
    Object(Rc<Object>),
    /// Any other set, the empty one among them, in ascending order.
    Set(Rc<Set>),
    /// A set in the order of CPython; where that is asked for, every set is one.
    Ordered(Rc<OrderedSet>),
    /// A primitive as a function.
    Primitive(Primitive),
    /// A function made by a function.
    Closure(Rc<Closure>),
}

/// A tuple of any values.
#[derive(Debug)]
pub struct Tuple {
    items: Box<[Value]>,
    bytes: usize,
    depth: u32,
}

/// A set of any values, ascending, each once.
#[derive(Debug)]
pub struct Set {
    members: Box<[Value]>,
    bytes: usize,
    depth: u32,
}

impl Tuple {
    /// The slots.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

impl Set {
    /// The members, ascending.
    #[must_use]
    pub fn members(&self) -> &[Value] {
        &self.members
    }
}

/// A function made by a function.
#[derive(Debug)]
pub struct Closure {
    /// What it does.
    pub(crate) made: Made,
    /// How many arguments it takes.
    pub(crate) arity: u8,
    /// Functions in a set are ordered by when they were made.
    pub(crate) serial: u64,
    pub(crate) bytes: usize,
    pub(crate) depth: u32,
}

/// The ways to make a function.
#[derive(Debug)]
pub(crate) enum Made {
    /// `outer(inner(x))`.
    Compose(Value, Value),
    /// `h(g(f(x)))`.
    Chain(Value, Value, Value),
    /// `function(x) = target`.
    Matcher(Value, Value),
    /// The last argument is fixed.
    RightBound(Value, Value),
    /// The first argument is fixed.
    LeftBound(Value, Value),
    /// The function so many times.
    Power(Value, u32),
    /// `outer(a(x), b(x))`.
    Fork(Value, Value, Value),
}

/// What a slot of a container takes beside what its value takes.
pub(crate) const SLOT: usize = size_of::<Value>();

impl Value {
    /// The value as a grid: a tuple of at least one row, all equally long with at least one cell, of integers 0..=9.
    #[must_use]
    pub fn as_grid(&self) -> Option<Rc<Grid>> {
        match self {
            Value::Grid(grid) => Some(Rc::clone(grid)),
            Value::Tuple(tuple) => {
                let width = tuple.items.first()?.slots()?.len();
                if width == 0 {
                    return None;
                }
                let mut cells = Vec::with_capacity(width.min(1 << 16) * tuple.items.len());
                for row in &tuple.items {
                    let row = row.slots()?;
                    if row.len() != width {
                        return None;
                    }
                    for at in 0..width {
                        match row.get(at) {
                            Value::Integer(color @ 0..=9) => cells.push(color as u8),
                            _ => return None,
                        }
                    }
                }
                Some(Rc::new(Grid::new(tuple.items.len() as u32, width as u32, cells)))
            }
            _ => None,
        }
    }

    /// Whether the value counts as true: everything does but none, 0, the empty tuple and the empty set.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Value::None => false,
            Value::Integer(integer) => *integer != 0,
            Value::Tuple(tuple) => !tuple.items.is_empty(),
            Value::Set(set) => !set.members.is_empty(),
            Value::Ordered(set) => !set.is_empty(),
            _ => true,
        }
    }

    /// The slots, if it is a tuple.
    #[must_use]
    pub fn slots(&self) -> Option<Slots<'_>> {
        match self {
            Value::Pair(..) | Value::Cell(..) | Value::Grid(_) | Value::Tuple(_) => Some(Slots(self)),
            _ => None,
        }
    }

    /// Whether it is a set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        matches!(self, Value::Indices(_) | Value::Object(_) | Value::Set(_) | Value::Ordered(_))
    }

    /// Whether it is a tuple.
    #[must_use]
    pub fn is_tuple(&self) -> bool {
        self.slots().is_some()
    }

    /// Whether it is a function.
    #[must_use]
    pub fn is_function(&self) -> bool {
        matches!(self, Value::Primitive(_) | Value::Closure(_))
    }

    /// Whether it is a function, or holds one.
    #[must_use]
    pub(crate) fn holds_function(&self) -> bool {
        match self {
            Value::Primitive(_) | Value::Closure(_) => true,
            Value::Tuple(tuple) => tuple.items.iter().any(Value::holds_function),
            Value::Set(set) => set.members.iter().any(Value::holds_function),
            _ => false,
        }
    }

    /// Number of slots or members, if it is a tuple or a set.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match self {
            Value::Indices(indices) => Some(indices.count() as usize),
            Value::Object(object) => Some(object.count() as usize),
            Value::Set(set) => Some(set.members.len()),
            Value::Ordered(set) => Some(set.len()),
            tuple => tuple.slots().map(|slots| slots.len()),
        }
    }

    /// The slots of a tuple in order, or the members of a set in the order of its iteration; nothing if it is neither.
    #[must_use]
    pub fn members(&self) -> Option<Members<'_>> {
        Some(match self {
            Value::Indices(indices) => Members::Indices(indices.iter()),
            Value::Object(object) => Members::Object { planes: object.planes().iter(), color: 0, locations: None },
            Value::Set(set) => Members::Values(set.members.iter()),
            Value::Tuple(tuple) => Members::Values(tuple.items.iter()),
            Value::Ordered(set) => Members::Boxed(Box::new(set.iter())),
            tuple => Members::Slots { slots: tuple.slots()?, at: 0 },
        })
    }

    /// Whether it is a set that is iterated in ascending order.
    pub(crate) fn ascends(&self) -> bool {
        self.is_set() && !matches!(self, Value::Ordered(_))
    }

    /// The members of a set, ascending, whatever the order of its iteration; `None` if it is not a set.
    #[must_use]
    pub fn sorted_members(&self) -> Option<Vec<Value>> {
        match self {
            Value::Ordered(set) => Some(set.sorted().to_vec()),
            set if set.is_set() => set.members().map(Iterator::collect),
            _ => None,
        }
    }

    /// Whether nothing of the value is on the heap.
    #[must_use]
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Value::None | Value::Integer(_) | Value::Pair(..) | Value::Cell(..) | Value::Primitive(_))
    }

    /// Bytes on the heap, about; what is shared counts wherever it stands.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> usize {
        if self.is_plain() { 0 } else { self.held_bytes() }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Value::None | Value::Integer(_) | Value::Pair(..) | Value::Cell(..) | Value::Primitive(_) => 0,
            Value::Grid(grid) => 64 + grid.cells().len(),
            Value::Tuple(tuple) => tuple.bytes,
            Value::Indices(indices) => indices.bytes(),
            Value::Object(object) => object.bytes(),
            Value::Set(set) => set.bytes,
            Value::Ordered(set) => set.bytes(),
            Value::Closure(closure) => closure.bytes,
        }
    }

    /// Whether both are one function made by a function.
    pub(crate) fn is_same_closure(&self, other: &Value) -> bool {
        matches!((self, other), (Value::Closure(one), Value::Closure(other)) if Rc::ptr_eq(one, other))
    }

    /// How many tuples, sets and functions are within each other, but for grids and sets of locations or cells.
    #[must_use]
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Value::Tuple(tuple) => tuple.depth,
            Value::Set(set) => set.depth,
            Value::Ordered(set) => set.depth(),
            Value::Closure(closure) => closure.depth,
            _ => 0,
        }
    }

    /// The slots or members, in the order of [`Value::members`], where they are stored as a list.
    #[inline]
    pub(crate) fn list(&self) -> Option<&[Value]> {
        match self {
            Value::Tuple(tuple) => Some(&tuple.items),
            Value::Set(set) => Some(&set.members),
            _ => None,
        }
    }

    /// Adds the slots or members to a list, in the order of [`Value::members`]; false if it is neither a tuple nor a set.
    pub(crate) fn members_into(&self, list: &mut Vec<Value>) -> bool {
        match self {
            Value::Indices(indices) => list.extend(indices.iter().map(|(row, column)| Value::Pair(row, column))),
            Value::Object(object) => {
                for (color, plane) in object.planes() {
                    list.extend(plane.iter().map(|(row, column)| Value::Cell(*color, row, column)));
                }
            }
            Value::Set(set) => list.extend_from_slice(&set.members),
            Value::Tuple(tuple) => list.extend_from_slice(&tuple.items),
            other => match other.members() {
                Some(members) => list.extend(members),
                None => return false,
            },
        }
        true
    }
}
