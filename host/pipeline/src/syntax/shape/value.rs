//! Whether a value is what its key may hold.

use super::{ShapeCheck, messages::describe};
use crate::{
    diagnostics::Diagnostic,
    keys::{COUNT, Shape},
    syntax::{
        constant,
        tree::{Key, Node, Value},
    },
};

impl ShapeCheck<'_> {
    /// Checks a value. A diagnostic names the key, as lists and tables can have many lines.
    pub(crate) fn value(&mut self, key: &Key, node: &Node, shape: &Shape) {
        match (shape, &node.value) {
            (Shape::Any, _)
            | (Shape::Scalar, Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_))
            | (Shape::Flag, Value::Boolean(_))
            | (Shape::List | Shape::ListOr(_), Value::List(_))
            | (Shape::Free, Value::Table(_)) => {}
            (Shape::Text, Value::String(text)) => {
                if text.is_empty() {
                    self.is_empty(key, node);
                }
            }
            (Shape::Name, Value::String(text)) => self.pipeline_name(key, node, text),
            (Shape::Choice(choices), Value::String(text)) => self.choice(key, node, text, choices),
            (Shape::Character, Value::String(text)) => self.character(key, node, text),
            (Shape::Digest, Value::String(text)) => self.digest(key, node, text),
            (Shape::Texts, Value::String(text)) if !text.is_empty() => {}
            (Shape::Texts, Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(key, element, &Shape::Text);
                }
            }
            (Shape::Grants, Value::List(list)) => self.grants(key, list),
            (Shape::Integer { min, max }, Value::Integer(value)) => self.range(key, node.span, *value, *min, *max),
            (Shape::Number, Value::Integer(value)) => self.range(key, node.span, *value, 0, u64::MAX),
            (Shape::Number, Value::Float(value)) => self.float(key, node, *value),
            (Shape::Real, Value::Integer(value)) => self.real_integer(key, node, *value),
            (Shape::Real, Value::Float(value)) => self.real_float(key, node, *value),
            (Shape::Duration, Value::String(text)) => self.duration(key, node, text),
            (Shape::Duration, Value::Integer(value)) => {
                let hint = format!("add a unit, such as `{} = \"{value}s\"`", key.text);
                self.wrong_type(key, node, "a duration in quotes", Some(hint));
            }
            (Shape::Size, Value::String(text)) => self.size(key, node, text),
            (Shape::Size, Value::Integer(value)) => self.range(key, node.span, *value, 0, u64::MAX),
            (Shape::Wire | Shape::Wires | Shape::WireOr(_), Value::String(text)) => self.wire(node, text),
            (Shape::Input, Value::String(_) | Value::List(_) | Value::Table(_)) => self.input(key, node),
            (Shape::Wires, Value::List(list)) => list.iter().for_each(|element| self.value(key, element, shape)),
            (Shape::Wires, Value::Table(table)) => table.0.iter().for_each(|(key, node)| self.value(key, node, shape)),
            (Shape::Table(spec), Value::Table(table)) => self.table(table, spec, spec.what, Some(key.span)),
            (Shape::ListOr(spec), Value::Table(table)) => {
                self.table(table, spec, &format!("`{}`", key.text), Some(key.span));
            }
            (Shape::CountOr(spec) | Shape::WireOr(spec), Value::Table(table)) => {
                self.table(table, spec, spec.what, Some(key.span))
            }
            (Shape::CountOr(_), Value::Integer(_)) => self.value(key, node, &COUNT),
            (Shape::Tables(spec), Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(&Key { text: key.text.clone(), span: element.span }, element, &Shape::Table(spec));
                }
            }
            (Shape::Overlays, Value::List(list)) if !list.is_empty() => {
                for element in list {
                    self.value(&Key { text: key.text.clone(), span: element.span }, element, &Shape::Free);
                }
            }
            (Shape::Texts, Value::String(_) | Value::List(_))
            | (Shape::Tables(_) | Shape::Overlays, Value::List(_)) => {
                self.is_empty(key, node);
            }
            (Shape::Map { of, names }, Value::Table(table)) => self.map(key, table, of, *names),
            (expected, _) => self.wrong_type(key, node, &describe(expected), self.about_quotes(key, node, expected)),
        }
    }

    /// Checks what a stage gets.
    fn input(&mut self, key: &Key, node: &Node) {
        if constant(node).is_some() {
            // A value that JSON does not have is reported.
            node.to_json(self.diagnostics);
            return;
        }
        match &node.value {
            Value::String(text) => self.wire_or_text(node, text),
            Value::List(list) => list.iter().for_each(|element| self.input(key, element)),
            Value::Table(table) => table.0.iter().for_each(|(key, node)| self.input(key, node)),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                self.wrong_type(key, node, &describe(&Shape::Input), None);
            }
        }
    }

    /// Checks a wire that may have been meant as a text.
    fn wire_or_text(&mut self, node: &Node, text: &str) {
        let before = self.diagnostics.len();
        self.wire(node, text);
        if !text.contains(char::is_whitespace) {
            return;
        }
        let written = serde_json::Value::from(text);
        for diagnostic in &mut self.diagnostics[before..] {
            diagnostic.notes.push(format!("for the text itself, write `{{ const = {written} }}`"));
        }
    }

    /// What to do where a value lacks only its quotes, or has quotes and should have none.
    fn about_quotes(&self, key: &Key, node: &Node, expected: &Shape) -> Option<String> {
        match (expected, &node.value) {
            (
                Shape::Text | Shape::Name | Shape::Texts | Shape::Choice(_),
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_),
            ) => Some(format!("put it in quotes: `{} = \"{}\"`", key.text, self.sources.text(node.span))),
            (Shape::Integer { .. } | Shape::Flag, Value::String(text))
                if text.parse::<u64>().is_ok() || text == "true" || text == "false" =>
            {
                Some(format!("drop the quotes: `{} = {text}`", key.text))
            }
            _ => None,
        }
    }

    fn is_empty(&mut self, key: &Key, node: &Node) {
        self.diagnostics.push(Diagnostic::at("bad-value", node.span, format!("`{}` is empty", key.text)));
    }

    fn wrong_type(&mut self, key: &Key, node: &Node, expected: &str, hint: Option<String>) {
        let message = format!("`{}` is {}, expected {expected}", key.text, node.type_name());
        self.diagnostics.push(Diagnostic::at("wrong-type", node.span, message).label(node.type_name()).hint(hint));
    }

    /// A string of the right type whose text is wrong.
    pub(crate) fn bad_text(&mut self, key: &Key, node: &Node, wrong: WrongText<'_>) {
        let message = format!("`{}` is not {}", key.text, wrong.expected);
        let diagnostic = Diagnostic::at("bad-value", node.span, message);
        self.diagnostics.push(diagnostic.label(wrong.why).hint(wrong.hint.to_owned()));
    }
}

/// What is wrong with the text of a string.
pub(crate) struct WrongText<'a> {
    /// What the text should be, with its article.
    pub(crate) expected: &'a str,
    /// Why it is not; may be empty.
    pub(crate) why: &'a str,
    pub(crate) hint: &'a str,
}
