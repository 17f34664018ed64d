//! The keys of a pipeline file: which keys a table may have, and what their values may be. Checking, lowering and the JSON Schema all read these tables, so that
//! they cannot drift apart. A new table of the language starts here.

mod condition;
mod editor_schema;
mod file;
mod input;
mod json_schema;
mod limits;
mod output;
mod parameters;
mod plugin;
mod route;
mod search;
mod service;
mod spec;
mod stage;
mod test;
mod trust;

pub use editor_schema::editor_schema;
pub(crate) use file::FILE;
pub use json_schema::json_schema;
pub(crate) use limits::{LIMITS, LIMITS_TIER};
pub(crate) use route::ROUTE;
pub(crate) use search::{DIMENSION, SEARCH, STOP};
pub(crate) use service::{BUDGET, CACHE, CONCURRENCY, MODEL, PRICE, RATE, RETRY_MODEL, TIER};
pub(crate) use spec::{COUNT, KeySpec, Names, Need, RESERVED_STAGES, Shape, Table, is_reserved_stage};
pub(crate) use stage::RETRY;
pub(crate) use trust::{REQUIRED, TRUST, WHEN_PRESENT};
