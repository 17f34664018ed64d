//! Searches of Jackfield: they suggest the values that the stages of a trial run with, and learn from the outcomes. They run no
//! trial and measure nothing: the host runs the trials, and the stages that the search names measure the objectives.
//!
//! | search | picks |
//! | --- | --- |
//! | `tpe` | what is likely among the best trials and unlikely among the others (tree-structured Parzen estimators), for one objective or several |
//! | `nsga2` | crossings and mutations of the best trials of earlier generations, for one objective or several |
//! | `random` | any values, uniformly |
//! | `grid` | every combination once, in order |
//!
//! Each can stop a trial before its end: see [`Pruning`]. Draws derive from the seed of the question alone, and are the same
//! on every platform: exponentials, logarithms and error functions are those of `libm`.
//!
//! A search learns from the trials that completed: their outcome has a finite value of every objective, and they were not
//! stopped. Trials that failed are left out; each search documents how it uses stopped ones.
#![forbid(unsafe_code)]

mod combinations;
mod examples;
mod grid;
mod history;
mod hypervolume;
mod mixture;
mod nsga2;
#[cfg(test)]
mod optuna_tests;
mod pareto_front;
mod pruning;
mod random;
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
