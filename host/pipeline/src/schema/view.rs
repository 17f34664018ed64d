//! A part of a schema, and what is known of the type of a value.

use serde_json::Value;

/// A part of a schema: a value there satisfies all of these subschemas.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The document that references are resolved in.
    pub(super) root: &'a Value,
    pub(super) parts: Vec<&'a Value>,
}

impl<'a> View<'a> {
    /// The whole schema.
    pub fn new(root: &'a Value) -> Self {
        Self { root, parts: vec![root] }
    }
}

/// What is known of a value.
#[derive(Clone, Debug)]
pub(crate) enum Type<'a> {
    /// Nothing is known.
    Unknown,
    /// It has this schema.
    Schema(View<'a>),
    /// It is a list of such.
    List(Box<Type<'a>>),
    /// It is one of these.
    Either(Vec<Type<'a>>),
}

impl<'a> Type<'a> {
    /// The type that a schema describes.
    pub(crate) fn of_schema(root: &'a Value) -> Self {
        Self::Schema(View::new(root))
    }

    /// A list of such.
    pub(crate) fn list(self) -> Self {
        Self::List(Box::new(self))
    }
}
