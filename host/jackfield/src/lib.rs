//! Jackfield, a host runtime: plugins patched into a declarative stage graph, run over many items.

#[cfg(feature = "bundled")]
mod bundled;

#[cfg(feature = "bundled")]
pub use bundled::bundled;
#[cfg(feature = "transformer")]
pub use bundled::{MODEL_CHECKSUMS, model_checksums};
