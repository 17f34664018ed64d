//! A stream into a file of a scratch folder.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::ledger::{Identity, Ledger};

/// Counts what is written before it is.
pub(super) struct CountedStream {
    inner: DynOutputStream,
    file: Identity,
    /// Where it writes next; behind all others, if nowhere.
    at: Option<u64>,
    ledger: Arc<Mutex<Ledger>>,
}

impl CountedStream {
    /// A stream into a file in which the ledger has counted it already.
    pub(super) fn new(inner: DynOutputStream, file: Identity, at: Option<u64>, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { inner, file, at, ledger }
    }

    fn count(&mut self, bytes: &Bytes) -> StreamResult<()> {
        let bytes = bytes.len() as u64;
        let counted = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).writes(self.file, self.at, bytes);
        self.at = self.at.map(|at| at.saturating_add(bytes));
        counted.map_err(|full| StreamError::Trap(full.into()))
    }
}

impl Drop for CountedStream {
    fn drop(&mut self) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).closed(self.file);
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for CountedStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for CountedStream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
