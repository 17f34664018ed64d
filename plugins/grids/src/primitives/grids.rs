//! Grids.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn crop(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn rot90(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn rot180(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn rot270(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn fill(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn paint(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn underfill(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn underpaint(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hupscale(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vupscale(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn downscale(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hconcat(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vconcat(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn subgrid(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hsplit(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vsplit(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn cellwise(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn replace(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn switch(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn index(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn canvas(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn cover(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn trim(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn r#move(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn tophalf(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn bottomhalf(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn lefthalf(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn righthalf(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn compress(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}
