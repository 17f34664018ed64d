//! The slots of a tuple, and the members of a container, one after the other.

use std::rc::Rc;

use super::{Indices, Locations, Value};

/// The slots of a tuple.
#[derive(Clone, Copy)]
pub struct Slots<'a>(pub(super) &'a Value);

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
