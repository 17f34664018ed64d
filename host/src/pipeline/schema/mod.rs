//! What is known of a value before anything runs: JSON Schemas, the way into them, and whether one fits another.
//!
//! Everything here errs towards letting a pipeline run: a keyword that is not understood is taken to allow more than it
//! does, and what is only *perhaps* wrong is left to the check at run time.

mod describe;
mod expand;
mod fit;
mod infer;
mod read;
mod views;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use expand::{Alternative, Ty, alternatives};
pub(super) use fit::{Clash, Fit, Reason};
pub(super) use infer::infer;
pub(super) use read::Reads;
pub use views::{ViewKind, ViewMarks};
pub(super) use walk::{Astray, Stray};

use serde_json::Value;

/// A place in a schema: all of these parts hold for a value there.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// The document that references are resolved in.
    root: &'a Value,
    parts: Vec<&'a Value>,
}

impl<'a> View<'a> {
    /// The whole schema.
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root, parts: vec![root] }
    }
}

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) enum Type<'a> {
    /// Nothing.
    Unknown,
    /// It has this schema.
    Schema(View<'a>),
    /// It is a list of such.
    List(Box<Type<'a>>),
    /// It is one of these.
    Either(Vec<Type<'a>>),
}

impl<'a> Type<'a> {
    /// What a schema says.
    pub(super) fn of(root: &'a Value) -> Self {
        Self::Schema(View::new(root))
    }

    /// A list of such.
    pub(super) fn list(self) -> Self {
        Self::List(Box::new(self))
    }
}
