//! What a call gets, as it is written: wires and constants, and lists and tables of them.

use crate::{
    diagnostics::Span,
    syntax::{Constant, Key, Node, Value, WireText, constant, wire},
};

/// What a call gets.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Wire(WireRef),
    List(Vec<Expr>, Span),
    Table(Vec<(Key, Expr)>, Span),
    Constant(Constant),
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

/// Wires, where nothing but wires may stand.
pub(crate) fn expr(node: &Node) -> Expr {
    expr_with(node, &|_| None)
}

impl WireRef {
    /// Whether it reads the values of all items.
    pub(crate) fn is_over_all(&self) -> bool {
        self.text.as_ref().is_some_and(WireText::is_over_all)
    }
}

/// What a stage gets: wires and constants. A number by itself is not what a stage gets.
pub(crate) fn input_expr(node: &Node) -> Expr {
    match node.value {
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Expr::Bad,
        _ => expr_with(node, &constant),
    }
}

fn expr_with(node: &Node, constant: &impl Fn(&Node) -> Option<Constant>) -> Expr {
    if let Some(constant) = constant(node) {
        return Expr::Constant(constant);
    }
    match &node.value {
        Value::String(_) => Expr::Wire(wire_ref(node)),
        Value::List(list) => Expr::List(list.iter().map(|node| expr_with(node, constant)).collect(), node.span),
        Value::Table(table) => {
            let entries = table.0.iter().map(|(key, node)| (key.clone(), expr_with(node, constant)));
            Expr::Table(entries.collect(), node.span)
        }
        _ => Expr::Bad,
    }
}

pub(crate) fn wire_ref(node: &Node) -> WireRef {
    let raw = node.as_str().unwrap_or_default().to_owned();
    WireRef { text: node.as_str().and_then(|text| wire::parse(text).ok()), raw, span: node.span }
}
