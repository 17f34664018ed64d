//! The model `openai`: servers that speak OpenAI's chat completions.

mod answer;
mod body;
mod config;
#[cfg(test)]
mod server_tests;
mod stream;

pub use config::{OpenAi, SchemaMode};
