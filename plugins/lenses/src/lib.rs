//! Jackfield plugin: lenses, analyses by a model, each of them a file.
//!
//! A lens is a Markdown file that tells a model what to look for and holds the JSON Schema of the answer. The one analyzer
//! [`Lens`] (`lens`) runs any of them: over a transcript, whole however long it is, or over the findings of other stages,
//! within a budget of tokens. What a model quotes is looked up in the transcript; a quote that is not there is flagged.
//!
//! | module | what for |
//! | --- | --- |
//! | `prompt` | a lens file: title, instructions, schema |
//! | `parts` | a transcript as parts that fit a call |
//! | `gathered` | findings of other stages, as many as the budget has room for |
//! | `question` | what a model is told |
//! | `merge` | the answers on several parts as one |
//! | `quote` | whether a quote was said |
//! | `findings` | an answer as findings |
#![forbid(unsafe_code)]

mod findings;
mod gathered;
mod lens;
mod merge;
mod parts;
mod prompt;
mod question;
mod quote;
#[cfg(test)]
mod testing;

use jackfield_plugin_api::prelude::*;

pub use findings::{LensFinding, LensFindingSet};
pub use lens::{Lens, LensInput, LensOutput};
pub use prompt::Prompt;

export_plugin!(Lens);
