//! What a call gets: wires to values of other stages, and constants, in lists and tables.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::step::Step;

/// What a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputExpr {
    /// The value of a wire.
    Wire(Wire),
    /// A list; a source that failed or is off is left out of it.
    List(Vec<InputExpr>),
    /// An object.
    Table(Vec<TableEntry>),
    /// A value that is the same in every call.
    Constant(Value),
}

/// A field of an object that a call gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The field.
    pub key: String,
    /// Whether the reader needs it: a field that is not needed is left out when its source failed or is off.
    pub required: bool,
    /// Its value.
    pub value: InputExpr,
}

/// A reference to a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// Where the value comes from.
    pub source: Source,
    /// The way into it; empty for the whole.
    pub path: Vec<Step>,
}

/// Where a wire's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The item.
    Input,
    /// The element of `for_each`.
    Each,
    /// The stage of this index.
    Stage(usize),
    /// The values of all items: the column of this index. Its wire has the way into each item, so that the way into it is empty.
    Column(usize),
    /// What the stages spent for the item, by name: for what is shown of it alone, since results must not depend on it.
    Spend,
}

/// The members of what a stage spent.
pub const SPEND_MEMBERS: [&str; 12] = [
    "calls",
    "cached",
    "failed",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "tokens_cache_write",
    "tokens_reasoning",
    "cost_usd",
    "cache_lookups",
    "cache_hits",
    "cache_hit_rate",
];
