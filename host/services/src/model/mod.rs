//! A named model: everything around a call.
//!
//! A request goes through its own check, key, cache, single flight, budget, rate, concurrency, try and retry, the check of
//! the answer, schema, and back.

mod answer_check;
mod budget;
mod complete;
mod exhausted;
mod flight;
mod hold;
mod key;
mod limit;
mod note;
mod own_tokens;
mod rate;
mod recording;
mod request_check;
mod sending;
#[cfg(test)]
mod tests;
mod tokens;

pub use complete::Model;
pub use exhausted::{Exhausted, ExhaustedResource};
pub use request_check::abilities;
pub use sending::{Asked, Caller, Sending};
