//! What is known of the values of a program before it runs, and so which of its lines cannot fail.
//!
//! Every statement holds for the value that a line gives *if it gives one*, for any input grid: limits and the width of integers
//! aside. What is not known is [`Type::Any`], and a call of which nothing is known may fail.

mod known;
mod signatures;

use super::{
    Argument, Callee, Line,
    canonical::{Function, Node, NodeRef},
};
use crate::primitives::{Constant, Primitive};

pub(super) use known::{Closure, Rows, Type};

/// What is known of a call.
pub(super) struct Known {
    /// Of the value that it gives, if it gives one.
    pub(super) result: Type,
    /// Whether it cannot fail.
    pub(super) is_safe: bool,
}

/// A call that gives such a value, or fails.
fn unsafe_call(result: Type) -> Known {
    Known { result, is_safe: false }
}

/// A call that gives such a value.
fn safe_call(result: Type) -> Known {
    Known { result, is_safe: true }
}

/// For each node, whether it may fail for some input grid; limits aside. What is not known to be safe may fail.
pub(super) fn may_fail(nodes: &[Node]) -> Vec<bool> {
    analyze(nodes).iter().map(|known| !known.is_safe).collect()
}

/// What is known of each node.
fn analyze(nodes: &[Node]) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let type_of = |reference: &NodeRef| match *reference {
            NodeRef::Input => Type::GRID,
            NodeRef::Node(at) => known[at as usize].result.clone(),
            NodeRef::Constant(constant) => of_constant(constant),
            NodeRef::Primitive(primitive) => Type::function(Closure::Primitive(primitive)),
        };
        let arguments: Vec<Type> = node.arguments.iter().map(type_of).collect();
        let mut analysis = Analysis { calls: CALLS };
        let call = match &node.function {
            Function::Primitive(primitive) => analysis.primitive(*primitive, &arguments),
            Function::Value(value) => analysis.call(&type_of(value), &arguments),
        };
        known.push(call);
    }
    known
}

/// What is known of the value of each line of a program.
pub(super) fn of_lines(lines: &[Line]) -> Vec<Type> {
    let mut known: Vec<Type> = Vec::with_capacity(lines.len());
    for line in lines {
        let value = match line.callee {
            Callee::Primitive(primitive) => of_call(primitive, &line.arguments, &known),
            Callee::Line(place) => {
                let arguments: Vec<Type> =
                    line.arguments.iter().map(|argument| of_argument(*argument, &known)).collect();
                Analysis { calls: CALLS }.call(&known[place as usize], &arguments).result
            }
        };
        known.push(value);
    }
    known
}

/// What is known of the value of a call, given what is known of the lines above it.
pub(super) fn of_call(primitive: Primitive, arguments: &[Argument], lines: &[Type]) -> Type {
    let arguments: Vec<Type> = arguments.iter().map(|argument| of_argument(*argument, lines)).collect();
    Analysis { calls: CALLS }.primitive(primitive, &arguments).result
}

/// What is known of an argument, given what is known of the lines above it.
pub(super) fn of_argument(argument: Argument, lines: &[Type]) -> Type {
    match argument {
        Argument::Input => Type::GRID,
        Argument::Line(place) => lines[place as usize].clone(),
        Argument::Constant(constant) => of_constant(constant),
        Argument::Primitive(primitive) => Type::function(Closure::Primitive(primitive)),
    }
}

fn of_constant(constant: Constant) -> Type {
    let integer = |value: i64| Type::integer(value, value);
    match constant {
        Constant::Integer(value) => integer(value),
        Constant::Pair(row, column) => Type::two(integer(row.into()), integer(column.into())),
    }
}

/// The most calls that are followed for a line: functions of functions would be followed for ever.
const CALLS: u32 = 100;

/// The most repetitions of a function of which it is known that the reference does not run out of stack.
const REPETITIONS: i64 = 500;

/// Follows the calls of one line.
struct Analysis {
    /// How many more are followed.
    calls: u32,
}

impl Analysis {
    /// A call of a value.
    fn call(&mut self, function: &Type, arguments: &[Type]) -> Known {
        let Type::Function(closure) = function else { return unsafe_call(Type::Any) };
        let Some(calls) = self.calls.checked_sub(1) else { return unsafe_call(Type::Any) };
        self.calls = calls;
        if closure.arity() != Some(arguments.len()) {
            return unsafe_call(Type::Any);
        }
        match &**closure {
            Closure::Primitive(primitive) => self.primitive(*primitive, arguments),
            Closure::Pipeline(functions) => {
                let mut value = safe_call(arguments[0].clone());
                for function in functions {
                    let next = self.call(function, &[value.result]);
                    value = Known { result: next.result, is_safe: value.is_safe && next.is_safe };
                }
                value
            }
            Closure::Repeated(function, times) => {
                let mut value = safe_call(arguments[0].clone());
                for _ in 0..*times {
                    let next = self.call(function, &[value.result]);
                    value = Known { result: next.result, is_safe: value.is_safe && next.is_safe };
                    if !value.is_safe && matches!(value.result, Type::Any) {
                        break;
                    }
                }
                value
            }
            Closure::Matcher(function) => {
                let is_safe = self.call(function, arguments).is_safe;
                Known { result: Type::BOOLEAN, is_safe }
            }
            Closure::Fork(outer, a, b) => {
                let a = self.call(a, arguments);
                let b = self.call(b, arguments);
                let value = self.call(outer, &[a.result, b.result]);
                Known { result: value.result, is_safe: a.is_safe && b.is_safe && value.is_safe }
            }
            Closure::RightBound(function, fixed, _) => {
                self.call(function, &[arguments, std::slice::from_ref(fixed)].concat())
            }
            Closure::LeftBound(function, fixed, _) => {
                self.call(function, &[std::slice::from_ref(fixed), arguments].concat())
            }
            Closure::Unknown => unsafe_call(Type::Any),
        }
    }
}

#[cfg(test)]
mod tests;
