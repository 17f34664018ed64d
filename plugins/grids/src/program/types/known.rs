//! Types: what is known of a value.

use std::rc::Rc;

use crate::primitives::Primitive;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::program) enum Type {
    /// Nothing.
    Any,
    /// An integer within these bounds; the least and greatest of 64 bits stand for no bound. Truth is 0 or 1.
    Integer(i64, i64),
    /// A tuple of tuples of integers.
    Rows(Rows),
    /// A tuple of such values, whether there is at least one.
    Tuple(Rc<Type>, bool),
    /// A tuple of two values.
    Two(Rc<Type>, Rc<Type>),
    /// A set of such values, whether there is at least one.
    Set(Rc<Type>, bool),
    /// A function.
    Function(Rc<Closure>),
}

/// What is known of a tuple of tuples of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) struct Rows {
    /// There is at least one row.
    pub(in crate::program) filled: bool,
    /// Each row has at least one cell.
    pub(in crate::program) wide: bool,
    /// All rows are equally long.
    pub(in crate::program) even: bool,
}

/// What is known of a function.
#[derive(Debug, PartialEq)]
pub(in crate::program) enum Closure {
    /// A primitive.
    Primitive(Primitive),
    /// One function after the other, the first one first.
    Pipeline(Vec<Type>),
    /// A function so many times.
    Repeated(Type, u32),
    /// Whether a function gives some value.
    Matcher(Type),
    /// The first function of what the others give.
    Fork(Type, Type, Type),
    /// A function whose last argument is fixed, and how many it takes then.
    RightBound(Type, Type, usize),
    /// A function whose first argument is fixed, and how many it takes then.
    LeftBound(Type, Type, usize),
    /// A function of which nothing is known, not even how many arguments it takes.
    Unknown,
}

/// Types within types: deeper ones are forgotten.
const DEEPEST: u32 = 8;

impl Type {
    pub(in crate::program) const INTEGER: Type = Type::Integer(i64::MIN, i64::MAX);
    pub(in crate::program) const COUNT: Type = Type::Integer(0, i64::MAX);
    pub(in crate::program) const BOOLEAN: Type = Type::Integer(0, 1);
    pub(in crate::program) const GRID: Type = Type::Rows(Rows { filled: true, wide: true, even: true });

    pub(in crate::program) fn integer(least: i64, most: i64) -> Type {
        Type::Integer(least, most)
    }

    pub(in crate::program) fn two(first: Type, second: Type) -> Type {
        Type::Two(Rc::new(first), Rc::new(second)).bounded()
    }

    /// A pair of any integers.
    pub(in crate::program) fn pair() -> Type {
        Type::two(Type::INTEGER, Type::INTEGER)
    }

    /// A cell: a colour and a location.
    pub(in crate::program) fn cell() -> Type {
        Type::two(Type::INTEGER, Type::pair())
    }

    pub(in crate::program) fn set(member: Type, filled: bool) -> Type {
        Type::Set(Rc::new(member), filled).bounded()
    }

    /// A tuple of any number of such values.
    pub(in crate::program) fn tuple(member: Type, filled: bool) -> Type {
        match member {
            Type::Tuple(inner, wide) if matches!(*inner, Type::Integer(..)) => {
                Type::Rows(Rows { filled, wide, even: false })
            }
            member => Type::Tuple(Rc::new(member), filled).bounded(),
        }
    }

    pub(in crate::program) fn function(closure: Closure) -> Type {
        Type::Function(Rc::new(closure)).bounded()
    }

    /// The type, or nothing where it would grow without end.
    fn bounded(self) -> Type {
        match self {
            Type::Function(_) if self.is_deeper_than(DEEPEST) => Type::Function(Rc::new(Closure::Unknown)),
            other if other.is_deeper_than(DEEPEST) => Type::Any,
            other => other,
        }
    }

    fn is_deeper_than(&self, depth: u32) -> bool {
        let Some(rest) = depth.checked_sub(1) else { return true };
        match self {
            Type::Any | Type::Integer(..) | Type::Rows(_) => false,
            Type::Tuple(of, _) | Type::Set(of, _) => of.is_deeper_than(rest),
            Type::Two(first, second) => first.is_deeper_than(rest) || second.is_deeper_than(rest),
            Type::Function(closure) => match &**closure {
                Closure::Primitive(_) | Closure::Unknown => false,
                Closure::Pipeline(functions) => functions.iter().any(|function| function.is_deeper_than(rest)),
                Closure::Repeated(function, _) | Closure::Matcher(function) => function.is_deeper_than(rest),
                Closure::Fork(outer, a, b) => [outer, a, b].iter().any(|function| function.is_deeper_than(rest)),
                Closure::RightBound(function, fixed, _) | Closure::LeftBound(function, fixed, _) => {
                    function.is_deeper_than(rest) || fixed.is_deeper_than(rest)
                }
            },
        }
    }

