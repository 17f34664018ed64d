//! A run, watched by machines.

mod meters;
mod observers;
mod trace;

pub(super) use observers::{Both, Watch, WatchArgs};
