//! What a call gets, as it is written: wires, and lists and tables of them.

use crate::{
    diagnostics::Span,
    syntax::{Key, Node, Value, WireText, wire},
};

/// What a call gets.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Wire(WireRef),
    List(Vec<Expr>, Span),
    Table(Vec<(Key, Expr)>, Span),
    /// Not an expression, which is already reported.
    Bad,
}

/// A wire in its string.
#[derive(Clone, Debug)]
pub(crate) struct WireRef {
    /// The parsed wire; none if the text is not a wire, which is already reported.
    pub(crate) text: Option<WireText>,
    /// The text of the string.
    pub(crate) raw: String,
    /// The span of the string.
    pub(crate) span: Span,
}

pub(crate) fn expr(node: &Node) -> Expr {
    match &node.value {
        Value::String(_) => Expr::Wire(wire_ref(node)),
        Value::List(list) => Expr::List(list.iter().map(expr).collect(), node.span),
        Value::Table(table) => {
            Expr::Table(table.0.iter().map(|(key, node)| (key.clone(), expr(node))).collect(), node.span)
        }
        _ => Expr::Bad,
    }
}

pub(crate) fn wire_ref(node: &Node) -> WireRef {
    let raw = node.as_str().unwrap_or_default().to_owned();
    WireRef { text: node.as_str().and_then(|text| wire::parse(text).ok()), raw, span: node.span }
}
