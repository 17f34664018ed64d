//! TEXT -> a tree of values, each with its place: TOML, overrides of the command line, parameters, and the shapes of all
//! values.

mod document;
pub(crate) mod overrides;
mod params;
mod shape;
pub(crate) mod tree;
pub(crate) mod values;
pub(crate) mod wire;

pub(crate) use document::{Document, Text, read};
pub(crate) use tree::{Key, Node, Table, Value};
pub(crate) use wire::WireText;
