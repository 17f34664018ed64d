//! Constructors of values, each of which chooses the representation for the kind of value.

use std::rc::Rc;

use super::{Grid, Indices, Object, SLOT, Set, Tuple, Value, is_near};

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
}

/// The bytes and the depth of a container of these.
fn extent_of(items: &[Value]) -> (usize, u32) {
    let own = items.len().saturating_mul(SLOT).saturating_add(48);
    items.iter().filter(|item| !item.is_plain()).fold((own, 1), |(bytes, depth): (usize, u32), item| {
        (bytes.saturating_add(item.bytes()), depth.max(item.depth() + 1))
    })
}
