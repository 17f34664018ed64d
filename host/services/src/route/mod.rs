//! Routes: a policy picks the arm that a stage runs with, and what it learns is kept from run to run.

mod by_documents;
mod open;
mod state_file;

pub(super) use by_documents::by_document;
pub use open::Route;
pub(super) use open::open_routes;
pub use state_file::{PolicyStateError, PolicyStateFile, SavedPolicyState};
