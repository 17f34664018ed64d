//! Named models, and everything that has to be right around a call of one.
//!
//! A completion passes through layers, each a file of its own and each around the next:
//!
//! 1. `named_model`: the request makes sense, and the model offers what it asks for;
//! 2. `cache_layer`: the model's cache has an answer already, or an equal request is under way (`single_flight`);
//! 3. `structured_output`: the answer fits its schema, or is asked for once more; what is answered is recorded (`recording`);
//! 4. `retry`: what failed for a while is tried again;
//! 5. `attempt`: one try, within the budget, the rates and the limit on concurrent calls, and what it cost;
//! 6. `extension`: the call of the extension itself, and the check of what it answered (`answer_check`).

mod answer_check;
mod attempt;
mod budget;
mod cache_layer;
mod concurrency;
mod counters;
mod current_run;
mod exhausted;
mod extension;
mod in_progress;
mod key;
mod named_model;
mod own_tokens;
mod pending;
mod recording;
mod request_check;
mod retry;
mod run_budget;
mod single_flight;
mod structured_output;
#[cfg(test)]
mod tests;
mod token_bucket;
mod token_counter;

pub use exhausted::{Exhausted, ExhaustedResource};
pub use in_progress::{Caller, HeldCompletion};
pub use named_model::{Model, ModelParts};
pub use pending::{PendingCompletion, PendingCompletions};
pub use request_check::abilities;
pub use run_budget::RunBudget;
