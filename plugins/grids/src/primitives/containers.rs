//! Primitives of tuples and sets of any values.

use std::borrow::Cow;

use super::{extremes::key_of, sorting};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Indices, Members, SLOT, Value, is_near},
};

pub(super) const NOT_A_CONTAINER: Fault = Fault::Type("members were asked of what is neither a tuple nor a set");
pub(super) const NOTHING_THERE: Fault = Fault::Empty("a member was asked of a container that has none like it");

/// Bytes of the members that are compared: rows of a grid are tuples then.
pub(super) fn seen_bytes(container: &Value) -> usize {
    match container {
        Value::Grid(grid) => grid.cells().len().saturating_mul(SLOT),
        container => container.bytes(),
    }
}

pub(super) fn members(container: &Value) -> Outcome<Members<'_>> {
    container.members().ok_or(NOT_A_CONTAINER)
}

/// Visits each member in turn, until the first fault.
#[inline]
pub(super) fn each(container: &Value, mut visit: impl FnMut(&Value) -> Outcome<()>) -> Outcome<()> {
    match container.list() {
        Some(list) => list.iter().try_for_each(visit),
        None => members(container)?.try_for_each(|member| visit(&member)),
    }
}

/// The members as a list, which is their own where they are stored as one.
pub(super) fn listed(container: &Value) -> Outcome<Cow<'_, [Value]>> {
    match container.list() {
        Some(list) => Ok(Cow::Borrowed(list)),
        None => {
            let mut list = Vec::with_capacity(size_of(container)?);
            container.members_into(&mut list);
            Ok(Cow::Owned(list))
        }
    }
}

pub(super) fn size_of(container: &Value) -> Outcome<usize> {
    container.size().ok_or(NOT_A_CONTAINER)
}

/// A container of these, of the kind of another: a set, to which they are added in this order, or a tuple.
pub(super) fn same_kind_of(machine: &mut Machine, container: &Value, items: Vec<Value>) -> Outcome {
    if container.is_set() { machine.set_of(items) } else { Ok(rows_or_tuple(container, items)) }
}

/// A container of some of the members of another, in their order.
pub(super) fn some_members(machine: &mut Machine, container: &Value, items: Vec<Value>) -> Outcome {
    if container.is_set() && machine.ascending() {
        Ok(Value::ascending_set(items))
    } else {
        same_kind_of(machine, container, items)
    }
}

/// The tuple of these. What came of the rows of a grid is likely to be one, and stored as one if it is.
pub(super) fn rows_or_tuple(container: &Value, items: Vec<Value>) -> Value {
    let tuple = Value::tuple(items);
    match container {
        Value::Grid(_) => tuple.as_grid().map_or(tuple, Value::Grid),
        _ => tuple,
    }
}

pub(super) fn combine(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    if a.is_set() && b.is_set() && machine.ascending() {
        return machine.union(a, b);
    }
    if a.is_set() {
        return machine.union_all(arguments);
    }
    let (Some(_), Some(_)) = (a.size(), b.size()) else { return Err(NOT_A_CONTAINER) };
    joined(machine, arguments)
}

/// The members of these one after the other, as a tuple.
pub(super) fn joined(machine: &mut Machine, containers: &[Value]) -> Outcome {
    if let Some(stacked) = stacked(machine, containers)? {
        return Ok(stacked);
    }
    let mut count = 0_usize;
    for container in containers {
        count = count.saturating_add(size_of(container)?);
    }
    machine.reserve_members(count)?;
    let mut items = Vec::with_capacity(count);
    for container in containers {
        if !container.members_into(&mut items) {
            return Err(NOT_A_CONTAINER);
        }
    }
    Ok(Value::tuple(items))
}

/// Grids of one width, one above the other; nothing if they are not such.
fn stacked(machine: &mut Machine, grids: &[Value]) -> Outcome<Option<Value>> {
    let Some(Value::Grid(first)) = grids.first() else { return Ok(None) };
    let mut height = 0;
    for grid in grids {
        match grid {
            Value::Grid(grid) if grid.width() == first.width() => height += u64::from(grid.height()),
            _ => return Ok(None),
        }
    }
    if u32::try_from(height).is_err() {
        return Ok(None);
    }
    let mut cells = machine.reserve_cells(height, u64::from(first.width()))?;
    for grid in grids {
        if let Value::Grid(grid) = grid {
            cells.extend_from_slice(grid.cells());
        }
    }
    Ok(Some(Machine::grid(height, u64::from(first.width()), cells)))
}

