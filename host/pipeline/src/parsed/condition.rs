//! Conditions as they are written: when a stage is on, and what a run requires.

use serde_json::Value as Json;

use super::expr::{WireRef, wire_ref};
use crate::{
    diagnostics::{Diagnostic, Span},
    syntax::{Node, Table, Value},
};

/// When a stage is on.
#[derive(Clone, Debug)]
pub(crate) struct ParsedWhen {
    /// The span of the key `when`.
    pub(crate) key: Span,
    pub(crate) wire: WireRef,
    pub(crate) condition: ParsedCondition,
}

/// What a run requires.
#[derive(Clone, Debug)]
pub(crate) struct ParsedRequirement {
    pub(crate) wire: WireRef,
    /// The span of its bounds.
    pub(crate) span: Span,
    pub(crate) condition: ParsedCondition,
}

/// What has to hold of a value: each part with its span.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParsedCondition {
    pub(crate) equals: Option<(Span, Json)>,
    pub(crate) not: Option<(Span, Json)>,
    pub(crate) at_least: Option<(Span, Json)>,
    pub(crate) at_most: Option<(Span, Json)>,
}

impl ParsedCondition {
    fn read(table: &Table, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut value = |key: &str| table.get(key).map(|node| (node.span, node.to_json(diagnostics)));
        let (equals, not) = (value("equals"), value("not"));
        // What is not a number is reported by the pass over shapes.
        let number = |bound: Option<(Span, Json)>| bound.filter(|(_, bound)| bound.is_number());
        Self { equals, not, at_least: number(value("at_least")), at_most: number(value("at_most")) }
    }

    /// The spans of all parts, with their keys.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Span)> {
        let parts =
            [("equals", &self.equals), ("not", &self.not), ("at_least", &self.at_least), ("at_most", &self.at_most)];
        parts.into_iter().filter_map(|(key, part)| Some((key, part.as_ref()?.0))).collect()
    }
}

/// Reads `when`; none if it has no wire, which is reported elsewhere.
pub(crate) fn when(key: Span, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<ParsedWhen> {
    match &node.value {
        Value::String(_) => Some(ParsedWhen { key, wire: wire_ref(node), condition: ParsedCondition::default() }),
        Value::Table(table) => {
            let wire = table.get("wire").filter(|wire| wire.as_str().is_some())?;
            Some(ParsedWhen { key, wire: wire_ref(wire), condition: ParsedCondition::read(table, diagnostics) })
        }
        _ => None,
    }
}

/// Reads `[require]`; what is not a table is reported elsewhere.
pub(crate) fn requirements(node: Option<&Node>, diagnostics: &mut Vec<Diagnostic>) -> Vec<ParsedRequirement> {
    let table = node.and_then(Node::as_table);
    let entries = table.into_iter().flat_map(|table| &table.0);
    entries
        .filter_map(|(key, node)| {
            let wire = wire_ref(&Node { span: key.span, value: Value::String(key.text.clone()) });
            let condition = ParsedCondition::read(node.as_table()?, diagnostics);
            Some(ParsedRequirement { wire, span: node.span, condition })
        })
        .collect()
}
