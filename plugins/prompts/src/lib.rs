//! This plugin puts any prompt before a language model, for each item of a run. It talks to no server; the host calls the model.
//!
//! The one analyzer [`Prompt`] (`prompt`) fills templates with the fields of its input, asks the model, and answers with its
//! text, or with the JSON value that a schema describes, which is then the type of the stage's answer.
//!
//! | module | what for |
//! | --- | --- |
//! | `prompt` | the analyzer |
//! | `settings` | the parts of its configuration |
//! | `conversation` | the messages, as templates, and as what a model is asked |
//! | `shots` | examples of an input and its answer |
//! | `limits` | a text cut where a sentence ends |
//! | `answer` | the answer, and its type |
#![forbid(unsafe_code)]

mod answer;
mod conversation;
mod limits;
mod prompt;
mod settings;
mod shots;

use jackfield_plugin_api::prelude::*;

pub use answer::Answer;
pub use prompt::{Prompt, Variables};
pub use settings::{AnswerSchema, PromptMessage, Shots, Tokenizer};

export_plugin!(Prompt);