pub(super) fn merge(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    merged(machine, &arguments[0])
}

/// The members of the members, in the kind of the container.
pub(super) fn merged(machine: &mut Machine, containers: &Value) -> Outcome {
    match containers {
        Value::Tuple(tuple) => joined(machine, tuple.items()),
        Value::Set(set) => machine.union_all(set.members()),
        containers => {
            machine.reserve_members(size_of(containers)?)?;
            let all: Vec<Value> = members(containers)?.collect();
            if containers.is_set() { machine.union_all(&all) } else { joined(machine, &all) }
        }
    }
}

pub(super) fn intersection(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments {
        [Value::Integer(a), Value::Integer(b)] => Ok(Value::Integer(a & b)),
        [a, b] => machine.intersection(a, b),
        _ => unreachable!("two arguments"),
    }
}

pub(super) fn difference(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    let count = size_of(a)?;
    if count == 0 {
        return Ok(a.clone());
    }
    let others = size_of(b)?;
    if machine.ascending() && a.is_set() && b.is_set() {
        return machine.difference(a, b);
    }
    machine.reserve_members(count)?;
    let compared = match b {
        Value::Ordered(set) => set.compared(),
        set if set.is_set() => 1 + others.max(1).ilog2() as usize,
        _ => others,
    };
    machine.visit(count.saturating_mul(compared))?;
    machine.visit_bytes(seen_bytes(a).saturating_mul(compared))?;
    let rows;
    let b = match b {
        // Rows that are looked through again and again are made once.
        Value::Grid(grid) => {
            machine.reserve_members(grid.cells().len())?;
            rows = Value::tuple(listed(b)?.into_owned());
            &rows
        }
        b => b,
    };
    let items = members(a)?.filter(|member| b.has(member) == Some(false)).collect();
    some_members(machine, a, items)
}

pub(super) fn dedupe(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let tuple = &arguments[0];
    let count = size_of(tuple)?;
    if tuple.is_set() {
        let empty = Value::tuple(Vec::new());
        return if count == 0 { Ok(empty) } else { Err(Fault::Type("a tuple is needed, and this is a set")) };
    }
    machine.reserve_members(count.saturating_mul(2))?;
    machine.visit_sorted(count, seen_bytes(tuple))?;
    let items: Vec<Value> = members(tuple)?.collect();
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| items[*one].cmp(&items[*other]));
    let mut firsts: Vec<usize> =
        places.chunk_by(|one, other| items[*one] == items[*other]).map(|equal| equal[0]).collect();
    firsts.sort_unstable();
    Ok(rows_or_tuple(tuple, firsts.into_iter().map(|at| items[at].clone()).collect()))
}

pub(super) fn order(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [container, key] = arguments else { unreachable!("two arguments") };
    let count = size_of(container)?;
    machine.reserve_members(count.saturating_mul(3))?;
    let (mut items, mut keys) = (Vec::with_capacity(count), Vec::with_capacity(count));
    each(container, |member| {
        keys.push(key_of(machine, key, member)?);
        items.push(member.clone());
        Ok(())
    })?;
    let sorted = sorting::places_in_order(machine, &keys)?;
    let items = sorted.into_iter().map(|at| std::mem::replace(&mut items[at], Value::None)).collect();
    Ok(rows_or_tuple(container, items))
}

pub(super) fn repeat(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [item, Value::Integer(times)] = arguments else {
        return Err(Fault::Type("a value is repeated an integer of times"));
    };
    let times = usize::try_from((*times).max(0)).unwrap_or(usize::MAX);
    machine.reserve(times.saturating_mul(item.bytes()))?;
    machine.reserve_members(times)?;
    Ok(Value::tuple(vec![item.clone(); times]))
}

pub(super) fn size(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::Integer(size_of(&arguments[0])? as i64))
}

pub(super) fn initset(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    machine.set_of_one(&arguments[0])
}

pub(super) fn totuple(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let container = &arguments[0];
    if container.is_tuple() {
        return Ok(container.clone());
    }
    machine.reserve_members(size_of(container)?)?;
    Ok(Value::tuple(listed(container)?.into_owned()))
}

