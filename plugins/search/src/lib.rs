//! Searches: which values the stages of a trial run with, and what to learn from what came of them.
//!
//! | search | picks |
//! | --- | --- |
//! | `tpe` | what is likely among the best trials and unlikely among the others (tree-structured Parzen estimators), for one objective or several |
//! | `nsga2` | crossings and mutations of the best trials of earlier generations, for one objective or several |
//! | `random` | any values, evenly |
//! | `grid` | every combination once, in order |
//!
//! Each can stop a trial half-way: see [`Pruning`]. What is drawn derives from the seed of the question alone, and is the same
//! on every platform: exponentials, logarithms and error functions are those of `libm`.
//!
//! What counts for a search is the trials that completed: their outcome has a finite value of every objective, and they were not
//! stopped. Trials that failed are left out; what becomes of stopped ones stands with each search.
#![forbid(unsafe_code)]

mod examples;
#[cfg(test)]
mod golden;
mod grid;
mod history;
mod hypervolume;
mod mixture;
mod normal;
mod nsga2;
mod pruning;
mod random;
mod ranks;
mod space;
mod split;
mod tpe;

pub use grid::Grid;
pub use hypervolume::hypervolume;
pub use nsga2::Nsga2;
pub use pruning::Pruning;
pub use random::RandomSearch;
pub use tpe::Tpe;

jackfield_plugin_api::export_plugin!(searches: Tpe, Nsga2, RandomSearch, Grid);
