//! What is remembered: one folder a run, with a SQLite file that holds everything and plain files made from it.
//!
//! ```text
//! runs/transcripts-20260131-142501-3f9a/
//!   run.json        what ran: pipeline, plugins, state, counts and times
//!   results.jsonl   a line an item, in order
//!   events.jsonl    what happened, in order
//!   items/<item>/   a file a stage, and those that the pipeline names
//!   run/            a file for each stage that runs once a run
//!   store.sqlite    items, results and events as they happen
//! ```
//!
//! A result is on the record once its transaction is committed (write-ahead log, so a killed process loses nothing
//! committed); the plain files are made from it and appear whole or not at all.

mod atomic;
pub(crate) mod clock;
mod db;
mod error;
mod export;
mod file_name;
mod folder;
mod record;
mod routes;
mod survey;
mod tensors;
mod writer;

pub use atomic::write_whole;
pub use db::{Db, ItemRow, ResultRow, SessionRow, StageCounts};
pub use error::StoreError;
pub use export::{export_events, export_results, export_run_stages};
pub(crate) use file_name::{FileNames, file_name_of};
pub use folder::{PluginJson, RunFolder, RunJson, list_runs, peek};
pub use record::{Answer, CallRecord, ItemDone, ItemFiles, NewItem, Record, StageRecord};
pub use routes::RouteRecord;
pub use survey::{CallEnd, CallRow, CompletionRow, FailureRow};
pub(crate) use tensors::{decode as decode_tensors, encode as encode_tensors};
pub use writer::{Unwritten, Writer};
