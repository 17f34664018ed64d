//! What the searches do, through the contract: one file per concern.

mod offers;
mod problems;
mod quality;
mod spaces;
mod stopping;
