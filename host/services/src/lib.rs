//! Internal to Jackfield: use the crate `jackfield`.
//!
//! Opens the models, caches, routes and the search of a plan, and makes every call that stages ask of them, so that caching,
//! limits, budgets, retries and counts are right in one place and plugins need none of it. What a plugin asks of the outside
//! world goes in as a value and comes back as a value or a failure; how it was answered is in the record of the completion.
//!
//! Code map:
//!
//! - `open`: from a plan to its [`Services`].
//! - `model`: named models, a layer a file (its module page lists them).
//! - `cache`, `tier`, `circuit_breaker`, `cache_value`, `cached_tensors`: named caches, their tiers, and what is stored in them.
//! - `route`, `search`: the policies of routes and of the search, and the files that keep what they learn (`sealed_file`).
//! - `http`, `plugin_host`, `secrets`, `native_threads`: what a service's plugin may use, and what is kept from it.
//! - `forecast`: what a run would ask of its models, counted without asking them.
//! - `recording`: calls of stages in files, and their replay.
//! - `tensor_scopes`: which tensors a call may open and name.
//! - `backoff`: delays between tries, and `times`: how long operations took, which the engine uses as well.
//!
//! Invariant: every call to the outside passes here; it is cached, limited, budgeted and counted.
//!
//! The whole is described in `docs/architecture.md`.

mod backoff;
mod cache;
mod cache_value;
mod cached_tensors;
mod circuit_breaker;
mod forecast;
mod http;
mod model;
mod native_threads;
mod open;
mod plugin_host;
mod plugin_log;
mod recording;
mod route;
mod sealed_file;
mod search;
mod secrets;
mod tensor_scopes;
mod tier;
mod times;

pub use backoff::jittered_backoff;
pub use cache::Cache;
pub use cached_tensors::{keep_tensors, restore_tensors};
pub use forecast::{ForecastCounts, ForecastNotes, ForecastPlace, Forecaster, MOST_OF_AN_ANSWER, open_forecast};
pub use http::Http;
pub use model::{
    Caller, Exhausted, ExhaustedResource, HeldCompletion, Model, ModelParts, PendingCompletion, PendingCompletions,
    RunBudget, abilities,
};
pub use open::{ServiceFault, Services, open_cache, open_services};
pub use plugin_log::log_plugin_line;
pub use recording::{
    CallRecorder, Divergence, RecordedAnswer, RecordedCall, RecordedDocument, RecordedHostCall, RecordedRequest,
    Replayer, StageRecorder,
};
pub use route::{PolicyStateError, PolicyStateFile, Route, SavedPolicyState};
pub use search::{Search, StudyError, StudyFile, StudyStart};
pub use secrets::Secrets;
pub use tensor_scopes::TensorScopes;
pub use tier::TierParts;
pub use times::Times;
