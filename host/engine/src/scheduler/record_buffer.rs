//! What goes on the record, gathered into groups.

use std::{
    mem,
    time::{Duration, Instant},
};

use jackfield_store::{Record, StoreError};

/// Takes what goes on the record, in groups.
pub(crate) type RecordSink<'a> = &'a mut dyn FnMut(Vec<Record>) -> Result<(), StoreError>;

/// How long a record may wait for others: a transaction costs as much as some dozen rows.
const MAX_DELAY: Duration = Duration::from_millis(5);

/// Records that are handed over without waiting for more.
const GROUP: usize = 512;

/// The records that are not handed over yet.
pub(super) struct RecordBuffer<'k> {
    /// Where they go; none for a run without a record.
    sink: Option<RecordSink<'k>>,
    records: Vec<Record>,
    /// When they are handed over at the latest; none while there are none.
    flush_at: Option<Instant>,
}

impl<'k> RecordBuffer<'k> {
    pub(super) const fn new(sink: Option<RecordSink<'k>>) -> Self {
        Self { sink, records: Vec::new(), flush_at: None }
    }

    /// Whether there is a record: building what goes there for nobody costs as much as a call.
    pub(super) const fn is_enabled(&self) -> bool {
        self.sink.is_some()
    }

    /// Puts something on the record, where there is one.
    pub(super) fn push(&mut self, record: Record) {
        if self.is_enabled() {
            if self.records.is_empty() {
                self.flush_at = Some(Instant::now() + MAX_DELAY);
            }
            self.records.push(record);
        }
    }

    /// When the records are to be handed over.
    pub(super) const fn flush_at(&self) -> Option<Instant> {
        self.flush_at
    }

    /// Hands the records over if they are many, or have waited for long enough.
    pub(super) fn flush_if_due(&mut self) -> Result<(), StoreError> {
        if self.records.len() >= GROUP || self.flush_at.is_some_and(|at| at <= Instant::now()) {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands the records over.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.flush_at = None;
        if let Some(sink) = &mut self.sink
            && !self.records.is_empty()
        {
            sink(mem::take(&mut self.records))?;
        }
        Ok(())
    }
}
