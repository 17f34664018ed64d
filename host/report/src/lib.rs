//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows the record of a run, which may be of any size, to one HTML page of bounded size that needs nothing else to
//! be read. Whoever opens that page gets the texts of inputs, models and plugins, and so nothing of them may act as markup.
//!
//! - [`page()`] reads a record and writes its page. `aggregate` reads the record once from its beginning to its end; `calls`,
//!   `times`, `flow`, `spend`, `failures` and `learned` keep counts, bins and the most frequent of a kind.
//! - [`Trials`] are those of a search; `pareto_front` and `hypervolume` compare them.
//! - `steering` finds directions in a model and edits along them.
//! - [`looks`] finds the parts of a value that its schema marks to be drawn, `drawn_items` the items that are drawn.
//! - `beta` and `principal` are statistics. `units` and `text` put numbers into words and cut texts.
//! - [`answers_page()`] writes the page of all items with what each stage answered, see `answers`.
//! - `page` has a module for each section; `html` is how they write.
//!
//! The page is a function of the record, and of the inputs that are drawn: the same record gives the same bytes. Drawings are
//! aggregated by bins, lists end with how many entries are left out, and texts are cut.
//!
//! Invariant: text that is not ours is escaped by construction. See `html`.
//!
//! See docs/architecture.md in the repository.

mod aggregate;
mod answers;
mod beta;
mod calls;
mod drawn_items;
mod failures;
mod flat_value;
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

pub use answers::{OtherRun, ReadInput, answers_page};
pub use drawn_items::Inputs;
pub use flat_value::{FlatValue, flat_value};
pub use page::page;
pub use trials::{Trial, TrialState, Trials};
pub use units::{counted, ms, significant_digits};
