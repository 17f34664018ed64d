//! Choices of primitives and arguments, by the types that the table of primitives tells.

use jackfield_plugin_api::Random;

use super::pick;
use crate::{
    primitives::{CONSTANTS, Primitive},
    program::{
        Argument,
        types::{self, Type},
    },
};

/// What an argument may be at a place of a line.
pub(super) struct Choice<'a> {
    /// Of the lines above.
    pub(super) types: &'a [Type],
    /// Whether types are heeded.
    pub(super) is_typed: bool,
}

impl Choice<'_> {
    /// An argument of a primitive.
    pub(super) fn argument(&self, primitive: Primitive, index: usize, random: &mut Random) -> Argument {
        if !self.is_typed {
            return self.any(random);
        }
        self.fitting_value(random, |value| fits(primitive, index, value))
    }

    /// An argument like this one.
    pub(super) fn value_like(&self, before: &Type, random: &mut Random) -> Argument {
        if !self.is_typed {
            return self.any(random);
        }
        self.fitting_value(random, |value| is_alike(before, value))
    }

    fn fitting_value(&self, random: &mut Random, is_fit: impl Fn(&Type) -> bool) -> Argument {
        let variables: Vec<Argument> =
            self.variables().filter(|argument| is_fit(&type_of(*argument, self.types))).collect();
        // Values that were made are what a program is about; constants and primitives are many.
        if !variables.is_empty()
            && random.below(10) < 6
            && let Some(variable) = pick(&variables, random)
        {
            return variable;
        }
        let of_kind = |values: &mut dyn Iterator<Item = Argument>| -> Vec<Argument> {
            values.filter(|argument| is_fit(&type_of(*argument, &[]))).collect()
        };
        let constants = of_kind(&mut constants());
        // Where anything fits, a constant is likelier meant than one of many primitives.
        let values = if constants.is_empty() || random.below(10) == 0 {
            of_kind(&mut Primitive::all().map(Argument::Primitive))
        } else {
            constants
        };
        pick(&values, random).or_else(|| pick(&variables, random)).unwrap_or_else(|| self.any(random))
    }

    fn any(&self, random: &mut Random) -> Argument {
        let from: Vec<Argument> = match random.below(3) {
            0 => constants().collect(),
            1 => Primitive::all().map(Argument::Primitive).collect(),
            _ => self.variables().collect(),
        };
        pick(&from, random).unwrap_or(Argument::Input)
    }

    fn variables(&self) -> impl Iterator<Item = Argument> {
        std::iter::once(Argument::Input).chain((0..self.types.len() as u32).map(Argument::Line))
    }
}

/// The constants, each value once.
fn constants() -> impl Iterator<Item = Argument> {
    // Truth is 0 and 1.
    CONSTANTS.iter().filter(|(name, _)| !matches!(*name, "F" | "T")).map(|(_, constant)| Argument::Constant(*constant))
}

/// Any primitive.
pub(super) fn primitive(random: &mut Random) -> Primitive {
    let at = random.below(Primitive::all().count() as u64) as usize;
    Primitive::all().nth(at).expect("the table is not empty")
}

/// What is known of an argument, given what is known of the lines above it.
pub(super) fn type_of(argument: Argument, lines: &[Type]) -> Type {
    types::of_argument(argument, lines)
}

/// Whether a value of which this is known may be one that the table wants at this place. What may be anything may be that too.
pub(super) fn fits(primitive: Primitive, index: usize, value: &Type) -> bool {
    let Some((_, argument_type)) = primitive.row().arguments.get(index) else { return false };
    if matches!(value, Type::Any) {
        return true;
    }
    let member = value.as_container().map(|(member, _)| member);
    let is_set_of = |is_member: fn(&Type) -> bool| value.as_set().is_some_and(|(member, _)| is_member(member));
    let is_grid = || value.as_rows().is_some();
    let is_object = || is_set_of(Type::is_cell);
    let is_indices = || is_set_of(Type::is_pair);
    match *argument_type {
        "Integer" => value.as_integer().is_some(),
        "Boolean" => value.as_integer().is_some_and(|(least, most)| least >= 0 && most <= 1),
        "Pair" => value.is_pair(),
        "Numerical" => value.as_integer().is_some() || value.is_pair(),
        "Grid" => is_grid(),
        "Object" => is_object(),
        "Indices" => is_indices(),
        "Patch" => is_object() || is_indices(),
        "Element" => is_grid() || is_object(),
        "Piece" => is_grid() || is_object() || is_indices(),
        "Objects" => member.is_some_and(|member| matches!(&member, Type::Any) || is_set_of_cells(&member)),
        "Set" => value.as_set().is_some(),
        "Tuple" => value.as_tuple().is_some(),
        "Container" => member.is_some(),
        "Callable" => match value {
            Type::Function(closure) => closure.arity().is_none_or(|arity| takes_arity(primitive, index, arity)),
            _ => false,
        },
        _ => true,
    }
}

fn is_set_of_cells(value: &Type) -> bool {
    value.as_set().is_some_and(|(member, _)| member.is_cell())
}

/// Whether a primitive calls the function at this place with so many arguments.
fn takes_arity(primitive: Primitive, index: usize, arity: usize) -> bool {
    match (primitive.row().name, index) {
        ("fork" | "papply" | "mpapply" | "prapply", 0) => arity == 2,
        // With one argument fixed at least one has to be left.
        ("rbind" | "lbind", 0) => arity >= 2,
        _ => arity == 1,
    }
}

/// Whether two values are of one kind, as far as is known.
pub(super) fn is_alike(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Function(one), Type::Function(other)) => match (one.arity(), other.arity()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        },
        (Type::Set(one, _), Type::Set(other, _)) => is_alike(one, other),
        (Type::Two(first, second), Type::Two(other_first, other_second)) => {
            is_alike(first, other_first) && is_alike(second, other_second)
        }
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
