//! The values of the language: integers, tuples, sets, functions.
//!
//! Truth is 1 and 0. Common shapes have a representation of their own: pairs and cells stand in the value itself, grids are bytes,
//! sets of locations and of cells are masks of rows. How a value is represented never shows: equal values are equal.

mod compare;
pub(crate) mod eights;
mod grid;
mod indices;
mod json;
mod less;
mod measures;
mod object;

use std::rc::Rc;

pub use grid::{COLORS, Grid};
pub use indices::{FURTHEST, Indices, Locations, is_near};
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
    /// Truth as a value.
    #[must_use]
    pub fn truth(truth: bool) -> Value {
        Value::Integer(i64::from(truth))
    }

    /// The tuple of two integers.
    #[must_use]
    pub fn pair(first: i64, second: i64) -> Value {
        if let (Ok(row), Ok(column)) = (i32::try_from(first), i32::try_from(second))
            && is_near(row, column)
        {
            return Value::Pair(row, column);
        }
        Value::new_tuple(Box::new([Value::Integer(first), Value::Integer(second)]))
    }

    /// The tuple of these values.
    #[must_use]
    pub fn tuple(items: Vec<Value>) -> Value {
        match items.as_slice() {
            [Value::Integer(first), Value::Integer(second)] => return Value::pair(*first, *second),
            [Value::Integer(color), Value::Pair(row, column)] if i32::try_from(*color).is_ok() => {
                return Value::Cell(*color as i32, *row, *column);
            }
            _ => {}
        }
        Value::new_tuple(items.into())
    }

    /// The tuple of these two.
    #[must_use]
    pub fn couple(first: Value, second: Value) -> Value {
        match (&first, &second) {
            (Value::Integer(first), Value::Integer(second)) => return Value::pair(*first, *second),
            (Value::Integer(color), Value::Pair(row, column)) => {
                if let Ok(color) = i32::try_from(*color) {
                    return Value::Cell(color, *row, *column);
                }
            }
            _ => {}
        }
        Value::new_tuple(Box::new([first, second]))
    }

    fn new_tuple(items: Box<[Value]>) -> Value {
        let (bytes, depth) = extent_of(&items);
        Value::Tuple(Rc::new(Tuple { items, bytes, depth }))
    }

    /// The set of these values, in ascending order, whatever the order they come in.
    #[must_use]
    pub fn set(mut members: Vec<Value>) -> Value {
        if let Some(set) = Value::set_of_locations(&members) {
            return set;
        }
        members.sort_unstable();
        members.dedup();
        Value::sorted_set(members)
    }

    /// The set of these values, which are ascending, each once.
    #[must_use]
    pub(crate) fn ascending_set(members: Vec<Value>) -> Value {
        Value::set_of_locations(&members).unwrap_or_else(|| Value::sorted_set(members))
    }

    /// The set of these values if they are all pairs or all cells, and there are any.
    fn set_of_locations(members: &[Value]) -> Option<Value> {
        let kind = std::mem::discriminant(members.first()?);
        if !members.iter().all(|member| std::mem::discriminant(member) == kind) {
            return None;
        }
        match members[0] {
            Value::Pair(..) => {
                let cells = members.iter().map(|member| match member {
                    Value::Pair(row, column) => (*row, *column),
                    _ => unreachable!("all are pairs"),
                });
                Some(Value::indices(Indices::from_locations(cells)))
            }
            Value::Cell(..) => {
                let cells = members.iter().map(|member| match member {
                    Value::Cell(color, row, column) => (*color, (*row, *column)),
                    _ => unreachable!("all are cells"),
                });
                Some(Value::object(Object::from_cells(cells.collect())))
            }
            _ => None,
        }
    }

    /// The set of these values, which are ascending, each once, and neither all pairs nor all cells.
    #[must_use]
    pub(crate) fn sorted_set(members: Vec<Value>) -> Value {
        debug_assert!(members.is_sorted_by(|one, other| one < other), "members ascend");
        let (bytes, depth) = extent_of(&members);
        Value::Set(Rc::new(Set { members: members.into(), bytes, depth }))
    }

    /// The empty set, in ascending order.
    #[must_use]
    pub fn empty_set() -> Value {
        Value::sorted_set(Vec::new())
    }

    /// A set of locations, which may be empty.
    #[must_use]
    pub fn indices(indices: Option<Indices>) -> Value {
        indices.map_or_else(Value::empty_set, |indices| Value::Indices(Rc::new(indices)))
    }

    /// A set of cells, which may be empty.
    #[must_use]
    pub fn object(object: Option<Object>) -> Value {
        object.map_or_else(Value::empty_set, |object| Value::Object(Rc::new(object)))
    }

    /// A grid.
    #[must_use]
    pub fn grid(grid: Grid) -> Value {
        Value::Grid(Rc::new(grid))
    }

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

    /// The members of a set, ascending, whatever the order of its iteration; nothing if it is no set.
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

