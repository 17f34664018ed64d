//! Settings that several analyzers share.

use jackfield_plugin_api::prelude::*;

use crate::{
    evaluate::Options,
    machine::{Limits, Order},
};

/// The order in which sets are iterated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum SetOrder {
    /// None < integers < tuples < sets < functions, ascending.
    #[default]
    Ascending,
    /// That of CPython 3.8 to 3.11. Sets of functions have no order that can be reproduced there: `error:order`. Slower.
    Cpython,
}

impl SetOrder {
    fn order(self) -> Order {
        match self {
            SetOrder::Ascending => Order::Ascending,
            SetOrder::Cpython => Order::Cpython,
        }
    }

    /// The word for it in cache keys.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SetOrder::Ascending => "ascending",
            SetOrder::Cpython => "cpython",
        }
    }
}

/// What a program may take on one input. What it costs does not depend on the programs beside it, nor on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Document)]
#[serde(deny_unknown_fields)]
pub struct LimitTable {
    /// Steps: one a call of a primitive or function, and one more for each sixteen cells or members that it is called with, visits or
    /// compares.
    #[config(default = 2_000_000)]
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub steps: u64,
    /// Bytes that the values of all lines take together, about.
    #[config(default = 33_554_432)]
    #[schemars(range(min = 1024, max = 17_179_869_184_u64))]
    pub memory: u64,
    /// Functions within functions, as `compose` and `power` make them.
    #[config(default = 1_000)]
    #[schemars(range(min = 1, max = 100_000))]
    pub depth: u32,
}

impl Default for LimitTable {
    fn default() -> Self {
        let Limits { steps, memory, depth } = Limits::default();
        Self { steps, memory: memory as u64, depth }
    }
}

impl LimitTable {
    fn limits(&self) -> Limits {
        Limits { steps: self.steps, memory: usize::try_from(self.memory).unwrap_or(usize::MAX), depth: self.depth }
    }

    /// The limits in a cache key.
    pub(crate) fn key(&self) -> String {
        format!("{}-{}-{}", self.steps, self.memory, self.depth)
    }
}

/// Options of evaluation.
pub(crate) fn options(order: SetOrder, limits: LimitTable, shared: bool, kept_primitives: bool) -> Options {
    Options { order: order.order(), limits: limits.limits(), shared, kept_primitives }
}
