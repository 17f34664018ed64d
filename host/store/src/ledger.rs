//! What is written before anything else may happen: what a call costs, and all that came before something that outlives
//! the run.

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
    /// A completion, as far as it is known, under a number of its own.
    Completion(i64, CompletionEntry, oneshot::Sender<()>),
    /// Nothing: all that was handed over before.
    Barrier(oneshot::Sender<()>),
}

/// The record can no longer be written. Why is known to the thread that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritten;

/// The way to the record for those who have to wait until something stands on it.
///
/// A killed process loses what waits in its memory. So a completion is on the record before its call goes out, by an
/// estimate, and again as soon as its answer is there, before anybody else gets that; and what a stage keeps in a cache is
/// kept after all that led to it is on the record, so that a run that goes on does not find it there without knowing why.
#[derive(Clone)]
pub struct Ledger {
    urgent: Sender<Urgent>,
    seq: Arc<AtomicI64>,
    /// Positions of stages by name.
    stages: Arc<BTreeMap<String, u32>>,
    began: Instant,
}

impl Ledger {
    pub(super) fn new(
        urgent: Sender<Urgent>,
        seq: Arc<AtomicI64>,
        stages: BTreeMap<String, u32>,
        began: Instant,
    ) -> Self {
        Self { urgent, seq, stages: Arc::new(stages), began }
    }

    /// Puts a completion of a stage on the record, as far as it is known, and waits until it stands there. It gets a number
    /// the first time.
    ///
    /// # Errors
    /// If the record can no longer be written.
    pub async fn write(&self, stage: &str, completion: &mut CompletionRecord) -> Result<(), Unwritten> {
        let seq = *completion.seq.get_or_insert_with(|| self.seq.fetch_add(1, Ordering::Relaxed));
        let stage = self.stages.get(stage).copied().unwrap_or_default();
        let began_us = completion.began.saturating_duration_since(self.began).as_micros() as u64;
        let record = CompletionEntry { stage, began_us, completion: completion.clone(), open: true };
        self.ask(|done| Urgent::Completion(seq, record, done)).await
    }

    /// Waits until all that was handed over so far stands on the record.
    ///
    /// # Errors
    /// If the record can no longer be written.
    pub async fn barrier(&self) -> Result<(), Unwritten> {
        self.ask(Urgent::Barrier).await
    }

    async fn ask(&self, of: impl FnOnce(oneshot::Sender<()>) -> Urgent) -> Result<(), Unwritten> {
        let (done, written) = oneshot::channel();
        self.urgent.send(of(done)).map_err(|_| Unwritten)?;
        written.await.map_err(|_| Unwritten)
    }
}
