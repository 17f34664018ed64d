//! Prints a program as text.

use std::fmt;

use super::{Argument, Callee, Program};
use crate::primitives::{CONSTANTS, Constant, Primitive};

/// The name of a constant where an argument of this type stands: truth is `T` and `F` there, and `ONE` and `ZERO` elsewhere.
#[must_use]
pub fn constant_name(constant: Constant, kind: &str) -> &'static str {
    match constant {
        Constant::Integer(0) if kind != "Boolean" => "ZERO",
        Constant::Integer(1) if kind != "Boolean" => "ONE",
        constant => {
            let named = CONSTANTS.iter().find(|(_, value)| *value == constant);
            named.map_or("ZERO", |(name, _)| name)
        }
    }
}

/// The type that a primitive wants at a place, nothing if it has no such place or is none.
pub(super) fn argument_type(primitive: Option<Primitive>, index: usize) -> &'static str {
    primitive.and_then(|primitive| primitive.row().arguments.get(index)).map_or("", |(_, kind)| kind)
}

/// The text that [`super::parse`] reads: lines indented by four spaces, one after the other.
impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = |index: u32| self.lines[index as usize].target.as_str();
        match self.task.as_str() {
            "" => formatter.write_str("def solve(I):\n")?,
            task => writeln!(formatter, "def solve_{task}(I):")?,
        }
        for line in &self.lines {
            let primitive = match line.callee {
                Callee::Primitive(primitive) => Some(primitive),
                Callee::Line(_) => None,
            };
            let callee = match line.callee {
                Callee::Primitive(primitive) => primitive.row().name,
                Callee::Line(index) => target(index),
            };
            write!(formatter, "    {} = {callee}(", line.target)?;
            for (index, argument) in line.arguments.iter().enumerate() {
                let name = match *argument {
                    Argument::Input => "I",
                    Argument::Line(index) => target(index),
                    Argument::Constant(constant) => constant_name(constant, argument_type(primitive, index)),
                    Argument::Primitive(primitive) => primitive.row().name,
                };
                write!(formatter, "{}{name}", if index == 0 { "" } else { ", " })?;
            }
            formatter.write_str(")\n")?;
        }
        formatter.write_str("    return O\n")
    }
}
