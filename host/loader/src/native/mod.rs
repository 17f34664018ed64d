//! Native libraries. They run with the full rights of the host, so everything that can be checked is checked while a library
//! is still only bytes; it is loaded from a private copy of exactly those bytes, and never unloaded.
//!
//! - `preflight`, `dynamic`: reads the library without executing it.
//! - `dependencies`, `system`: the libraries that it needs.
//! - `image`, `load`: the private copy, and the dynamic loader.

mod dependencies;
mod dynamic;
mod image;
mod load;
mod preflight;
mod system;

pub use dependencies::Dependency;
pub(super) use dependencies::read_dependencies;
pub(super) use load::load;
