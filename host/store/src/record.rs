//! What the engine puts on the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use jackfield_plugin_api::Tensor;

use super::{CompletionRecord, ExchangeRecord, ItemState, RouteRecord, TrialRecord, checksum};

/// What the memo recorded of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoNote {
    /// Whether the result was there.
    pub hit: bool,
    /// SHA-256 of the input.
    pub input: [u8; 32],
    /// SHA-256 of all that the result depends on.
    pub key: [u8; 32],
}

/// An item was taken up.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Position among all items, from 0.
    pub index: u64,
    /// Its id.
    pub id: Arc<str>,
    /// SHA-256 of its document, for an item that could be read.
    pub digest: [u8; 32],
    /// What stages over all items read of its input: wires, and the values at their ends.
    pub values: Vec<(String, Arc<str>)>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// With a document.
    Ok {
        /// Its JSON text.
        json: Arc<str>,
        /// Its tensors.
        tensors: Vec<Tensor>,
    },
    /// With a failure.
    Failed {
        /// Name of its kind, `timed-out` included.
        kind: String,
        /// What went wrong.
        message: String,
    },
    /// It was not made, since a stage that it reads failed.
    Skipped {
        /// Which source, and why.
        message: String,
    },
    /// It was not made, since the condition of its stage does not hold.
    Off {
        /// Which value decided.
        message: String,
    },
}

/// The position under which the results of stages are recorded that run once a run.
pub const OF_RUN: i64 = -1;

/// The position under which the results of stages are recorded that run over all items. They are of the session that ended last.
pub const OVER_ALL: i64 = -2;

/// A call ended.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// Position of the item; [`OF_RUN`] for a stage that runs once a run, [`OVER_ALL`] for one that runs over all items.
    pub item: i64,
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Position of the call in the stage: element x repeat + replicate.
    pub call: u32,
    /// How it ended.
    pub answer: Answer,
    /// Tries, the last included.
    pub attempts: u32,
    /// When it began, in microseconds since the run's session began.
    pub began_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// What the memo recorded of it, for a stage with one.
    pub memo: Option<MemoNote>,
    /// What was asked of models for it, as far as that is recorded.
    pub exchanges: Vec<ExchangeRecord>,
}

/// A completion was asked for.
#[derive(Clone, Debug)]
pub struct CompletionEntry {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// When it was asked for, in microseconds since the run's session began.
    pub began_us: u64,
    /// What is known of it.
    pub completion: CompletionRecord,
    /// Whether it is still under way: it is on the record from before its first call goes out, so that a killed process
    /// leaves behind what it may have spent.
    pub open: bool,
}

/// What caches were asked on behalf of an item by a batch of a stage's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLookups {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Id of the item; empty for a stage that runs once a run.
    pub item: Arc<str>,
    /// How often a cache was asked.
    pub asked: u32,
    /// How often it had what it was asked for.
    pub found: u32,
}

/// An item is done.
#[derive(Clone, Debug)]
pub struct ItemDone {
    /// Position of the item.
    pub index: u64,
    /// How it ended.
    pub state: ItemState,
    /// The stage that stopped it: what later stages did does not count.
    pub stopped_by: Option<u32>,
    /// Why it could not be read, or its files not written, if so.
    pub fault: Option<String>,
    /// The files to write for it.
    pub files: Option<ItemFiles>,
}

/// The files of an item.
#[derive(Clone, Debug)]
pub struct ItemFiles {
    /// Name of the folder below `items`.
    pub folder: String,
    /// Names and contents.
    pub files: Vec<(String, Arc<str>)>,
}

impl ItemFiles {
    /// The checksum of the files, by name and content.
    #[must_use]
    pub fn sum(&self) -> i64 {
        // Of two with one name, the last one stays.
        let files: BTreeMap<&str, &[u8]> =
            self.files.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
        files_sum(files.into_iter())
    }
}

/// The checksum of files, in the order of their names.
pub(super) fn files_sum<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> i64 {
    files.fold(0, |sum, (name, content)| checksum(content, checksum(name.as_bytes(), sum))) as i64
}

/// Whether the files of an item are those that were written: their names, of which some need not be there, and the
/// checksum of those that were.
#[must_use]
pub fn files_are_whole(folder: &Path, names: &BTreeSet<String>, sum: i64) -> bool {
    let read = |name: &String| super::plain::read_bytes(&folder.join(name)).ok();
    let there: Vec<(&str, Vec<u8>)> = names.iter().filter_map(|name| Some((name.as_str(), read(name)?))).collect();
    files_sum(there.iter().map(|(name, content)| (*name, content.as_slice()))) == sum
}

/// Anything that goes on the record.
#[derive(Clone, Debug)]
pub enum Record {
    /// See [`NewItem`].
    Item(NewItem),
    /// See [`CallRecord`].
    Call(CallRecord),
    /// See [`CompletionEntry`].
    Completion(CompletionEntry),
    /// See [`CacheLookups`].
    Lookups(CacheLookups),
    /// See [`RouteRecord`].
    Route(RouteRecord),
    /// See [`TrialRecord`].
    Trial(TrialRecord),
    /// Files of an item that is reported, and goes on.
    Files(ItemFiles),
    /// See [`ItemDone`].
    Done(ItemDone),
    /// Something happened: a JSON object without its time.
    Event(serde_json::Value),
}
