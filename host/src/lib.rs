//! Jackfield, a host runtime: plugins patched into a declarative stage graph, run over many items.
//!
//! The house, from the ground up; arrows only go down:
//!
//! - [`plugin`]: a file becomes a plugin (linked in, native library, WebAssembly component).
//! - [`pipeline`]: a TOML text becomes a frozen [`Plan`](pipeline::Plan), checked before anything runs.
//! - [`service`]: what stages share: models and caches.
//! - [`store`]: what is remembered of a run.
//! - [`engine`]: a plan and items become results.
//! - [`report`]: what is remembered of a run becomes a page.
//! - [`conformance`]: a plugin is held to the contract.
//! - [`cli`]: the `jackfield` program.

// What is written passes `telemetry::output` and `telemetry::terminal`: they escape what is not ours, and never panic.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod conformance;
pub mod engine;
pub mod pipeline;
pub mod plugin;
pub mod report;
pub mod service;
pub mod store;
pub mod telemetry;
