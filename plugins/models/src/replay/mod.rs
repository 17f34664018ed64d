//! The model `replay`: answers of a file.
//!
//! The host writes such a file while it runs another model, with [`line()`]; this model reads it.

mod config;
mod format;
mod nearest;

pub use config::Replay;
pub use format::{canonical, line};
