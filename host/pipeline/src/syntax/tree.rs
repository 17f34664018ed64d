//! The tree of TOML values with their spans, in the order of the text.

use serde_json::{Map, Number, Value as Json};
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostic, SourceId, Span};

/// A value and its span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Its span; for a table with a header, that of the header.
    pub(crate) span: Span,
    /// The value.
    pub(crate) value: Value,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    String(String),
    /// TOML asks for signed integers of 64 bits; seeds also use the upper half of unsigned ones.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    /// A date or time, as it is written.
    Datetime(String),
    List(Vec<Node>),
    Table(Table),
}

/// A key and its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A table, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table(pub(crate) Vec<(Key, Node)>);

impl Table {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// A key with its span, and its value.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        self.0.iter().find(|(name, _)| name.text == key)
    }

    /// Sets the value of a key, which replaces the one that it has.
    pub(crate) fn insert(&mut self, key: Key, node: Node) {
        match self.0.iter_mut().find(|(name, _)| name.text == key.text) {
            Some(entry) => *entry = (key, node),
            None => self.0.push((key, node)),
        }
    }
}

impl Value {
    /// A string, a number or a truth value as it stands within a text.
    pub(crate) fn text_of_scalar(&self) -> Option<String> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Boolean(value) => Some(value.to_string()),
            _ => None,
        }
    }
}

impl Node {
    /// The string, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Calls for every string in it.
    pub(crate) fn each_string(&self, call: &mut impl FnMut(&str)) {
        match &self.value {
            Value::String(text) => call(text),
            Value::List(list) => list.iter().for_each(|node| node.each_string(call)),
            Value::Table(table) => table.0.iter().for_each(|(_, node)| node.each_string(call)),
            _ => {}
        }
    }

    /// The type, with its article.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value as JSON; dates become strings.
    pub(crate) fn to_json(&self, diagnostics: &mut Vec<Diagnostic>) -> Json {
        match &self.value {
            Value::String(text) | Value::Datetime(text) => Json::String(text.clone()),
            Value::Boolean(value) => Json::Bool(*value),
            Value::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => Json::Number(value.into()),
                (_, Ok(value)) => Json::Number(value.into()),
                _ => {
                    diagnostics.push(Diagnostic::at("bad-number", self.span, "the integer does not fit in 64 bits"));
                    Json::Null
                }
            },
            Value::Float(value) => match Number::from_f64(*value) {
                Some(number) => Json::Number(number),
                None => {
                    let message = format!("`{value}` cannot be passed on: JSON has no such number");
                    diagnostics.push(Diagnostic::at("bad-number", self.span, message));
                    Json::Null
                }
            },
            Value::List(list) => Json::Array(list.iter().map(|node| node.to_json(diagnostics)).collect()),
            Value::Table(table) => Json::Object(
                table.0.iter().map(|(key, node)| (key.text.clone(), node.to_json(diagnostics))).collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Turns the parser's table into ours.
pub(crate) fn table(source: SourceId, offset: usize, table: &DeTable<'_>, diagnostics: &mut Vec<Diagnostic>) -> Table {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let key_span = key.span();
            let span = Span { source, start: offset + key_span.start, end: offset + key_span.end };
            let key = Key { text: key.get_ref().to_string(), span };
            (key, node(source, offset, value.span(), value.get_ref(), diagnostics))
        })
        .collect();
    // The parser sorts by name.
    entries.sort_by_key(|(key, _)| key.span);
    Table(entries)
}

/// Turns the parser's value into ours.
pub(crate) fn node(
    source: SourceId,
    offset: usize,
    at: std::ops::Range<usize>,
    value: &DeValue<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Node {
    let span = Span { source, start: offset + at.start, end: offset + at.end };
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(value) => Value::Integer(value),
            Err(_) => {
                diagnostics.push(Diagnostic::at("bad-number", span, "the integer does not fit in 64 bits"));
                Value::Integer(0)
            }
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(list) => Value::List(
            list.iter().map(|value| node(source, offset, value.span(), value.get_ref(), diagnostics)).collect(),
        ),
        DeValue::Table(inner) => Value::Table(table(source, offset, inner, diagnostics)),
    };
    Node { span, value }
}
