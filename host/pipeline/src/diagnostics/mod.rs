//! Places in the texts of a pipeline, what is wrong there, and how that is shown without secrets.

mod fault;
mod faults;
mod masking;
mod render;
mod source;
pub(crate) mod suggest;

pub use fault::Fault;
pub(crate) use faults::SHOWN;
pub use faults::{FaultRecord, Faults};
pub use render::Style;
pub use source::{Source as SourceText, SourceId, Sources, Span, Spanned};
pub use suggest::hint_for;
