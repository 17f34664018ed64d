//! The syntax of pipelines: the text becomes a tree of values with their spans, in which overrides of the command line are
//! applied, variables of the environment and parameters are filled in, and the shape of every value is checked.

mod constant;
mod document;
pub(crate) mod overrides;
mod params;
mod shape;
pub(crate) mod tree;
pub(crate) mod values;
mod variables;
pub(crate) mod wire;

pub(crate) use constant::{Constant, constant};
pub(crate) use document::{Document, Text, read};
pub(crate) use tree::{Key, Node, Table, Value};
pub(crate) use wire::WireText;
