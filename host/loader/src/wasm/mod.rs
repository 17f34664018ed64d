//! WebAssembly components: everything denied until granted, every resource bounded.
//!
//! A batch, or an operation of a cache backend, gets an instance of its own, which is made from a pool of prepared memories
//! and dropped afterwards. So nothing that one item leaves behind can reach another, and an instance that trapped is never
//! used again.
//!
//! - `load`, `compile`, `engine`, `proposals`, `probe`: from the bytes of a component to code that can run, or to what it lacks.
//! - `instance`, `cache`, `exports`, `health`: calls to an extension.
//! - `state`, `bridge`, `host_interfaces`, `tensors`: what an instance can reach of the host.
//! - `meter`, `world`, `clocks_and_chance`, `output`, `scratch`: CPU time, WASI and scratch folders.
//! - `v0_1`, `convert`: the contract, and its values as those of the host.

mod bridge;
mod cache;
mod clocks_and_chance;
mod compile;
mod convert;
mod engine;
mod exports;
mod health;
mod host_interfaces;
mod imports;
mod instance;
mod load;
mod meter;
mod output;
mod probe;
mod proposals;
mod scratch;
mod state;
mod tensors;
mod v0_1;
mod world;

pub use compile::{CompiledComponents, announce_compiling, compiled};
pub use imports::imports;
pub(super) use load::load;
pub use probe::probe;
