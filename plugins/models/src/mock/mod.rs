//! The model `mock`: answers without a model, from a seed.

mod belief;
mod bounds;
mod config;
mod generate;
#[cfg(test)]
mod generate_tests;
mod prompt;
mod resolve;

pub use config::Mock;
