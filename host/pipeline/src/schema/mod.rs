//! What is known of a value before anything runs: JSON Schemas, the way into them, and whether one fits another.
//!
//! Everything here errs towards letting a pipeline run: a keyword that is not understood is taken to allow more than it
//! does, and what is only *perhaps* wrong is left to the check at run time.

mod describe;
mod expand;
mod fit;
mod from_config;
mod infer;
mod read;
mod view;
mod violation;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use describe::first_sentence;
pub(crate) use expand::resolve;
pub use expand::{Alternative, JsonType, alternatives};
pub(crate) use fit::{Fit, MismatchReason, TypeMismatch};
pub(crate) use from_config::{any_of, marks, names_unread_file, schema_at, text_file, wire_schema};
pub use from_config::{output_schema, output_schema_of_any};
pub(crate) use infer::infer;
pub(crate) use read::Reads;
pub(crate) use view::Type;
pub use view::View;
pub use violation::schema_violation;
pub(crate) use walk::{PathError, PathErrorReason};

/// What marks a list in the input of an extension whose elements come with the ids of their items.
pub(crate) const X_WITH_ITEM: &str = "x-with-item";

/// Stands at a field of an input that is not required, and is needed all the same of a stage that may be off.
pub(crate) const X_NEVER_OFF: &str = "x-never-off";
