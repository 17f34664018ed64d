//! Sets of locations and of cells.

use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

pub(super) fn ulcorner(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn urcorner(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn llcorner(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn lrcorner(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn toindices(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn shift(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn normalize(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn uppermost(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn lowermost(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn leftmost(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn rightmost(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vline(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hline(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn hmatching(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn vmatching(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn manhattan(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn adjacent(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn bordering(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn centerofmass(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn center(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn position(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn corners(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn backdrop(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn delta(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn gravitate(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn inbox(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn outbox(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}

pub(super) fn r#box(_machine: &mut Machine, _arguments: &[Value]) -> Outcome {
    Err(Fault::Type("not written yet"))
}
