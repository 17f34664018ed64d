//! A stage's route as it is written.

use super::{
    expr::{Expr, WireRef, expr, wire_ref},
    fields::Fields,
};
use crate::{
    diagnostics::{Span, Spanned},
    keys::ROUTE,
    syntax::{Node, Value},
};

/// How a stage's arm is picked.
#[derive(Clone, Debug)]
pub(crate) struct ParsedRoute {
    /// The span of the key `route`.
    pub(crate) span: Span,
    pub(crate) uses: Option<Spanned<String>>,
    pub(crate) with: Option<(Span, Node)>,
    /// Overlays of the stage's `with`.
    pub(crate) arms: Vec<Node>,
    /// Lists of values, whose combinations are such overlays.
    pub(crate) space: Option<Node>,
    pub(crate) models: Vec<Spanned<String>>,
    pub(crate) context: Option<WireRef>,
    pub(crate) reward: Option<WireRef>,
    /// `maximize` and `minimize`.
    pub(crate) objectives: [Option<Expr>; 2],
    pub(crate) in_flight: u32,
    pub(crate) state: Option<Spanned<String>>,
}

/// Lowers a route.
pub(crate) fn route(span: Span, node: &Node) -> ParsedRoute {
    let fields = Fields::new(node.as_table(), &ROUTE);
    let list = |key: &str| match fields.get(key).map(|node| &node.value) {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    let text = |node: &Node| Some(Spanned { value: node.as_str()?.to_owned(), span: node.span });
    let mut models: Vec<_> = list("models").iter().filter_map(text).collect();
    models.extend(fields.get("models").and_then(text));
    ParsedRoute {
        span,
        uses: fields.reference(),
        with: fields.with_table(),
        arms: list("arms").iter().filter(|arm| arm.as_table().is_some()).cloned().collect(),
        space: fields.get("space").filter(|space| space.as_table().is_some()).cloned(),
        models,
        context: fields.get("context").map(wire_ref),
        reward: fields.get("reward").map(wire_ref),
        objectives: ["maximize", "minimize"].map(|key| fields.get(key).map(expr)),
        in_flight: fields.integer("in_flight").map_or(1, |count| count as u32),
        state: fields.text("state"),
    }
}
