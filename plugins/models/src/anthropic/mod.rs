//! The model `anthropic`: Anthropic's Messages API.

mod answer;
mod body;
mod config;
#[cfg(test)]
mod server_tests;
mod stream;
mod tool;

pub use config::Anthropic;
