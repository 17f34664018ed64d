//! Solver programs over grid tasks: run them, score them, reduce them to what they say, validate them, evolve them.
#![forbid(unsafe_code)]

pub mod fault;
pub mod machine;
pub mod order;
pub mod primitives;
pub mod program;
pub mod records;
mod sets;
pub mod value;
