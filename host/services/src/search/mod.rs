//! The search of a run: what picks the values of its trials.

mod open;
mod study;

pub use open::Search;
pub(super) use open::open_search;
pub use study::{KeptStudy, StudyError, StudyStart};
