//! WebAssembly components: everything denied until granted, every resource bounded.
//!
//! A batch, or an operation of a cache backend, gets an instance of its own, made from a pool of prepared memories and dropped after it, so that nothing one
//! item leaves behind can reach another and a trapped instance is never seen again.

mod cache;
mod compile;
mod convert;
mod engine;
mod exports;
mod health;
mod imports;
mod instance;
mod load;
mod meter;
mod probe;
mod scratch;
mod state;
mod tensors;
mod v0_1;
mod world;

pub use compile::{Compiled, announce_compiling, compiled};
pub use imports::imports;
pub(super) use load::load;
pub use probe::probe;
