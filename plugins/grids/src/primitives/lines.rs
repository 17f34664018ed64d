//! Neighbours and lines.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn dneighbors(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn ineighbors(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn neighbors(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn connect(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vfrontier(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hfrontier(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn shoot(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}
