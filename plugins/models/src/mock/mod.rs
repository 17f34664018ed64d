//! The model `mock`: answers without a model, from a seed.

mod belief;
mod bounds;
mod config;
mod generate;
#[cfg(test)]
mod generate_tests;
mod insight;
#[cfg(test)]
mod insight_tests;
mod network;
mod prompt;
mod resolve;
mod script;
mod tokenizer;

pub use config::Mock;
