//! The values that primitives accept as a patch: sets of locations and of cells, and other values that behave like one.
//!
//! Whether members are cells or locations is decided by the first one: is its second slot a tuple?

use std::rc::Rc;

use super::duck;
use crate::{
    fault::{Fault, Outcome},
    machine::{Machine, TUPLE},
    value::{Indices, Value},
};

const NOTHING: Fault = Fault::Empty("the patch has no cells");

/// One of the two slots of a location.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Row,
    Column,
}

/// Which of several values is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Least,
    Greatest,
}

/// The least and greatest rows and columns of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) top: i64,
    pub(super) left: i64,
    pub(super) bottom: i64,
    pub(super) right: i64,
}

/// The bounds of a set that is stored as masks.
#[inline]
pub(super) fn stored_bounds(patch: &Value) -> Option<Bounds> {
    let (top, left, bottom, right) = match patch {
        Value::Indices(indices) => (indices.top(), indices.left(), indices.bottom(), indices.right()),
        Value::Object(object) => (object.top(), object.left(), object.bottom(), object.right()),
        _ => return None,
    };
    let [top, left, bottom, right] = [top, left, bottom, right].map(i64::from);
    Some(Bounds { top, left, bottom, right })
}

/// The locations of a set that is stored as masks.
#[inline]
pub(super) fn stored_locations(patch: &Value) -> Option<Rc<Indices>> {
    match patch {
        Value::Indices(indices) => Some(Rc::clone(indices)),
        Value::Object(object) => Some(object.locations()),
        _ => None,
    }
}

/// The integer as a value, if it fits.
pub(super) fn fitting(integer: i128) -> Outcome<i64> {
    i64::try_from(integer).map_err(|_| Fault::Overflow)
}

/// The two integers of a pair.
pub(super) fn two_integers(value: &Value) -> Outcome<(i64, i64)> {
    if let Value::Pair(first, second) = value {
        return Ok((i64::from(*first), i64::from(*second)));
    }
    let (first, second) = duck::both(value)?;
    Ok((duck::integer(&first)?, duck::integer(&second)?))
}

/// The locations of a patch: of cells, a set; anything else as it is.
pub(super) fn locations(machine: &mut Machine, patch: &Value) -> Outcome {
    match patch {
        Value::Indices(_) => return Ok(patch.clone()),
        Value::Object(object) => return Ok(Value::Indices(object.locations())),
        _ => {}
    }
    let count = duck::length(patch)?;
    if count == 0 {
        return machine.set_of(Vec::new());
    }
    if !duck::holds_cells(patch)? {
        return Ok(patch.clone());
    }
    machine.reserve_members(count)?;
    let locations = duck::members(patch)?.map(|cell| Ok(duck::both(&cell)?.1)).collect::<Outcome<_>>()?;
    machine.set_of(locations)
}

/// The first of the least or greatest values.
pub(super) fn extreme_of(values: impl IntoIterator<Item = Outcome>, end: End) -> Outcome {
    let mut values = values.into_iter();
    let mut found = values.next().ok_or(NOTHING)??;
    for value in values {
        let value = value?;
        let better = match end {
            End::Least => value.is_less(&found)?,
            End::Greatest => found.is_less(&value)?,
        };
        if better {
            found = value;
        }
    }
    Ok(found)
}

/// The least or greatest row or column of a patch.
pub(super) fn extreme(machine: &mut Machine, patch: &Value, axis: Axis, end: End) -> Outcome {
    if let Some(bounds) = stored_bounds(patch) {
        return Ok(Value::Integer(match (axis, end) {
            (Axis::Row, End::Least) => bounds.top,
            (Axis::Row, End::Greatest) => bounds.bottom,
            (Axis::Column, End::Least) => bounds.left,
            (Axis::Column, End::Greatest) => bounds.right,
        }));
    }
    let locations = locations(machine, patch)?;
    machine.visit(duck::length(&locations)?.saturating_mul(2))?;
    let members = duck::members(&locations)?;
    let slots = members.map(|location| {
        let (row, column) = duck::both(&location)?;
        Ok(if axis == Axis::Row { row } else { column })
    });
    extreme_of(slots, end)
}

/// The least and greatest rows and columns of a patch that has integers in its locations.
pub(super) fn bounds(machine: &mut Machine, patch: &Value) -> Outcome<Bounds> {
    if let Some(bounds) = stored_bounds(patch) {
        return Ok(bounds);
    }
    let mut end = |axis, end| duck::integer(&extreme(machine, patch, axis, end)?);
    Ok(Bounds {
        top: end(Axis::Row, End::Least)?,
        left: end(Axis::Column, End::Least)?,
        bottom: end(Axis::Row, End::Greatest)?,
        right: end(Axis::Column, End::Greatest)?,
    })
}

/// The slots of the members of a patch, the first ones, the second ones …, as many as each member has.
pub(super) fn columns(machine: &mut Machine, patch: &Value) -> Outcome<Vec<Vec<Value>>> {
    let locations = locations(machine, patch)?;
    let rows = duck::members(&locations)?;
    let mut columns: Option<Vec<Vec<Value>>> = None;
    for row in rows {
        let slots: Vec<Value> = duck::members(&row)?.collect();
        machine.reserve_tuple(slots.len())?;
        if columns.is_none() {
            machine.visit(slots.len().saturating_mul(TUPLE))?;
        }
        let columns = columns.get_or_insert_with(|| vec![Vec::new(); slots.len()]);
        columns.truncate(slots.len());
        for (column, slot) in columns.iter_mut().zip(slots) {
            column.push(slot);
        }
    }
    Ok(columns.unwrap_or_default())
}

/// `frozenset(a)` of a set that can be changed: the same members, in what may be another order.
pub(super) fn copied(machine: &mut Machine, set: Value) -> Outcome {
    match &set {
        Value::Ordered(members) => {
            let copy = machine.work(|work| members.copied(work))?;
            Ok(Value::Ordered(Rc::new(copy)))
        }
        _ => Ok(set),
    }
}
