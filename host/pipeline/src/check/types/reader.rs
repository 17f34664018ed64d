//! The part of a stage's input that reads a wire.

use crate::diagnostics::Span;

/// Whose input is being checked, and where in it.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) stage: usize,
    /// The span of the key `in`.
    pub(crate) key: Span,
    /// The field, with a dot before each name.
    pub(crate) field: String,
    /// Whether the extension can do without it.
    pub(crate) is_optional: bool,
    /// Whether it is an element of a list.
    pub(crate) in_list: bool,
}

impl Reader {
    pub(crate) fn name(&self) -> String {
        self.field.trim_start_matches('.').to_owned()
    }
}
