//! The one order of all values: none < integers < tuples < sets < functions. Tuples compare slot by slot, the shorter first; sets,
//! as the tuples of their sorted members; functions, by when they were made, primitives in the order of the table before all.

use std::{cmp::Ordering, rc::Rc};

use super::{Grid, Value};

impl Value {
    fn rank(&self) -> u8 {
        match self {
            Value::None => 0,
            Value::Integer(_) => 1,
            Value::Pair(..) | Value::Cell(..) | Value::Grid(_) | Value::Tuple(_) => 2,
            Value::Indices(_) | Value::Object(_) | Value::Set(_) | Value::Ordered(_) => 3,
            Value::Primitive(_) => 4,
            Value::Closure(_) => 5,
        }
    }
}

/// The rows of a grid against the slots of a tuple, no row made a value.
fn against_rows(grid: &Grid, slots: &[Value]) -> Ordering {
    for (row, slot) in grid.rows().zip(slots) {
        let colors = row.iter().map(|color| Value::Integer(i64::from(*color)));
        let order = match (slot, slot.slots()) {
            (Value::Tuple(tuple), _) => {
                let mut slots = tuple.items().iter();
                let differing = colors.map(|color| slots.next().map_or(Ordering::Greater, |slot| color.cmp(slot)));
                let first = differing.into_iter().find(|order| *order != Ordering::Equal);
                first.unwrap_or(row.len().cmp(&tuple.items().len()))
            }
            (_, Some(slots)) => colors.cmp((0..slots.len()).map(|at| slots.get(at))),
            (slot, None) => 2.cmp(&slot.rank()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    (grid.height() as usize).cmp(&slots.len())
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Integer(one), Value::Integer(two)) => one.cmp(two),
            (Value::Pair(one, two), Value::Pair(three, four)) => (one, two).cmp(&(three, four)),
            (Value::Cell(one, two, three), Value::Cell(four, five, six)) => (one, two, three).cmp(&(four, five, six)),
            (Value::Grid(one), Value::Grid(two)) if Rc::ptr_eq(one, two) => Ordering::Equal,
            (Value::Grid(one), Value::Grid(two)) => one.rows().cmp(two.rows()),
            (Value::Tuple(one), Value::Tuple(two)) if Rc::ptr_eq(one, two) => Ordering::Equal,
            (Value::Tuple(one), Value::Tuple(two)) => one.items().cmp(two.items()),
            (Value::Indices(one), Value::Indices(two)) => one.cmp(two),
            (Value::Object(one), Value::Object(two)) => one.cmp(two),
            (Value::Set(one), Value::Set(two)) => one.members().cmp(two.members()),
            (Value::Primitive(one), Value::Primitive(two)) => one.cmp(two),
            (Value::Closure(one), Value::Closure(two)) => one.serial.cmp(&two.serial),
            (one, two) if one.rank() != two.rank() => one.rank().cmp(&two.rank()),
            (Value::Ordered(one), Value::Ordered(two)) => one.sorted().cmp(two.sorted()),
            // A row is a tuple, which no integer is.
            (Value::Grid(_), Value::Pair(..) | Value::Cell(..)) => Ordering::Greater,
            (Value::Pair(..) | Value::Cell(..), Value::Grid(_)) => Ordering::Less,
            (Value::Grid(grid), Value::Tuple(tuple)) => against_rows(grid, tuple.items()),
            (Value::Tuple(tuple), Value::Grid(grid)) => against_rows(grid, tuple.items()).reverse(),
            (one, two) => match (one.slots(), two.slots()) {
                (Some(one), Some(two)) => {
                    let ones = (0..one.len()).map(|at| one.get(at));
                    ones.cmp((0..two.len()).map(|at| two.get(at)))
                }
                // Sets that are stored in different ways differ early, if not in their first members.
                _ => match (one.members(), two.members()) {
                    (Some(ones), Some(twos)) if one.ascends() && two.ascends() => ones.cmp(twos),
                    _ => one.sorted_members().cmp(&two.sorted_members()),
                },
            },
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Integer(one), Value::Integer(two)) => one == two,
            (Value::Pair(one, two), Value::Pair(three, four)) => (one, two) == (three, four),
            (Value::Cell(one, two, three), Value::Cell(four, five, six)) => (one, two, three) == (four, five, six),
            (Value::Grid(one), Value::Grid(two)) => Rc::ptr_eq(one, two) || one == two,
            (Value::Indices(one), Value::Indices(two)) => Rc::ptr_eq(one, two) || one == two,
            (Value::Object(one), Value::Object(two)) => Rc::ptr_eq(one, two) || one == two,
            (Value::Tuple(one), Value::Tuple(two)) => Rc::ptr_eq(one, two) || one.items() == two.items(),
            (Value::Set(one), Value::Set(two)) => Rc::ptr_eq(one, two) || one.members() == two.members(),
            (Value::Ordered(one), Value::Ordered(two)) => one == two,
            (one, two) => one.cmp(two) == Ordering::Equal,
        }
    }
}

impl Eq for Value {}
