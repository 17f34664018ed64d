//! Routes: what picks the arm that a stage runs with.

mod document;
mod kept;
mod open;

pub(super) use document::by_document;
pub use kept::{Kept, KeptError, Learned};
pub use open::Route;
pub(super) use open::open_routes;