/// Counts the row of a grid that is made a tuple.
fn look_at_row(machine: &mut Machine, container: &Value) -> Outcome<()> {
    match container {
        Value::Grid(grid) => machine.reserve_tuple(grid.width() as usize),
        _ => Ok(()),
    }
}

pub(super) fn first(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    look_at_row(machine, &arguments[0])?;
    match arguments[0].list() {
        Some(list) => list.first().cloned().ok_or(NOTHING_THERE),
        None => members(&arguments[0])?.next().ok_or(NOTHING_THERE),
    }
}

pub(super) fn last(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    look_at_row(machine, &arguments[0])?;
    match &arguments[0] {
        Value::Indices(indices) => {
            let (row, column) = indices.last();
            Ok(Value::Pair(row, column))
        }
        Value::Object(object) => {
            let (color, (row, column)) = object.last();
            Ok(Value::Cell(color, row, column))
        }
        Value::Set(set) => set.members().last().cloned().ok_or(NOTHING_THERE),
        container => match container.slots() {
            Some(slots) if slots.is_empty() => Err(NOTHING_THERE),
            Some(slots) => Ok(slots.get(slots.len() - 1)),
            None => {
                machine.visit(size_of(container)?)?;
                members(container)?.last().ok_or(NOTHING_THERE)
            }
        },
    }
}

pub(super) fn insert(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [value, container] = arguments else { unreachable!("two arguments") };
    machine.inserted(container, value)
}

pub(super) fn remove(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [value, container] = arguments else { unreachable!("two arguments") };
    let count = size_of(container)?;
    machine.visit_bytes(container.bytes())?;
    if machine.ascending() && container.is_set() && container.has(value) == Some(false) {
        return Ok(container.clone());
    }
    if let (Value::Indices(indices), Value::Pair(row, column)) = (container, value) {
        machine.reserve(indices.bytes())?;
        return Ok(Value::indices(indices.difference(&Indices::of_one(*row, *column))));
    }
    machine.reserve_members(count)?;
    let items = members(container)?.filter(|member| member != value).collect();
    some_members(machine, container, items)
}

pub(super) fn other(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [container, value] = arguments else { unreachable!("two arguments") };
    machine.visit(size_of(container)?)?;
    machine.visit_bytes(container.bytes())?;
    if container.is_set() && !machine.ascending() {
        // A set without one of its members may be in another order than with it.
        let rest = remove(machine, &[value.clone(), container.clone()])?;
        return first(machine, &[rest]);
    }
    members(container)?.find(|member| member != value).ok_or(NOTHING_THERE)
}

pub(super) fn product(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    let mut pairs = room_for_pairs(machine, a, b)?;
    if machine.ascending()
        && let (Some(rows), Some(columns)) = (near_integers(a), near_integers(b))
    {
        let locations = rows.iter().flat_map(|row| columns.iter().map(|column| (*row, *column)));
        return Ok(Value::indices(Indices::from_locations(locations)));
    }
    if pairs.capacity() > 0 {
        let firsts = listed(a)?;
        for second in listed(b)?.iter() {
            for first in firsts.iter() {
                pairs.push(machine.couple(first.clone(), second.clone())?);
            }
        }
    }
    machine.set_of(pairs)
}

/// The members, if all are integers that may be part of a location.
fn near_integers(container: &Value) -> Option<Vec<i32>> {
    let near = |member: Value| match member {
        Value::Integer(integer) => i32::try_from(integer).ok().filter(|integer| is_near(*integer, *integer)),
        _ => None,
    };
    container.members()?.map(near).collect()
}

/// Room for something for each member of one container with each of the other. The first is not looked at if there are none in
/// the second.
pub(super) fn room_for_pairs(machine: &mut Machine, a: &Value, b: &Value) -> Outcome<Vec<Value>> {
    let count = match size_of(b)? {
        0 => 0,
        others => others.saturating_mul(size_of(a)?),
    };
    machine.reserve_members(count)?;
    Ok(Vec::with_capacity(count))
}

pub(super) fn pair(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    let count = size_of(a)?.min(size_of(b)?);
    machine.reserve_members(count)?;
    let mut items = Vec::with_capacity(count);
    for (first, second) in listed(a)?.iter().zip(listed(b)?.iter()) {
        items.push(machine.couple(first.clone(), second.clone())?);
    }
    Ok(Value::tuple(items))
}
