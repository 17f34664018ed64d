//! Native libraries: read first, then loaded, then checked, never unloaded.

mod dependencies;
mod dynamic;
mod image;
mod load;
mod preflight;
mod system;

pub use dependencies::Dependency;
pub(super) use dependencies::beside;
pub(super) use load::load;
