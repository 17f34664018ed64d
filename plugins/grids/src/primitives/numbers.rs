//! Primitives of integers and of pairs of integers.

use super::{containers, extremes};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

const NOT_A_NUMBER: Fault = Fault::Type("an integer or a pair is needed");

fn checked(integer: Option<i64>) -> Outcome<i64> {
    integer.ok_or(Fault::Overflow)
}

/// The slot of a tuple.
fn slot(tuple: &Value, at: usize) -> Outcome {
    let slots = tuple.slots().ok_or(NOT_A_NUMBER)?;
    if at < slots.len() { Ok(slots.get(at)) } else { Err(Fault::Value("a tuple has too few slots")) }
}

/// An operation on an integer, or on the first two slots of a tuple.
fn on_integers(number: &Value, operation: impl Fn(i64) -> Option<i64>) -> Outcome {
    let apply_to_slot = |slot: Value| match slot {
        Value::Integer(integer) => checked(operation(integer)),
        _ => Err(NOT_A_NUMBER),
    };
    match number {
        Value::Integer(integer) => checked(operation(*integer)).map(Value::Integer),
        Value::Pair(first, second) => {
            Ok(Value::pair(checked(operation(i64::from(*first)))?, checked(operation(i64::from(*second)))?))
        }
        tuple => Ok(Value::pair(apply_to_slot(slot(tuple, 0)?)?, apply_to_slot(slot(tuple, 1)?)?)),
    }
}

type Operation = fn(&mut Machine, &Value, &Value) -> Outcome;

/// An operation on integers, on the first two slots of tuples, or on both slots of a tuple with what is no tuple.
fn broadcast(machine: &mut Machine, arguments: &[Value], operation: Operation) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    let (first, second) = match (a, b) {
        (Value::Integer(_), Value::Integer(_)) => return operation(machine, a, b),
        (a, b) if a.is_tuple() && b.is_tuple() => {
            (operation(machine, &slot(a, 0)?, &slot(b, 0)?)?, operation(machine, &slot(a, 1)?, &slot(b, 1)?)?)
        }
        (Value::Integer(_), b) if b.is_tuple() => {
            (operation(machine, a, &slot(b, 0)?)?, operation(machine, a, &slot(b, 1)?)?)
        }
        (a, b) => (operation(machine, &slot(a, 0)?, b)?, operation(machine, &slot(a, 1)?, b)?),
    };
    machine.couple(first, second)
}

fn sum(machine: &mut Machine, a: &Value, b: &Value) -> Outcome {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => checked(a.checked_add(*b)).map(Value::Integer),
        (a, b) if a.is_tuple() && b.is_tuple() => containers::joined(machine, &[a.clone(), b.clone()]),
        _ => Err(NOT_A_NUMBER),
    }
}

fn less(machine: &mut Machine, a: &Value, b: &Value) -> Outcome {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => checked(a.checked_sub(*b)).map(Value::Integer),
        (a, b) if a.is_set() && b.is_set() => machine.difference(a, b),
        _ => Err(NOT_A_NUMBER),
    }
}

fn times(machine: &mut Machine, a: &Value, b: &Value) -> Outcome {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => checked(a.checked_mul(*b)).map(Value::Integer),
        (tuple, Value::Integer(times)) | (Value::Integer(times), tuple) if tuple.is_tuple() => {
            repeated(machine, tuple, *times)
        }
        _ => Err(NOT_A_NUMBER),
    }
}

/// The slots of a tuple so many times.
fn repeated(machine: &mut Machine, tuple: &Value, times: i64) -> Outcome {
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let count = tuple.size().unwrap_or(0).saturating_mul(times);
    if count == 0 {
        return Ok(Value::tuple(Vec::new()));
    }
    machine.reserve(tuple.bytes().saturating_mul(times))?;
    machine.reserve_members(count)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..times {
        items.extend(containers::members(tuple)?);
    }
    Ok(Value::tuple(items))
}

fn quotient(_machine: &mut Machine, a: &Value, b: &Value) -> Outcome {
    match (a, b) {
        (Value::Integer(_), Value::Integer(0)) => Err(Fault::Arithmetic("a division by zero")),
        (Value::Integer(a), Value::Integer(b)) => {
            let quotient = checked(a.checked_div(*b))?;
            // Towards minus infinity, not towards zero.
            let above = a % b != 0 && (*a < 0) != (*b < 0);
            Ok(Value::Integer(quotient - i64::from(above)))
        }
        _ => Err(NOT_A_NUMBER),
    }
}

pub(super) fn add(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments {
        [Value::Pair(a, b), Value::Pair(c, d)] => Ok(Value::pair(i64::from(a + c), i64::from(b + d))),
        arguments => broadcast(machine, arguments, sum),
    }
}

pub(super) fn subtract(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match arguments {
        [Value::Pair(a, b), Value::Pair(c, d)] => Ok(Value::pair(i64::from(a - c), i64::from(b - d))),
        arguments => broadcast(machine, arguments, less),
    }
}

pub(super) fn multiply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    broadcast(machine, arguments, times)
}

pub(super) fn divide(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    broadcast(machine, arguments, quotient)
}

pub(super) fn invert(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], i64::checked_neg)
}

fn integer(value: &Value) -> Outcome<i64> {
    match value {
        Value::Integer(integer) => Ok(*integer),
        _ => Err(Fault::Type("an integer is needed")),
    }
}

pub(super) fn even(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::truth(integer(&arguments[0])? & 1 == 0))
}

pub(super) fn double(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    match &arguments[0] {
        number @ (Value::Integer(_) | Value::Pair(..)) => on_integers(number, |integer| integer.checked_mul(2)),
        tuple => {
            let two = Value::Integer(2);
            let (first, second) = (times(machine, &slot(tuple, 0)?, &two)?, times(machine, &slot(tuple, 1)?, &two)?);
            machine.couple(first, second)
        }
    }
}

pub(super) fn halve(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], |integer| Some(integer >> 1))
}

pub(super) fn greater(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [a, b] = arguments else { unreachable!("two arguments") };
    machine.visit(a.bytes() / 16)?;
    b.is_less(a).map(Value::truth)
}

pub(super) fn maximum(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extremes::extreme(machine, &arguments[0], true)
}

pub(super) fn minimum(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    extremes::extreme(machine, &arguments[0], false)
}

pub(super) fn increment(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], |integer| integer.checked_add(1))
}

pub(super) fn decrement(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], |integer| integer.checked_sub(1))
}

pub(super) fn crement(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], |integer| integer.checked_add(integer.signum()))
}

pub(super) fn sign(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    on_integers(&arguments[0], |integer| Some(integer.signum()))
}

pub(super) fn positive(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::truth(integer(&arguments[0])? > 0))
}

pub(super) fn toivec(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    machine.couple(arguments[0].clone(), Value::Integer(0))
}

pub(super) fn tojvec(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    machine.couple(Value::Integer(0), arguments[0].clone())
}

pub(super) fn interval(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [start, stop, step] = arguments else { unreachable!("three arguments") };
    let (start, stop, step) = (integer(start)?, integer(stop)?, integer(step)?);
    if step == 0 {
        return Err(Fault::Arithmetic("an interval of step 0"));
    }
    let distance = if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let step_length = i128::from(step).abs();
    let count = usize::try_from((distance.max(0) + step_length - 1) / step_length).unwrap_or(usize::MAX);
    machine.reserve_members(count)?;
    let items = (0..count as i64).map(|at| Value::Integer(start + at * step));
    Ok(Value::tuple(items.collect()))
}
