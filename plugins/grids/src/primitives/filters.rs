//! The members of a container that fulfil a condition.

use std::rc::Rc;

use super::{
    callables,
    containers::{NOTHING_THERE, each, members, merged, size_of, some_members},
};
use crate::{
    fault::Outcome,
    machine::Machine,
    value::{Indices, Object, Value},
};

pub(super) fn sfilter(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [container, condition] = arguments else { unreachable!("two arguments") };
    match container {
        Value::Indices(indices) if machine.ascending() => {
            let ask = |machine: &mut Machine, at: (i32, i32)| machine.ask(condition, &Value::Pair(at.0, at.1));
            Ok(Value::indices(filtered(machine, indices, ask)?))
        }
        Value::Object(object) if machine.ascending() => {
            let mut planes = Vec::with_capacity(object.planes().len());
            let colors_alone = callables::sees_first_alone(condition);
            for (color, plane) in object.planes() {
                if colors_alone {
                    if is_wanted(machine, condition, *color, plane)? {
                        planes.push((*color, Rc::clone(plane)));
                    }
                    continue;
                }
                let ask =
                    |machine: &mut Machine, at: (i32, i32)| machine.ask(condition, &Value::Cell(*color, at.0, at.1));
                planes.extend(filtered(machine, plane, ask)?.map(|kept| (*color, kept.into())));
            }
            Ok(Value::object(Object::from_planes(planes)))
        }
        container => {
            let count = size_of(container)?;
            machine.reserve_members(count)?;
            let mut items = Vec::with_capacity(count);
            each(container, |member| {
                if machine.ask(condition, member)? {
                    items.push(member.clone());
                }
                Ok(())
            })?;
            some_members(machine, container, items)
        }
    }
}

/// Whether the cells of a colour are wanted by a condition that looks at the colour alone. Steps are those of as many questions as
/// there are cells.
fn is_wanted(machine: &mut Machine, condition: &Value, color: i32, plane: &Indices) -> Outcome<bool> {
    machine.reserve(plane.bytes())?;
    let before = machine.steps();
    let (row, column) = plane.first();
    let wanted = machine.ask(condition, &Value::Cell(color, row, column))?;
    machine.charge((machine.steps() - before).saturating_mul(u64::from(plane.count()) - 1))?;
    Ok(wanted)
}

/// The locations that are wanted.
fn filtered(
    machine: &mut Machine,
    indices: &Indices,
    mut wanted: impl FnMut(&mut Machine, (i32, i32)) -> Outcome<bool>,
) -> Outcome<Option<Indices>> {
    machine.reserve(indices.bytes())?;
    let Some(rows) = indices.rows() else {
        let mut wanted_locations = Vec::new();
        for at in indices.iter() {
            if wanted(machine, at)? {
                wanted_locations.push(at);
            }
        }
        return Ok(Indices::from_cells(wanted_locations));
    };
    let mut wanted_locations = [0_u64; 64];
    for (row, column) in indices.iter() {
        if wanted(machine, (row, column))? {
            wanted_locations[(row - indices.top()) as usize] |= 1 << (column - indices.left());
        }
    }
    Ok(Indices::from_rows(indices.top(), indices.left(), &wanted_locations[..rows.len()]))
}

pub(super) fn mfilter(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let wanted_members = sfilter(machine, arguments)?;
    merged(machine, &wanted_members)
}

pub(super) fn extract(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [container, condition] = arguments else { unreachable!("two arguments") };
    if let Some(list) = container.list() {
        for member in list {
            if machine.ask(condition, member)? {
                return Ok(member.clone());
            }
        }
        return Err(NOTHING_THERE);
    }
    for member in members(container)? {
        if machine.ask(condition, &member)? {
            return Ok(member);
        }
    }
    Err(NOTHING_THERE)
}

pub(super) fn sizefilter(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [container, wanted] = arguments else { unreachable!("two arguments") };
    machine.reserve_members(size_of(container)?)?;
    let mut items = Vec::new();
    each(container, |member| {
        if Value::Integer(size_of(member)? as i64) == *wanted {
            items.push(member.clone());
        }
        Ok(())
    })?;
    if container.is_set() { some_members(machine, container, items) } else { machine.set_of(items) }
}