/// The bytes and the depth of a container of these.
fn extent_of(items: &[Value]) -> (usize, u32) {
    let own = items.len().saturating_mul(SLOT).saturating_add(48);
    items.iter().filter(|item| !item.is_plain()).fold((own, 1), |(bytes, depth): (usize, u32), item| {
        (bytes.saturating_add(item.bytes()), depth.max(item.depth() + 1))
    })
}

/// The slots of a tuple.
#[derive(Clone, Copy)]
pub struct Slots<'a>(&'a Value);

impl Slots<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Value::Grid(grid) => grid.height() as usize,
            Value::Tuple(tuple) => tuple.items.len(),
            _ => 2,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The slot at this place.
    ///
    /// # Panics
    /// If there are not so many: a fault of the caller.
    #[must_use]
    pub fn get(self, at: usize) -> Value {
        match (self.0, at) {
            (Value::Tuple(tuple), at) => tuple.items[at].clone(),
            (Value::Grid(grid), at) => row_value(grid.row(at as u32)),
            (Value::Pair(first, _) | Value::Cell(first, ..), 0) => Value::Integer(i64::from(*first)),
            (Value::Pair(_, second), 1) => Value::Integer(i64::from(*second)),
            (Value::Cell(_, row, column), 1) => Value::Pair(*row, *column),
            _ => unreachable!("a slot that the tuple does not have"),
        }
    }
}

/// A row of a grid as a tuple.
fn row_value(row: &[u8]) -> Value {
    Value::tuple(row.iter().map(|color| Value::Integer(i64::from(*color))).collect())
}

/// The slots or members of a value, one after the other.
pub enum Members<'a> {
    /// Of a list.
    #[doc(hidden)]
    Values(std::slice::Iter<'a, Value>),
    /// Of a set of locations.
    #[doc(hidden)]
    Indices(Locations<'a>),
    /// Of a set of cells.
    #[doc(hidden)]
    Object { planes: std::slice::Iter<'a, (i32, Rc<Indices>)>, color: i32, locations: Option<Locations<'a>> },
    /// Of another tuple.
    #[doc(hidden)]
    Slots { slots: Slots<'a>, at: usize },
    /// Of a set in the order of CPython.
    #[doc(hidden)]
    Boxed(Box<dyn Iterator<Item = Value> + 'a>),
}

impl Iterator for Members<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        match self {
            Members::Values(values) => values.next().cloned(),
            Members::Indices(locations) => locations.next().map(|(row, column)| Value::Pair(row, column)),
            Members::Object { planes, color, locations } => loop {
                if let Some((row, column)) = locations.as_mut().and_then(Iterator::next) {
                    return Some(Value::Cell(*color, row, column));
                }
                let (next, plane) = planes.next()?;
                *color = *next;
                *locations = Some(plane.iter());
            },
            Members::Slots { slots, at } => {
                let slot = (*at < slots.len()).then(|| slots.get(*at));
                *at += 1;
                slot
            }
            Members::Boxed(members) => members.next(),
        }
    }
}
