//! `[[tests]]` as they are written.

use serde_json::Value as Json;

use super::expr::{WireRef, wire_ref};
use crate::{
    diagnostics::{Diagnostic, Span, Spanned},
    syntax::{Key, Node, Table, Value},
};

/// A test.
#[derive(Clone, Debug)]
pub(crate) struct ParsedTest {
    pub(crate) name: Spanned<String>,
    /// The span of the key `input`, and the item of the test.
    pub(crate) input: Option<(Span, Json)>,
    /// The file that is the item.
    pub(crate) file: Option<Spanned<String>>,
    pub(crate) expect: Vec<ParsedExpectation>,
    /// The stages that have to fail, each with a part of its message.
    pub(crate) fails: Vec<(Key, String)>,
}

/// What has to come out.
#[derive(Clone, Debug)]
pub(crate) struct ParsedExpectation {
    pub(crate) wire: WireRef,
    /// The expected part with its spans, and as JSON.
    pub(crate) node: Node,
    pub(crate) part: Json,
}

/// Reads the tests. What has no name, or a value of a wrong type, is reported elsewhere and left out.
pub(crate) fn tests(node: Option<&Node>, diagnostics: &mut Vec<Diagnostic>) -> Vec<ParsedTest> {
    let Some(Node { value: Value::List(list), .. }) = node else { return Vec::new() };
    list.iter().filter_map(Node::as_table).filter_map(|table| test(table, diagnostics)).collect()
}

fn test(table: &Table, diagnostics: &mut Vec<Diagnostic>) -> Option<ParsedTest> {
    let text = |key: &str| {
        let node = table.get(key)?;
        Some(Spanned { value: node.as_str()?.to_owned(), span: node.span })
    };
    let inside =
        |key: &str| table.get(key).and_then(Node::as_table).map(|table| table.0.as_slice()).unwrap_or_default();
    let name = text("name")?;
    let mut expect = Vec::new();
    for (key, node) in inside("expect") {
        let wire = wire_ref(&Node { span: key.span, value: Value::String(key.text.clone()) });
        expect.push(ParsedExpectation { wire, node: node.clone(), part: node.to_json(diagnostics) });
    }
    let fails = inside("fails").iter().filter_map(|(key, node)| Some((key.clone(), node.as_str()?.to_owned())));
    Some(ParsedTest {
        fails: fails.collect(),
        name,
        input: table.entry("input").map(|(key, node)| (key.span, node.to_json(diagnostics))),
        file: text("file"),
        expect,
    })
}
