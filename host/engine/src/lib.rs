//! PLAN x ITEMS -> RESULTS.
//!
//! One thread, the [scheduler](scheduler), owns all that is known of the items in work and never waits for a plugin. It
//! gathers ready calls of a stage, from whatever items, into batches and hands them to a [pool](pool) of workers; their
//! answers come back over a channel, fill slots, and make further calls ready. A thread of its own reads
//! [items](source), another writes [records](jackfield_store).

mod batch;
mod call_host;
mod call_times;
mod cancel;
mod difference;
mod error;
mod export;
mod input;
mod item;
mod item_digest;
mod item_files;
mod memo;
mod merged;
mod observe;
mod open;
mod pool;
mod read_again;
mod router;
mod run;
mod scheduler;
mod search;
mod seed;
mod session;
mod source;
mod station;
mod stations;
mod tensor_shapes;
mod top_level;
mod trials;
mod waits;

pub use cancel::Cancel;
pub use difference::{Difference, is_part, is_same};
pub use error::{EngineError, ItemFault};
pub use export::{Export, ExportError, export_inputs};
pub use memo::common_parts;
pub use observe::{Event, Observer, Silent};
pub use open::{OpenFault, StageInstances, open_stages};
pub use read_again::read_again;
pub use run::{Engine, Options, Outcome, look_at_kept, look_for_input};
pub use source::expand_folders as matched_files;
