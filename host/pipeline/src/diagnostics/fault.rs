//! One thing that is wrong with a pipeline.

use super::source::Span;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable name in kebab-case, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, as a fragment in lower case.
    pub message: String,
    /// Where; none if it is about no place in any text.
    pub place: Option<Span>,
    /// What stands under the place; may be empty.
    pub label: String,
    /// Further places that belong to it, and what stands under each.
    pub related: Vec<(Span, String)>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a place.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, place: None, label: String::new(), related: Vec::new(), notes: Vec::new(), hint: None }
    }

    /// A fault at a place.
    #[must_use]
    pub fn at(code: &'static str, place: Span, message: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::new(code, message) }
    }

    /// Writes this under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Shows another place too.
    #[must_use]
    pub fn related(mut self, place: Span, label: impl Into<String>) -> Self {
        self.related.push((place, label.into()));
        self
    }

    /// Adds what else is worth knowing.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do about it, if that is known.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}
