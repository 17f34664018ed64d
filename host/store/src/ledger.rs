//! Writes that somebody waits for: what a completion costs, before its call goes out, and all that came before something that
//! outlives the run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::record::CompletionEntry;
use crate::CompletionRecord;

/// A write that somebody waits for.
pub(super) enum Urgent {
    /// Record a completion as far as it is known.
    Completion {
        /// Its number on the record.
        seq: i64,
        entry: CompletionEntry,
        done: oneshot::Sender<()>,
    },
    /// Record nothing, but all that was handed over before.
    Barrier(oneshot::Sender<()>),
}

/// The record can no longer be written. The thread that wrote it reports why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordUnwritable;

/// Writes to the record for those who have to wait until something is recorded.
///
/// A killed process loses what waits in its memory. So a completion is recorded before its call goes out, with an estimate,
/// and again as soon as its answer has come, before anybody else gets the answer; and what a stage puts into a cache is put
/// there after all that led to it is recorded, so that a run that goes on does not find it there without knowing why.
#[derive(Clone)]
pub struct Ledger {
    urgent: Sender<Urgent>,
    /// The number of the next completion.
    next_completion: Arc<AtomicI64>,
    /// Positions of stages by name.
    stages: Arc<BTreeMap<String, u32>>,
    began: Instant,
}

impl Ledger {
    pub(super) fn new(
        urgent: Sender<Urgent>,
        next_completion: Arc<AtomicI64>,
        stages: BTreeMap<String, u32>,
        began: Instant,
    ) -> Self {
        Self { urgent, next_completion, stages: Arc::new(stages), began }
    }

    /// Records a completion of a stage as far as it is known, and waits until it is written. It gets a number the first time.
    ///
    /// # Errors
    /// If the record can no longer be written.
    pub async fn write(&self, stage: &str, completion: &mut CompletionRecord) -> Result<(), RecordUnwritable> {
        let seq = *completion.seq.get_or_insert_with(|| self.next_completion.fetch_add(1, Ordering::Relaxed));
        let stage = self.stages.get(stage).copied().unwrap_or_default();
        let began_us = completion.began.saturating_duration_since(self.began).as_micros() as u64;
        let entry = CompletionEntry { stage, began_us, completion: completion.clone(), open: true };
        self.write_urgently(|done| Urgent::Completion { seq, entry, done }).await
    }

    /// Waits until all that was handed over so far is recorded.
    ///
    /// # Errors
    /// If the record can no longer be written.
    pub async fn barrier(&self) -> Result<(), RecordUnwritable> {
        self.write_urgently(Urgent::Barrier).await
    }

    /// As [`barrier`](Self::barrier), from a thread that may wait.
    ///
    /// # Errors
    /// If the record can no longer be written.
    pub fn wait(&self) -> Result<(), RecordUnwritable> {
        let (done, written) = oneshot::channel();
        self.urgent.send(Urgent::Barrier(done)).map_err(|_| RecordUnwritable)?;
        written.blocking_recv().map_err(|_| RecordUnwritable)
    }

    async fn write_urgently(&self, write: impl FnOnce(oneshot::Sender<()>) -> Urgent) -> Result<(), RecordUnwritable> {
        let (done, written) = oneshot::channel();
        self.urgent.send(write(done)).map_err(|_| RecordUnwritable)?;
        written.await.map_err(|_| RecordUnwritable)
    }
}
