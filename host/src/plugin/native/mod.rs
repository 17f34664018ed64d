//! Native libraries: read first, then loaded, then checked, never unloaded.

mod load;
mod preflight;

pub(super) use load::load;
