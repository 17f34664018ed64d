//! Primitives of truth, equality and choice.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn identity(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(arguments[0].clone())
}

pub(super) fn flip(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(Value::truth(!arguments[0].is_true()))
}

pub(super) fn equality(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    machine.visit_bytes(arguments[0].bytes())?;
    Ok(Value::truth(arguments[0] == arguments[1]))
}

pub(super) fn contained(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    let [value, container] = arguments else { unreachable!("two arguments") };
    machine.visit_bytes(if container.is_tuple() { container.bytes() } else { value.bytes() })?;
    container.has(value).map(Value::truth).ok_or(Fault::Type("members were asked of what is neither a tuple nor a set"))
}

pub(super) fn both(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(arguments[usize::from(arguments[0].is_true())].clone())
}

pub(super) fn either(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(arguments[usize::from(!arguments[0].is_true())].clone())
}

pub(super) fn astuple(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    machine.couple(arguments[0].clone(), arguments[1].clone())
}

pub(super) fn branch(_machine: &mut Machine, arguments: &[Value]) -> Outcome {
    Ok(arguments[if arguments[0].is_true() { 1 } else { 2 }].clone())
}
