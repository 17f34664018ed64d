//! The diagnostics of a pipeline: spans in its texts, what is wrong there, and how that is shown without secrets.

mod collection;
mod diagnostic;
mod masking;
mod render;
mod source;
pub(crate) mod suggest;

pub(crate) use collection::SHOWN;
pub use collection::{DiagnosticRecord, Diagnostics};
pub use diagnostic::Diagnostic;
pub use render::Style;
pub use source::{SourceId, SourceText, Sources, Span, Spanned};
pub use suggest::hint_for;
