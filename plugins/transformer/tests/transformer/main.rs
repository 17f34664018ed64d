//! Models run as the reference says, with the same bits however they are run, and files that are wrong are refused.

mod bits;
mod exported;
mod files;
mod golden;
#[cfg(target_os = "linux")]
mod load_memory;
#[cfg(target_os = "linux")]
mod memory;
mod replies;
mod support;
mod texts;
mod vocabularies;