    /// What is known of a value that is of one of these types.
    pub(in crate::program) fn join(&self, other: &Type) -> Type {
        match (self, other) {
            (Type::Integer(least, most), Type::Integer(other_least, other_most)) => {
                Type::Integer(*least.min(other_least), *most.max(other_most))
            }
            (Type::Rows(rows), Type::Rows(other)) => Type::Rows(Rows {
                filled: rows.filled && other.filled,
                wide: rows.wide && other.wide,
                even: rows.even && other.even,
            }),
            (Type::Set(of, filled), Type::Set(other, other_filled)) => {
                Type::set(of.join(other), *filled && *other_filled)
            }
            (Type::Two(first, second), Type::Two(other_first, other_second)) => {
                Type::two(first.join(other_first), second.join(other_second))
            }
            (Type::Function(closure), Type::Function(other)) if Rc::ptr_eq(closure, other) => self.clone(),
            (Type::Function(_), Type::Function(_)) => Type::function(Closure::Unknown),
            _ => match (self.as_tuple(), other.as_tuple()) {
                (Some((of, filled)), Some((other, other_filled))) => {
                    Type::tuple(of.join(&other), filled && other_filled)
                }
                _ => Type::Any,
            },
        }
    }

    /// What its slots are, and whether there is at least one, if it is a tuple.
    pub(in crate::program) fn as_tuple(&self) -> Option<(Type, bool)> {
        match self {
            Type::Rows(rows) => Some((Type::Tuple(Rc::new(Type::INTEGER), rows.wide), rows.filled)),
            Type::Tuple(of, filled) => Some(((**of).clone(), *filled)),
            Type::Two(first, second) => Some((first.join(second), true)),
            _ => None,
        }
    }

    /// What its members are, and whether there is at least one, if it is a set.
    pub(in crate::program) fn as_set(&self) -> Option<(&Type, bool)> {
        match self {
            Type::Set(of, filled) => Some((of, *filled)),
            _ => None,
        }
    }

    /// What its slots or members are, and whether there is at least one, if it is a container.
    pub(in crate::program) fn as_container(&self) -> Option<(Type, bool)> {
        self.as_set().map(|(of, filled)| (of.clone(), filled)).or_else(|| self.as_tuple())
    }

    pub(in crate::program) fn as_rows(&self) -> Option<Rows> {
        match self {
            Type::Rows(rows) => Some(*rows),
            _ => None,
        }
    }

    /// The bounds, if it is an integer.
    pub(in crate::program) fn as_integer(&self) -> Option<(i64, i64)> {
        match self {
            Type::Integer(least, most) => Some((*least, *most)),
            _ => None,
        }
    }

    pub(in crate::program) fn is_pair(&self) -> bool {
        matches!(self, Type::Two(first, second) if first.as_integer().is_some() && second.as_integer().is_some())
    }

    pub(in crate::program) fn is_cell(&self) -> bool {
        matches!(self, Type::Two(color, location) if color.as_integer().is_some() && location.is_pair())
    }

    /// Whether two such values, or two members of such, can be compared by order, whichever they are.
    pub(in crate::program) fn is_ordered(&self) -> bool {
        match self {
            Type::Integer(..) | Type::Rows(_) | Type::Set(..) => true,
            Type::Tuple(of, _) => of.is_ordered(),
            Type::Two(first, second) => first.is_ordered() && second.is_ordered(),
            Type::Any | Type::Function(_) => false,
        }
    }
}

impl Rows {
    /// Rows of columns: what `zip` makes of them, and back.
    pub(in crate::program) fn transposed(self) -> Rows {
        Rows { filled: self.filled && self.wide, wide: true, even: true }
    }
}

impl Closure {
    /// How many arguments it takes, where that is known.
    pub(in crate::program) fn arity(&self) -> Option<usize> {
        match self {
            Closure::Primitive(primitive) => Some(primitive.arity()),
            Closure::Pipeline(_) | Closure::Repeated(..) | Closure::Matcher(_) | Closure::Fork(..) => Some(1),
            Closure::RightBound(_, _, arity) | Closure::LeftBound(_, _, arity) => Some(*arity),
            Closure::Unknown => None,
        }
    }
}
