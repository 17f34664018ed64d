//! The reasons why a call fails.

use std::fmt;

/// What a call gives: a value, or why there is none.
pub type Outcome<T = crate::value::Value> = Result<T, Fault>;

/// Why a call has no value. The text says what was expected; who reports it adds the primitive and the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An argument is of a kind that the primitive cannot use.
    Type(&'static str),
    /// The first, the least … of nothing.
    Empty(&'static str),
    /// A division by zero.
    Arithmetic(&'static str),
    /// An integer beyond 64 bits.
    Overflow,
    /// A function was given more or fewer arguments than it takes.
    Arity(&'static str),
    /// An argument of the right kind has a value that cannot be used.
    Value(&'static str),
    /// The result depends on an order that cannot be reproduced: sets of functions under CPython's order.
    Order,
    /// A limit was reached: what would have come of it is not known.
    Limit(Limit),
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Work, in steps.
    Steps,
    /// Memory, in bytes.
    Memory,
    /// Functions within functions, or values within values.
    Depth,
}

impl Limit {
    /// The word for it in outcomes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Limit::Steps => "steps",
            Limit::Memory => "memory",
            Limit::Depth => "depth",
        }
    }
}

impl Fault {
    /// The outcome of a pair that fails so: `error:type`, `limit:steps`.
    #[must_use]
    pub fn outcome(self) -> String {
        match self {
            Fault::Limit(limit) => format!("limit:{}", limit.name()),
            fault => format!("error:{}", fault.kind()),
        }
    }

    /// One word for the kind.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Fault::Type(_) => "type",
            Fault::Empty(_) => "empty",
            Fault::Arithmetic(_) => "arithmetic",
            Fault::Overflow => "overflow",
            Fault::Arity(_) => "arity",
            Fault::Value(_) => "value",
            Fault::Order => "order",
            Fault::Limit(_) => "limit",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Type(text)
            | Fault::Empty(text)
            | Fault::Arithmetic(text)
            | Fault::Arity(text)
            | Fault::Value(text) => formatter.write_str(text),
            Fault::Overflow => formatter.write_str("an integer does not fit 64 bits"),
            Fault::Order => formatter.write_str("the order of a set of functions cannot be reproduced"),
            Fault::Limit(Limit::Steps) => formatter.write_str("the limit on steps is reached"),
            Fault::Limit(Limit::Memory) => formatter.write_str("the limit on memory is reached"),
            Fault::Limit(Limit::Depth) => formatter.write_str("functions or values are nested too deep"),
        }
    }
}
