//! Whole-system tests: one module per behaviour, all against the real program or the public library.
#![allow(unreachable_pub, clippy::allow_attributes, reason = "modules of one program")]

mod bad_plugins;
mod caches;
mod claims;
mod conformance;
mod docs;
mod doctor;
mod documented_commands;
mod fuzz;
mod grants;
mod interruption;
mod lenses;
mod lockfile;
mod meetings;
mod memo;
mod model_faults;
mod model_server;
mod models;
mod odd_inputs;
mod pipeline_tests;
mod plugins_new;
mod protocol;
mod red_team;
mod replay;
mod report;
mod routing;
mod scheduling;
mod store;
mod support;
mod telemetry;
mod traps;
mod watch;
