//! The extensions: `transformer`, a model that runs in the process, and `edited-weights`, which writes one.
//!
//! | file | what it does |
//! | --- | --- |
//! | `config` | what it is told, and a call from begin to end |
//! | `prompt` | conversations to tokens |
//! | `job`, `answer` | requests to what the worker does, and what the worker found to answers |
//! | `engine` | loaded models, which all who are configured alike share |
//! | `edited_weights` | edits to a model of its own |
//! | `worker`, `active`, `prepared`, `beginnings` | one thread a loaded model: takes requests that wait, and computes them side by side |

mod active;
mod answer;
mod beginnings;
mod config;
mod edited_weights;
mod engine;
mod job;
mod prepared;
mod prompt;
#[cfg(test)]
mod tests;
mod worker;

use jackfield_plugin_api::export_plugin;

pub use config::{KernelChoice, TransformerModel};
pub use edited_weights::{EditedWeights, EditsToWrite, WrittenModel};

export_plugin!(EditedWeights);
export_plugin!(models: TransformerModel);
