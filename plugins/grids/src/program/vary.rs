//! Programs made of other programs.

use jackfield_plugin_api::Random;

use super::Program;

/// A program that differs from this one in one place.
#[must_use]
pub fn mutate(program: &Program, _random: &mut Random) -> Program {
    program.clone()
}

/// A program made of two.
#[must_use]
pub fn cross(program: &Program, _other: &Program, _random: &mut Random) -> Program {
    program.clone()
}
