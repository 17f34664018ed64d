//! Directions as a caller gets them: one file per concern.

mod bits;
mod degenerate;
mod extension;
mod faults;
mod invariance;
mod probe;
mod reference;
mod support;
