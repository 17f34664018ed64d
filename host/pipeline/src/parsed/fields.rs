//! Typed access to tables of the tree.

use std::time::Duration;

use crate::{
    diagnostics::{Span, Spanned},
    keys::{self, Shape},
    syntax::{Key, Node, Table, Value, values},
};
use jackfield_loader::sandbox::Limits;

/// Typed access to a table whose shape is checked: a wrong value counts as absent, and an absent value has its default.
pub(crate) struct Fields<'a> {
    table: Option<&'a Table>,
    spec: &'static keys::Table,
}

impl<'a> Fields<'a> {
    /// The fields of a table; without a table, all of them are absent.
    pub(crate) fn new(table: Option<&'a Table>, spec: &'static keys::Table) -> Self {
        Self { table, spec }
    }

    /// The fields of a table of the file; `key` is its name there.
    pub(crate) fn of_file_table(node: Option<&'a Node>, key: &str) -> Self {
        let spec = match keys::FILE.key(key).map(|key| key.shape) {
            Some(Shape::Table(spec)) => spec,
            Some(Shape::Map { of: Shape::Table(spec), .. }) => *spec,
            _ => unreachable!("`{key}` is a table of the file"),
        };
        Self { table: node.and_then(Node::as_table), spec }
    }

    /// The fields of the table that a key holds.
    pub(crate) fn inside(&self, key: &str, spec: &'static keys::Table) -> Self {
        Self::new(self.get(key).and_then(Node::as_table), spec)
    }

    /// `use`, the reference to an extension; none if it is empty, which is reported.
    pub(crate) fn reference(&self) -> Option<Spanned<String>> {
        self.text("use").filter(|reference| !reference.value.is_empty())
    }

    /// `with`, the configuration of an extension, and the span of the key.
    pub(crate) fn with_table(&self) -> Option<(Span, Node)> {
        let entry = self.entry("with").filter(|(_, node)| node.as_table().is_some());
        entry.map(|(key, node)| (key.span, node.clone()))
    }

    /// A key with its span, and its value.
    pub(crate) fn entry(&self, key: &str) -> Option<&'a (Key, Node)> {
        debug_assert!(self.spec.key(key).is_some(), "{} has no key `{key}`", self.spec.what);
        self.table?.entry(key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node)
    }

    fn default(&self, key: &str) -> Option<&'static str> {
        self.spec.key(key)?.default.map(|default| default.trim_matches('"'))
    }

    pub(crate) fn text(&self, key: &str) -> Option<Spanned<String>> {
        let node = self.get(key)?;
        Some(Spanned { value: node.as_str()?.to_owned(), span: node.span })
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        let nodes = match self.get(key) {
            Some(Node { value: Value::List(list), .. }) => list.iter().collect(),
            node => Vec::from_iter(node),
        };
        let text = |node: &Node| Some(Spanned { value: node.as_str()?.to_owned(), span: node.span });
        nodes.into_iter().filter_map(text).collect()
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Node { value: Value::Boolean(value), .. }) => Some(*value),
            _ => self.default(key).map(|default| default == "true"),
        }
    }

    pub(crate) fn integer(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Node { value: Value::Integer(value), .. }) => u64::try_from(*value).ok(),
            _ => self.default(key).and_then(|default| default.parse().ok()),
        }
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        let text = self.get(key).and_then(Node::as_str).or(self.default(key))?;
        values::duration(text).ok()
    }

    /// Limits, where this is the table of that name.
    pub(crate) fn limits(&self) -> Limits {
        self.limits_or(Limits::default())
    }

    /// Limits, where this is the table of that name, with these for what it does not say.
    pub(crate) fn limits_or(&self, usual: Limits) -> Limits {
        let knows = |key: &str| self.spec.keys.iter().any(|known| known.name == key);
        Limits {
            memory: self.size("memory").unwrap_or(usual.memory),
            time: self.duration("time").unwrap_or(usual.time),
            fuel: self.integer("fuel").or(usual.fuel),
            host_calls: self.integer("host_calls").unwrap_or(usual.host_calls),
            output: self.size("output").unwrap_or(usual.output),
            wall: self.duration("wall").unwrap_or(usual.wall),
            tensors: Some("tensors").filter(|key| knows(key)).and_then(|key| self.size(key)).unwrap_or(usual.tensors),
            scratch: self.size("scratch").unwrap_or(usual.scratch),
            traps: self.integer("traps").map_or(usual.traps, |traps| traps as u32),
        }
    }

    pub(crate) fn size(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Node { value: Value::Integer(value), .. } => u64::try_from(*value).ok(),
            node => values::size(node.as_str()?).ok(),
        }
    }
}
