//! This plugin runs lenses: analyses by a language model, each of them written as a file. It adds no analysis of its own and
//! talks to no server; the host calls the model.
//!
//! A lens is a Markdown file that says what a model is to look for and holds the JSON Schema of the answer. The one analyzer
//! [`Lens`] (`lens`) runs any of them: over a transcript, whole however long it is, or over the findings of other stages,
//! within a budget of tokens. What a model quotes is looked up in the transcript; a quote that is not there is flagged.
//!
//! | module | what for |
//! | --- | --- |
//! | `prompt` | a lens file: title, instructions, schema |
//! | `parts` | a transcript as parts that fit a call |
//! | `findings_text` | findings of other stages, as many as the budget has room for |
//! | `request` | what a model is asked |
//! | `merge` | the answers on several parts as one |
//! | `quotes` | whether a quote was said |
//! | `excerpt` | a slice of the transcript beside findings |
//! | `findings`, `kind` | an answer as findings |
#![forbid(unsafe_code)]

mod excerpt;
mod findings;
mod findings_text;
mod kind;
mod lens;
mod merge;
mod parts;
mod prompt;
mod quotes;
mod request;
mod schema_check;
#[cfg(test)]
mod testing;

use jackfield_plugin_api::prelude::*;

pub use excerpt::ExcerptOf;
pub use findings::{LensFinding, LensFindingSet};
pub use lens::{Lens, LensInput, LensOutput};
pub use prompt::Prompt;

export_plugin!(Lens);
