//! The search of a run: a policy picks the values of its trials, and what came of them is kept from run to run.

mod open;
mod study_file;

pub use open::Search;
pub(super) use open::open_search;
pub use study_file::{StudyError, StudyFile, StudyStart};
