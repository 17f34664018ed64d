//! This plugin reasons over the findings of other stages and writes the minutes of a meeting. It looks for nothing new in a
//! transcript but risks and agreements, and calls no language model.
//!
//! | analyzer | reads | answers |
//! | --- | --- | --- |
//! | `risks` | findings, and the transcript if there is one | what could go wrong, as findings of kind `risk` |
//! | `agreements` | findings, and the transcript if there is one | who sided with what |
//! | `brief` | findings, and topics, participation, agreements if there are any | minutes under a budget of tokens |
//! | `dashboard` | findings | actions, decisions and risks without duplicates, as lists, a page and a table |
//!
//! All four read `findings` as a list of answers of other stages. A stage that failed is simply not in the list: the rest
//! is worked on as if that stage did not exist.
#![forbid(unsafe_code)]

pub mod agreements;
pub mod brief;
mod concerns;
pub mod dashboard;
mod document;
mod lexicon;
mod markdown;
mod outline;
pub mod risks;
mod scene;
mod shared;
mod stance;
#[cfg(test)]
mod testing;

use jackfield_plugin_api::prelude::*;

pub use agreements::Agreements;
pub use brief::Brief;
pub use dashboard::Dashboard;
pub use risks::Risks;

export_plugin!(Risks, Agreements, Brief, Dashboard);
