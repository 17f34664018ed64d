//! What grids and patches have in common.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn height(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn width(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn shape(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn portrait(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn square(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hmirror(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vmirror(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn dmirror(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn cmirror(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn upscale(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}
