//! Integers and pairs of integers.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn add(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn subtract(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn multiply(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn divide(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn invert(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn even(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn double(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn halve(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn greater(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn maximum(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn minimum(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn increment(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn decrement(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn crement(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn sign(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn positive(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn toivec(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn tojvec(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn interval(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}
