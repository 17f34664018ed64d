//! A named model: everything around a call.
//!
//! A request goes through key, cache, single flight, budget, rate, concurrency, try and retry, schema, and back.

mod budget;
mod complete;
mod flight;
mod hold;
mod key;
mod limit;
mod note;
mod rate;
mod recording;
mod secrets;
mod sending;
mod tokens;

pub use complete::Model;
pub use note::{CallNote, ModelCount, Source};
pub use sending::{Asked, Caller, Sending};
