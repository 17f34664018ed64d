//! RECORD -> PAGE: one HTML file that says all about a run, and needs nothing else to be read.
//!
//! - `gather`, `calls`, `flow`, `spend`, `failures`, `learned`: the record, read once from its beginning to its end, becomes
//!   facts in flat memory: counts, histograms, bins, the most frequent of a kind.
//! - `trials`: what a search tried. `steering`: what was found of directions in a model, and what edits along them did.
//! - `looks`, `drawn_items`: what of inputs and results is to be looked at, as their schemas mark it.
//! - `beta`, `pareto_front`, `hypervolume`, `principal`: statistics.
//! - `page`: a file a section. `html`: text comes in escaped, or not at all.
//!
//! The page is a function of the record, and of the input where it is drawn: the same record gives the same bytes. Its size is bounded whatever the run:
//! drawings are aggregated by bins, lists end with how many more there are, and texts are cut.

mod aggregate;
mod beta;
mod calls;
mod drawn_items;
mod failures;
mod flow;
mod html;
mod hypervolume;
mod learned;
pub mod looks;
mod page;
mod pareto_front;
mod principal;
mod spend;
mod steering;
mod text;
mod times;
mod trials;
mod units;

pub use drawn_items::Inputs;
pub use page::page;
pub use trials::{Trial, TrialState, Trials};
pub use units::{counted, ms, significant_digits};
