//! What is remembered: one folder a run, with a SQLite file that holds everything and plain files made from it.
//!
//! ```text
//! runs/transcripts-20260131-142501-3f9a/
//!   run.json        what ran: pipeline, plugins, state, counts and times
//!   results.jsonl   a line an item, in order
//!   events.jsonl    what happened, in order
//!   items/<item>/   a file a stage, and those that the pipeline names
//!   <name>          an object of what all items gave, by a name of the pipeline's
//!   run/            a file for each stage that runs once a run
//!   spend.jsonl     a line an item: what it spent
//!   blobs/          tensors that results name, each called as the SHA-256 of its bytes
//!   store.sqlite    items, results, completions and events as they happen
//! ```
//!
//! What stands in them has a version and checksums: what a later program wrote is refused, what is damaged is reported, and
//! made again when the run goes on (`check.rs`). No symbolic link in the folder is followed (`plain.rs`).
//!
//! A result is on the record once its transaction is committed (write-ahead log, so a killed process loses nothing
//! committed); the plain files are made from it and appear whole or not at all.

mod atomic;
mod blobs;
mod check;
mod checksum;
pub(crate) mod clock;
mod completion;
mod db;
mod error;
mod export;
mod file_name;
mod folder;
mod ledger;
mod plain;
mod queries;
mod read;
mod record;
mod references;
mod routes;
mod rows;
mod sessions;
mod spend;
mod states;
mod summary;
mod tables;
mod tensors;
mod trials;
pub mod waits;
mod writer;
mod writes;

pub use atomic::write_whole;
pub use blobs::{BlobError, BlobWriter, Blobs, Elements, HeldTensors, blob_totals, digest_of, in_pieces};
pub use checksum::checksum;
pub use checksum::{is_whole, sealed_json};
pub use clock::timestamp;
pub use completion::sum;
pub use completion::{AnswerSource, CompletionRecord};
pub use db::{Db, STORE};
pub use error::StoreError;
pub use export::{Member, export_object};
pub use export::{export_events, export_results, export_run_stages, export_spend, item_json, result_json};
pub use file_name::{FileNames, file_name_of};
pub use folder::{FolderGuard, PluginJson, Recorded, RunFolder, RunJson, list_runs, peek, read_record};
pub use ledger::{Ledger, RecordUnwritable};
pub use queries::{CallEnd, CallRow, CompletionRow, FailureRow};
pub use record::{
    Answer, CacheLookups, CallRecord, CompletionEntry, ItemDone, ItemFiles, MemoNote, NewItem, Record, files_are_whole,
};
pub use references::{BlobKey, NamedTensor, may_name_tensors, named_tensors};
pub use routes::RouteRecord;
pub use rows::{ItemRow, ResultRow, SessionRow, StageCounts};
pub use spend::Spend;
pub use states::{ItemState, RunState};
pub use summary::{ItemCounts, ModelCount, RouteCount, SearchCount, StageStats, Summary, TierCount};
pub use tensors::{decode as decode_tensors, encode as encode_tensors};
pub use trials::{SearchNote, TrialRecord};
pub use writer::{UnwrittenItems, Writer, WriterSession};
