//! Analyzers of Jackfield for solver programs of grid tasks: they read, run, score, simplify, validate and vary programs. They write
//! no programs from nothing, and they never run Python.
//!
//! A program is a text, one call of a primitive a line, in the public language of 160 primitives for ARC tasks:
//!
//! ```text
//! def solve_67a3c6ac(I):
//!     x1 = rot270(I)
//!     O = dmirror(x1)
//!     return O
//! ```
//!
//! [`program`] reads a program, and [`evaluate`] runs it within [`machine::Limits`].
#![forbid(unsafe_code)]

mod analyzers;
pub mod evaluate;
pub mod fault;
pub mod machine;
pub mod order;
pub mod primitives;
pub mod program;
pub mod record;
pub mod records;
mod sets;
pub mod task;
#[cfg(test)]
mod testing;
pub mod value;

pub use analyzers::{
    GridCandidates, GridCanonical, GridEvolve, GridGeneralise, GridKeep, GridScore, GridSubmission, GridValidate,
    LimitTable, SetOrder,
};

/// Version of the language: what a program gives may differ between two versions, so that caches keep them apart.
pub const LANGUAGE: &str = "grids/1";

jackfield_plugin_api::export_plugin!(
    GridCandidates,
    GridScore,
    GridCanonical,
    GridValidate,
    GridKeep,
    GridEvolve,
    GridGeneralise,
    GridSubmission
);
