//! Jackfield, a host runtime: plugins (analyzers, models, caches, routing policies, direction extractors) patched into a
//! declarative graph of stages, checked before it runs, and run over many items. This crate is what a program embeds; it is
//! the one public promise of the project, and the other crates of the host are internal.
//!
//! ```no_run
//! use jackfield::{Pipeline, RunOptions};
//!
//! fn main() -> Result<(), jackfield::Error> {
//!     let pipeline = Pipeline::load("pipeline.toml")?;
//!     let run = pipeline.run(RunOptions::in_folder("runs"))?;
//!     for item in run.results()? {
//!         let item = item?;
//!         println!("{}: {:?}", item.id, item.outputs["brief"]);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! - [`Pipeline::load`] parses a pipeline file, admits its plugins (lockfile, trust, grants), and checks all of it. What is
//!   wrong is one [`Error`], which prints as the program `jackfield` does.
//! - [`Pipeline::run`] runs it over its own input, [`Pipeline::run_items`] over items of the caller's; with a record in a folder
//!   ([`RunOptions::in_folder`]), which can be resumed, or in memory ([`RunOptions::in_memory`]).
//! - [`Pipeline::start`] gives a [`RunningRun`]: events that carry what came of each item, cancellation, and waiting, for blocking
//!   and for async code. The run has a thread of its own.
//! - Extensions that are linked into the program, its own included, are there without being named by the pipeline.
//!
//! The feature `bundled` (on by default) links the plugins that come along, `transformer` the model that runs in the process.
//!
//! Invariant: nothing here knows a terminal, and nothing here names a concrete plugin but the list of bundled ones.
//!
//! See docs/architecture.md in the repository.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod admission;
mod begin;
#[cfg(feature = "bundled")]
mod bundled;
mod collector;
mod compile;
mod error;
mod events;
mod inputs;
mod items;
mod keep_runs;
mod lockfile;
mod on_thread;
mod options;
mod parts;
mod pipeline;
mod results;
mod resume;
mod run;
mod value_changes;

#[cfg(feature = "bundled")]
pub use bundled::bundled;
#[cfg(feature = "transformer")]
#[doc(hidden)]
pub use bundled::{MODEL_CHECKSUMS, model_checksums};
pub use compile::MissingGrant;
pub use error::Error;
pub use events::RunEvent;
pub use items::Item;
pub use jackfield_engine::Cancel;
pub use jackfield_store::{ItemCounts, ItemState, LastSession, ModelCount, RunState, SessionPart, StageStats, Summary};
pub use options::{LoadOptions, RunOptions};
pub use pipeline::Pipeline;
pub use results::{ItemResult, Results, StageFailure};
pub use run::{Run, RunningRun};

/// What the program `jackfield` shares with this library. No part of the promise: it may change in any version.
#[doc(hidden)]
pub mod internal {
    #[cfg(feature = "bundled")]
    pub use crate::bundled::{CachePruneRule, prune_cache_file};
    pub use crate::{
        admission::load_plugins,
        begin::{BegunRun, RunPlace, begin_run},
        compile::{Compiled, Opened, compile, pipeline_file},
        inputs::{
            BundledInputs, RunInputs, expand_folders, is_standard_input, keep_standard_input, read_standard_input,
        },
        keep_runs::remove_old_runs,
        lockfile::{Accept, claim, indented, lock_path, read_lock, shell_word},
        options::InputLook,
        resume::what_differs,
    };
}
