//! Primitives that make functions from functions, and that call functions for each member of a container.

use super::containers::{self, NOT_A_CONTAINER};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::{Made, Value},
};

pub(super) fn compose(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [outer, inner] = arguments else { unreachable!("two arguments") };
    machine.closure(Made::Compose(outer.clone(), inner.clone()), 1)
}

pub(super) fn chain(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [h, g, f] = arguments else { unreachable!("three arguments") };
    machine.closure(Made::Chain(h.clone(), g.clone(), f.clone()), 1)
}

pub(super) fn matcher(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, target] = arguments else { unreachable!("two arguments") };
    machine.closure(Made::Matcher(function.clone(), target.clone()), 1)
}

pub(super) fn rbind(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, fixed] = arguments else { unreachable!("two arguments") };
    let arity = arity_when_bound(function)?;
    machine.closure(Made::RightBound(function.clone(), fixed.clone()), arity)
}

pub(super) fn lbind(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, fixed] = arguments else { unreachable!("two arguments") };
    let arity = arity_when_bound(function)?;
    machine.closure(Made::LeftBound(function.clone(), fixed.clone()), arity)
}

/// How many arguments are left to a function with one of them fixed: one of two, two of three; every other function is taken to
/// have four.
fn arity_when_bound(function: &Value) -> Outcome<u8> {
    match Machine::arity(function).ok_or(Fault::Type("a value that is not a function was given an argument"))? {
        2 => Ok(1),
        3 => Ok(2),
        _ => Ok(3),
    }
}

pub(super) fn power(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, Value::Integer(times)] = arguments else {
        return Err(Fault::Type("a function is repeated an integer of times"));
    };
    if *times == 1 && !function.is_function() {
        return Err(Fault::Type("a value that is not a function was repeated"));
    }
    machine.power(function, *times)
}

pub(super) fn fork(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [outer, a, b] = arguments else { unreachable!("three arguments") };
    machine.closure(Made::Fork(outer.clone(), a.clone(), b.clone()), 1)
}

/// Whether what a function of one argument gives, and takes to do so, depends on the first slot of the argument alone.
pub(super) fn sees_first_alone(mut function: &Value) -> bool {
    // The innermost function is what sees the argument.
    while let Value::Closure(closure) = function {
        function = match &closure.made {
            Made::Compose(_, inner) | Made::Chain(_, _, inner) | Made::Matcher(inner, _) | Made::Power(inner, _) => {
                inner
            }
            Made::RightBound(..) | Made::LeftBound(..) | Made::Fork(..) => return false,
        };
    }
    matches!(function, Value::Primitive(primitive) if primitive.row().name == "first")
}

pub(super) fn apply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, container] = arguments else { unreachable!("two arguments") };
    let results = results(machine, function, container)?;
    containers::same_kind_of(machine, container, results)
}

pub(super) fn rapply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [functions, value] = arguments else { unreachable!("two arguments") };
    machine.reserve_members(functions.size().ok_or(NOT_A_CONTAINER)?)?;
    let mut results = Vec::with_capacity(functions.size().unwrap_or(0));
    for function in functions.members().ok_or(NOT_A_CONTAINER)? {
        results.push(machine.call_one(&function, value.clone())?);
    }
    containers::same_kind_of(machine, functions, results)
}

pub(super) fn mapply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, container] = arguments else { unreachable!("two arguments") };
    let results = results(machine, function, container)?;
    if container.is_tuple() {
        return containers::joined(machine, &results);
    }
    if machine.ascending() {
        // Whether the results are sorted and made a set before their members are does not show.
        return machine.union_all(&results);
    }
    let results = machine.set_of(results)?;
    containers::merged(machine, &results)
}

/// What the function gives for each member, in their order.
fn results(machine: &mut Machine, function: &Value, container: &Value) -> Outcome<Vec<Value>> {
    let count = container.size().ok_or(NOT_A_CONTAINER)?;
    machine.reserve_members(count)?;
    let mut results = Vec::with_capacity(count);
    containers::each(container, |member| {
        results.push(machine.call(function, std::slice::from_ref(member))?);
        Ok(())
    })?;
    Ok(results)
}

pub(super) fn papply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let results = paired_results(machine, arguments)?;
    Ok(containers::rows_or_tuple(&arguments[1], results))
}

pub(super) fn mpapply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let results = paired_results(machine, arguments)?;
    containers::joined(machine, &results)
}

/// What a function gives for the first members of two containers, for the second …, to the shorter.
fn paired_results(machine: &mut Machine, arguments: &[Value]) -> Outcome<Vec<Value>> {
    let [function, a, b] = arguments else { unreachable!("three arguments") };
    let (Some(ones), Some(others)) = (a.members(), b.members()) else { return Err(NOT_A_CONTAINER) };
    let count = a.size().min(b.size()).unwrap_or(0);
    machine.reserve_members(count)?;
    let mut results = Vec::with_capacity(count);
    for (one, other) in ones.zip(others) {
        results.push(machine.call(function, &[one, other])?);
    }
    Ok(results)
}

pub(super) fn prapply(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [function, a, b] = arguments else { unreachable!("three arguments") };
    let mut results = containers::room_for_pairs(machine, a, b)?;
    if results.capacity() > 0 {
        let firsts = containers::listed(a)?;
        for second in containers::listed(b)?.iter() {
            for first in firsts.iter() {
                results.push(machine.call(function, &[first.clone(), second.clone()])?);
            }
        }
    }
    machine.set_of(results)
}
