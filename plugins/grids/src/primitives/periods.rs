//! The periods with which objects repeat themselves.

use super::{
    duck,
    patches::normalized,
    pieces::{height_of, width_of},
    shapes::Axis,
};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Indices, Object, Value},
};

pub(super) fn hperiod(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    period(machine, &arguments[0], Axis::Column)
}

pub(super) fn vperiod(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    period(machine, &arguments[0], Axis::Row)
}

/// The fewest steps towards the origin that bring every cell of an object that stays beyond it to another one; if there are none,
/// its extent.
fn period(machine: &mut Machine, object: &Value, axis: Axis) -> Outcome {
    if let Value::Object(object) = object
        && let Some(period) = stored_period(machine, object, axis)?
    {
        return Ok(Value::Integer(i64::from(period)));
    }
    let normal = normalized(machine, object)?;
    let extent = match axis {
        Axis::Row => height_of(machine, &normal)?,
        Axis::Column => width_of(machine, &normal)?,
    };
    if extent <= 1 {
        return Ok(Value::Integer(extent));
    }
    machine.reserve_members(duck::length(&normal)?.saturating_mul(3))?;
    let members = normal.sorted_members().ok_or(Fault::Type("an object was expected"))?;
    let cells = members.iter().map(|cell| {
        let (color, location) = duck::both(cell)?;
        let (row, column) = duck::both(&location)?;
        Ok((color, duck::integer(&row)?, duck::integer(&column)?))
    });
    let cells = cells.collect::<Outcome<Vec<_>>>()?;
    for steps in 1..extent {
        machine.charge(1)?;
        machine.visit_sorted(cells.len(), 0)?;
        let stays = |cell: &(Value, i64, i64)| {
            let (row, column) = match axis {
                Axis::Row => (cell.1 - steps, cell.2),
                Axis::Column => (cell.1, cell.2 - steps),
            };
            let outside = if axis == Axis::Row { row < 0 } else { column < 0 };
            let moved = || Value::tuple(vec![cell.0.clone(), Value::pair(row, column)]);
            outside || members.binary_search(&moved()).is_ok()
        };
        if cells.iter().all(stays) {
            return Ok(Value::Integer(steps));
        }
    }
    Ok(Value::Integer(extent))
}

/// The period of an object whose planes are all masks.
fn stored_period(machine: &mut Machine, object: &Object, axis: Axis) -> Outcome<Option<i32>> {
    let (top, left) = (object.top(), object.left());
    let extent = match axis {
        Axis::Row => object.bottom() - top + 1,
        Axis::Column => object.right() - left + 1,
    };
    let sides = [object.bottom() - top, object.right() - left];
    if object.planes().iter().any(|(_, plane)| plane.rows().is_none()) || sides.iter().any(|side| *side >= 64) {
        return Ok(None);
    }
    for steps in 1..extent {
        machine.visit(object.bytes() / 4)?;
        machine.charge(1)?;
        let stays = |plane: &Indices| match axis {
            Axis::Row => (plane.top().max(top + steps)..=plane.bottom())
                .all(|row| plane.row_mask(row, plane.left()) & !plane.row_mask(row - steps, plane.left()) == 0),
            Axis::Column => (plane.top()..=plane.bottom()).all(|row| {
                let mask = plane.row_mask(row, left);
                mask >> steps & !mask == 0
            }),
        };
        if object.planes().iter().all(|(_, plane)| stays(plane)) {
            return Ok(Some(steps));
        }
    }
    Ok(Some(extent))
}
