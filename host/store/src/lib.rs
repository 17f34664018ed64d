//! Internal to Jackfield: use the crate `jackfield`.
//!
//! This crate narrows what is remembered of a run to one folder with one SQLite file, so that a run which is killed at any
//! moment can go on, and so that every result can be explained later. Only this crate knows the shape of the file and of the
//! plain files beside it.
//!
//! ```text
//! runs/transcripts-20260131-142501-3f9a/
//!   run.json        what ran: pipeline, plugins, state, counts and times
//!   results.jsonl   a line an item, in order
//!   results.partial.jsonl   a line an item that is done, while the run is at work
//!   events.jsonl    what happened, in order
//!   items/<item>/   a file for each stage, and those that the pipeline names
//!   <name>          an object made of all items, under a name that the pipeline gives
//!   run/            a file for each stage that runs once a run, or over all items
//!   spend.jsonl     a line an item: what it spent
//!   blobs/          tensors that results name, each named after the SHA-256 of its bytes
//!   store.sqlite    items, results, completions and events as they happen
//! ```
//!
//! - `folder`, `plain`, `atomic`: the folder of a run, and files in it that are no symbolic links and appear whole.
//! - `find`, `prune`, `removal`: which run a name means, which are old, and how runs are removed.
//! - `db`, `tables`, `checksum`: the SQLite file, its versions, and the checksums of its rows.
//! - `record`, `writer`, `ledger`, `writes`, `sessions`: what is recorded, and the thread that writes it.
//! - `columns`: what is read of every item, in their order.
//! - `read`, `queries`, `rows`, `routes`, `trials`, `spend`: what is read back.
//! - `exchanges`: what was asked of models and answered, word for word.
//! - `answer_warnings`: what an answer says that it could not read.
//! - `check`: whether the file is what was written, and its repair when a run goes on.
//! - `export`, `file_name`: the plain files that are made from the record. `partial_results`: the one that grows while a run is
//!   at work.
//! - `blobs`, `references`, `tensors`: tensors that travel by reference, and those that are part of a result.
//!
//! Invariant: a record is written whole or not at all; versions are read. A result is recorded once its transaction is
//! committed (with a write-ahead log, so that a killed process loses nothing that was committed). What a later program wrote
//! is refused, and what is damaged is reported, and made again when the run goes on.
//!
//! See docs/architecture.md in the repository.

mod answer_warnings;
mod atomic;
mod blobs;
mod check;
mod checksum;
pub(crate) mod clock;
mod columns;
mod completion;
mod db;
mod error;
mod exchanges;
mod export;
mod file_name;
mod find;
mod folder;
mod ledger;
mod partial_results;
mod plain;
mod prune;
mod queries;
mod read;
mod record;
mod references;
mod removal;
mod routes;
mod rows;
mod sessions;
mod spend;
mod states;
mod summary;
mod tables;
mod tensors;
mod trials;
mod writer;
mod writes;

pub use answer_warnings::warnings_of;
pub use atomic::{write_whole, write_whole_with};
pub use blobs::{BlobError, BlobWriter, Blobs, Elements, HeldTensors, blob_totals, digest_of, in_pieces};
pub use checksum::checksum;
pub use checksum::{is_whole, sealed_json};
pub use clock::{timestamp, written as writable_time};
pub use columns::StageValue;
pub use completion::sum;
pub use completion::{AnswerSource, CompletionRecord};
pub use db::{Db, STORE};
pub use error::StoreError;
pub use exchanges::{Exchange, ExchangeRecord, TokenCounts};
pub use export::{Member, export_object};
pub use export::{export_events, export_results, export_run_stages, export_spend, item_json, result_json, run_json};
pub use file_name::{FileNames, file_name_of};
pub use find::{ELLIPSIS, LastOf, PipelineOfRun, find_run, list_runs, peek, peek_of};
pub use folder::{
    FolderGuard, KEPT_INPUT, KEPT_INPUT_PART, PluginJson, Recorded, RunFolder, RunJson, is_held, read_record,
};
pub use ledger::{Ledger, RecordUnwritable};
pub use partial_results::{PARTIAL_RESULTS, remove as remove_partial_results};
pub use prune::{PruneRule, runs_to_prune};
pub use queries::{AnswerLengths, CallEnd, CallRow, CompletionRow, FailureRow, WarningRow};
pub use record::{
    Answer, CacheLookups, CallRecord, CompletionEntry, ItemDone, ItemFiles, MemoNote, NewItem, OF_RUN, OVER_ALL,
    Record, files_are_whole,
};
pub use references::{BlobKey, NamedTensor, may_name_tensors, named_tensors};
pub use removal::{disk_use, remove_item_files, remove_run, run_folders, sweep_removed};
pub use routes::RouteRecord;
pub use rows::{ItemRow, ResultRow, SessionRow, StageCounts};
pub use spend::Spend;
pub use states::{ItemState, RunState};
pub use summary::{
    AllItems, ItemCounts, LastSession, ModelCount, RequirementOutcome, RouteCount, SearchCount, SessionPart,
    StageStats, Summary, TierCount, TimeStats,
};
pub use tensors::{decode as decode_tensors, encode as encode_tensors};
pub use trials::{SearchNote, TrialRecord};
pub use writer::{UnwrittenItems, Writer, WriterSession};
