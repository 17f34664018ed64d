//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows a plan, its plugins and its items to results: it decides when each call of a stage is made, and never what a
//! call does. It is a crate of its own so that neither a terminal nor a server stands between a plan and its results.
//! See docs/architecture.md in the repository.
//!
//! One thread, the [scheduler](scheduler), owns all that is known of the items in flight and never waits for a plugin. It
//! gathers ready calls of a stage, from whatever items, into batches and hands them to a [pool](pool) of workers; their
//! answers come back over a channel, end stages, and make further calls ready. A [session](session) admits items to it and
//! records those that are done. A thread of its own reads [items](source), another writes [records](jackfield_store).
//!
//! Invariant: results do not depend on concurrency, and nothing here knows a terminal.

mod batch;
mod batch_control;
mod call_host;
mod cancel;
mod columns;
mod difference;
mod document_list;
mod error;
mod exchanges;
mod export;
mod export_error;
mod index;
mod input;
mod item;
mod item_files;
mod memo;
mod merged;
mod observe;
mod open;
mod plugin_warnings;
mod policies;
mod pool;
mod predecessors;
mod read_again;
mod router;
mod run;
mod run_record;
mod run_threads;
mod saved_state;
mod scheduler;
mod search;
mod seed;
mod session;
mod source;
mod stage_runtime;
mod stage_runtime_factory;
mod tensor_shapes;
mod top_level;
mod trial_limits;
mod whole_run;

pub use cancel::Cancel;
pub use difference::{Difference, is_part, is_same};
pub use error::{EngineError, ItemFault};
pub use export::{Export, export_inputs, recorded_inputs};
pub use export_error::ExportError;
pub use input::{field_of, value_at};
pub use memo::common_parts;
pub use observe::{Event, Observer, Silent};
pub use open::{OpenFault, StageInstances, open_stages};
pub use read_again::{InputAgain, read_again};
pub use run::{Engine, Options, RunOutcome, Tap, Watchers, look_for_input};
pub use saved_state::look_at_kept;
pub use source::{
    FirstItems, InputReader, ItemIds, ItemSender, ItemSource, ReadItem, ReceiverGone, Sample, composed, read_all,
    read_first, sample,
};
pub use top_level::Top;
