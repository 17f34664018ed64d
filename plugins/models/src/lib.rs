//! This plugin calls language models: servers that speak OpenAI's or Anthropic's API, a model that makes up answers, and one
//! that repeats recorded answers. It makes one call and reports what came of it; it does not cache, limit, retry or repair.
//!
//! | model | asks |
//! | --- | --- |
//! | `openai` | any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Ollama, … |
//! | `openai-embeddings` | any server that speaks OpenAI's embeddings, for vectors |
//! | `anthropic` | Anthropic's Messages API |
//! | `mock` | nobody: answers are made of the prompt's own words and follow the schema, from a seed |
//! | `replay` | nobody: answers come from a file of recorded ones |
//!
//! Caches, limits, retries, budgets, timeouts and the repair of answers are the host's, and so are the connections: the models
//! ask by [`Host::fetch`](jackfield_plugin_api::Host::fetch). A configuration names the variable or the file that holds a key;
//! the host puts the key into its header, and nothing here ever sees it.
#![forbid(unsafe_code)]

pub mod anthropic;
pub mod embeddings;
mod http;
mod json;
pub mod mock;
pub mod openai;
mod parameter;
pub mod replay;
#[cfg(test)]
mod testing;

use jackfield_plugin_api::prelude::*;

pub use anthropic::Anthropic;
pub use embeddings::OpenAiEmbeddings;
pub use mock::Mock;
pub use openai::OpenAi;
pub use parameter::Parameter;
pub use replay::Replay;

export_plugin!(models: OpenAi, OpenAiEmbeddings, Anthropic, Mock, Replay);
