//! What the engine puts on the record.

use std::sync::Arc;

use jackfield_plugin_api::Tensor;

use super::RouteRecord;
use crate::{
    engine::{ItemState, MemoNote},
    service::CallNote,
};

/// An item was taken up.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Position among all items, from 0.
    pub index: u64,
    /// Its id.
    pub id: Arc<str>,
    /// SHA-256 of its document, for an item that could be read.
    pub digest: [u8; 32],
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
    /// It was not made, for want of a source.
    Skipped {
        /// Which source, and why.
        message: String,
    },
}

/// A call ended.
#[derive(Clone, Debug)]
pub struct StageRecord {
    /// Position of the item; -1 for a stage that runs once a run.
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
    /// What the memo says of it, for a stage with one.
    pub memo: Option<MemoNote>,
}

/// A completion was asked for.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// When it was asked for, in microseconds since the run's session began.
    pub began_us: u64,
    /// What is noted of it.
    pub note: CallNote,
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

/// Anything that goes on the record.
#[derive(Clone, Debug)]
pub enum Record {
    /// See [`NewItem`].
    Item(NewItem),
    /// See [`StageRecord`].
    Stage(StageRecord),
    /// See [`CallRecord`].
    Call(CallRecord),
    /// See [`RouteRecord`].
    Route(RouteRecord),
    /// Files of an item that is reported, and goes on.
    Files(ItemFiles),
    /// See [`ItemDone`].
    Done(ItemDone),
    /// Something happened: a JSON object without its time.
    Event(serde_json::Value),
}
