//! The pipeline's search as it is written.

use super::{
    expr::{Expr, WireRef, expr, wire_ref},
    fields::Fields,
};
use crate::{
    diagnostics::{Span, Spanned},
    keys::{DIMENSION, SEARCH, STOP},
    plan::SearchStop,
    syntax::{Key, Node, Value},
};

/// What picks the values that the stages run with.
#[derive(Clone, Debug)]
pub(crate) struct ParsedSearch {
    /// The span of the key `search`.
    pub(crate) span: Span,
    pub(crate) uses: Option<Spanned<String>>,
    pub(crate) with: Option<(Span, Node)>,
    /// The span of the key `space`.
    pub(crate) space_at: Option<Span>,
    pub(crate) space: Vec<ParsedDimension>,
    /// `maximize` and `minimize`, each with whether less is better, in the order of the text.
    pub(crate) objectives: Vec<(Expr, bool)>,
    pub(crate) in_flight: u64,
    /// The span of the key `report`, and its wires.
    pub(crate) report: Option<(Span, Expr)>,
    pub(crate) points: Vec<Node>,
    pub(crate) study: Option<Spanned<String>>,
    pub(crate) stop: SearchStop,
    /// The span of the key `cost_usd`.
    pub(crate) cost_at: Option<Span>,
}

/// A key that is searched.
#[derive(Clone, Debug)]
pub(crate) struct ParsedDimension {
    /// `STAGE.KEY`.
    pub(crate) name: WireRef,
    /// Its value as it is written.
    pub(crate) node: Node,
    pub(crate) min: Option<Node>,
    pub(crate) max: Option<Node>,
    pub(crate) log: bool,
    pub(crate) step: Option<Node>,
    pub(crate) integer: bool,
    /// The choices, where it has any.
    pub(crate) choices: Option<Vec<Node>>,
    /// The span of the key `when`, and its entries.
    pub(crate) when: Option<(Span, Vec<(Key, Node)>)>,
}

impl ParsedDimension {
    /// Whether a part of it is of a wrong type, which is reported.
    pub(crate) fn is_malformed(&self) -> bool {
        let lacks =
            |key: &str, found: bool| self.node.as_table().is_some_and(|table| table.get(key).is_some()) && !found;
        !matches!(self.node.value, Value::List(_) | Value::Table(_))
            || lacks("min", self.min.is_some())
            || lacks("max", self.max.is_some())
            || lacks("step", self.step.is_some())
            || lacks("choices", self.choices.is_some())
    }
}

/// Lowers a search.
pub(crate) fn search(span: Span, node: &Node) -> ParsedSearch {
    let fields = Fields::new(node.as_table(), &SEARCH);
    let stop = fields.inside("stop", &STOP);
    let mut objectives: Vec<_> = [("maximize", false), ("minimize", true)]
        .into_iter()
        .filter_map(|(key, minimize)| fields.entry(key).map(|(key, node)| (key.span, expr(node), minimize)))
        .collect();
    objectives.sort_by_key(|(span, ..)| *span);
    let space = fields.get("space").and_then(Node::as_table);
    ParsedSearch {
        span,
        uses: fields.reference(),
        with: fields.with_table(),
        space_at: fields.entry("space").map(|(key, _)| key.span),
        space: space.into_iter().flat_map(|space| &space.0).map(|(key, node)| dimension(key, node)).collect(),
        objectives: objectives.into_iter().map(|(_, expr, minimize)| (expr, minimize)).collect(),
        in_flight: fields.integer("in_flight").unwrap_or(1).max(1),
        report: fields.entry("report").map(|(key, node)| (key.span, expr(node))),
        points: match fields.get("points").map(|node| &node.value) {
            Some(Value::List(points)) => points.iter().filter(|point| point.as_table().is_some()).cloned().collect(),
            _ => Vec::new(),
        },
        study: fields.text("study"),
        stop: SearchStop {
            time: stop.duration("time"),
            cost_usd: stop.get("cost_usd").and_then(number),
            unchanged: stop.integer("unchanged"),
        },
        cost_at: stop.get("cost_usd").map(|node| node.span),
    }
}

fn dimension(key: &Key, node: &Node) -> ParsedDimension {
    let fields = Fields::new(node.as_table(), &DIMENSION);
    let list = |node: &Node| match &node.value {
        Value::List(list) => Some(list.clone()),
        _ => None,
    };
    let numeric = |key: &str| fields.get(key).filter(|node| number(node).is_some()).cloned();
    ParsedDimension {
        name: wire_ref(&Node { span: key.span, value: Value::String(key.text.clone()) }),
        node: node.clone(),
        min: numeric("min"),
        max: numeric("max"),
        log: fields.flag("log").unwrap_or_default(),
        step: numeric("step"),
        integer: fields.flag("integer").unwrap_or_default(),
        choices: fields.get("choices").and_then(list).or_else(|| list(node)),
        when: fields.entry("when").and_then(|(key, node)| Some((key.span, node.as_table()?.0.clone()))),
    }
}

/// The finite number that a value is.
pub(crate) fn number(node: &Node) -> Option<f64> {
    node.as_number().filter(|number| number.is_finite())
}
