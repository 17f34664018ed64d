//! Constants, which may stand where a stage gets the values of wires.

use super::tree::{Node, Value};
use crate::diagnostics::Span;

/// A value that is the same in every call.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    pub(crate) value: serde_json::Value,
    pub(crate) span: Span,
}

/// The key of the table that holds a constant: `{ const = "a text" }`.
const CONSTANT: &str = "const";

/// A constant, if this is one: a number or a boolean, or anything in a table of one key, `const`. A text by itself is a wire.
pub(crate) fn constant(node: &Node) -> Option<Constant> {
    let value = match &node.value {
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => node,
        Value::Table(table) => match table.0.as_slice() {
            [(key, value)] if key.text == CONSTANT => value,
            _ => return None,
        },
        Value::String(_) | Value::List(_) | Value::Datetime(_) => return None,
    };
    // What JSON does not have is reported by the pass over shapes.
    Some(Constant { value: value.to_json(&mut Vec::new()), span: node.span })
}
