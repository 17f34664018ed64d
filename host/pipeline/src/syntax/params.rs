//! Parameters: the values of `[params]` replace `${name}` in strings, so that one override changes every use.

use super::tree::{Node, Table, Value};
use crate::diagnostics::{Diagnostic, suggest};

/// Puts parameters into the strings of a pipeline that has any; elsewhere `${` is text like any other.
///
/// A string that is nothing but one reference becomes the value, of whatever type it is. `$${` stands for `${`.
pub(crate) fn fill(root: &mut Table, diagnostics: &mut Vec<Diagnostic>) {
    let Some(table) = root.get("params").and_then(Node::as_table).cloned() else { return };
    let mut filler = ParameterFiller { table: &table, used: vec![false; table.0.len()], diagnostics };
    for (key, node) in &mut root.0 {
        if key.text != "params" {
            filler.node(node);
        }
    }
    let ParameterFiller { used, .. } = filler;
    let unused = table.0.iter().zip(&used).filter(|(_, used)| !**used);
    for ((key, _), _) in unused {
        let others = table.0.iter().zip(&used).filter(|(_, used)| **used).map(|((key, _), _)| key.text.as_str());
        let diagnostic =
            Diagnostic::at("unused-param", key.span, format!("no string refers to the parameter `{}`", key.text));
        let usual_hint = format!("write `${{{}}}` where its value belongs", key.text);
        diagnostics.push(
            diagnostic.hint(suggest::hint_for(&key.text, "parameters that are used", others).unwrap_or(usual_hint)),
        );
    }
}

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    Reference(&'a str),
}

struct ParameterFiller<'a> {
    table: &'a Table,
    used: Vec<bool>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl ParameterFiller<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::String(text) if text.contains("${") => {
                let text = std::mem::take(text);
                node.value = self.string(&text, node).unwrap_or(Value::String(text));
            }
            Value::List(list) => list.iter_mut().for_each(|node| self.node(node)),
            Value::Table(table) => table.0.iter_mut().for_each(|(_, node)| self.node(node)),
            _ => {}
        }
    }

    /// The string with its references replaced; none if a reference cannot be replaced, which is reported.
    fn string(&mut self, text: &str, node: &Node) -> Option<Value> {
        let Some(pieces) = pieces(text) else {
            let diagnostic = Diagnostic::at("bad-param", node.span, "a `${` is not closed");
            self.diagnostics
                .push(diagnostic.hint("write `${name}` for a parameter, and `$${` for the characters `${`".to_owned()));
            return None;
        };
        if let [Piece::Reference(name)] = pieces.as_slice() {
            return self.value(name, node);
        }
        let mut filled = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Reference(name) => match self.value(name, node)? {
                    Value::String(value) => filled.push_str(&value),
                    Value::Integer(value) => filled.push_str(&value.to_string()),
                    Value::Float(value) => filled.push_str(&value.to_string()),
                    Value::Boolean(value) => filled.push_str(&value.to_string()),
                    // That its shape is wrong is already reported.
                    _ => return None,
                },
            }
        }
        Some(Value::String(filled))
    }

    fn value(&mut self, name: &str, node: &Node) -> Option<Value> {
        let found = self.table.0.iter().position(|(key, _)| key.text == name);
        let Some(found) = found else {
            let known = || self.table.0.iter().map(|(key, _)| key.text.as_str());
            // The parameter that was probably meant is not also reported as unused.
            if let Some(near) = suggest::nearest(name, known()) {
                known().zip(&mut self.used).filter(|(key, _)| *key == near).for_each(|(_, used)| *used = true);
            }
            let diagnostic = Diagnostic::at("unknown-param", node.span, format!("there is no parameter `{name}`"));
            let usual_hint = suggest::hint_for(name, "parameters of `[params]`", known());
            self.diagnostics
                .push(diagnostic.hint(usual_hint.unwrap_or_else(|| format!("add `{name} = …` to `[params]`"))));
            return None;
        };
        self.used[found] = true;
        Some(self.table.0[found].1.value.clone())
    }
}

/// Text and references in turn; none if a reference is not closed.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let before = &rest[..at];
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(before), Piece::Text("${")]);
            rest = &rest[at + 2..];
            continue;
        }
        let close = at + rest[at..].find('}')?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Reference(rest[at + 2..close].trim()));
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::*;
    use crate::{diagnostics::Sources, syntax::tree};

    fn filled(file: &str) -> (serde_json::Value, Vec<String>) {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        let source = sources.add("file", file);
        let (parsed, _) = DeTable::parse_recoverable(file);
        let mut root = tree::table(source, 0, parsed.get_ref(), &mut diagnostics);
        fill(&mut root, &mut diagnostics);
        root.0.retain(|(key, _)| key.text != "params");
        let json = Node { span: sources.whole(source), value: Value::Table(root) }.to_json(&mut diagnostics);
        (json, diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect())
    }

    #[test]
    fn references_become_values_wherever_strings_are() {
        let file = "a = '${dir}/x'\nb = [{ c = '${n}' }, '${n}${n} of ${ flag }', '$${dir}']\n\
                    [params]\ndir = 'data'\nn = 7\nflag = true";
        let (json, diagnostics) = filled(file);
        assert_eq!(json, serde_json::json!({ "a": "data/x", "b": [{ "c": 7 }, "77 of true", "${dir}"] }));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn without_parameters_nothing_is_a_reference() {
        let (json, diagnostics) = filled("a = '${dir} ${'");
        assert_eq!((json["a"].as_str(), diagnostics.len()), (Some("${dir} ${"), 0));
    }

    #[test]
    fn unknown_and_unused_parameters_are_reported() {
        let (_, diagnostics) =
            filled("a = '${dri}'\nb = '${open'\nc = '${used}'\n[params]\ndir = 'x'\nused = 1\nother = 2");
        assert_eq!(
            diagnostics,
            ["there is no parameter `dri`", "a `${` is not closed", "no string refers to the parameter `other`"]
        );
    }

    proptest! {
        #[test]
        fn a_string_with_every_reference_escaped_is_itself(text in "[a${} ]{0,24}") {
            // `$` before `${` would read as an escape of its own.
            prop_assume!(!text.contains("$${"));
            let escaped = text.replace("${", "$${");
            let table = Table::default();
            let mut diagnostics = Vec::new();
            let mut filler = ParameterFiller { table: &table, used: Vec::new(), diagnostics: &mut diagnostics };
            let source = Sources::default().add("x", "");
            let node = tree::Node {
                span: crate::diagnostics::Span { source, start: 0, end: 0 },
                value: Value::Boolean(true),
            };
            prop_assert_eq!(filler.string(&escaped, &node), Some(Value::String(text)));
        }
    }
}
