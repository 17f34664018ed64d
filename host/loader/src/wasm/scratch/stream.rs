//! A stream that writes to a file in a scratch folder.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use jackfield_plugin_api::sync::lock;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::ledger::{Identity, Ledger};

/// Counts bytes before they are written.
pub(super) struct CountedStream {
    inner: DynOutputStream,
    file: Identity,
    /// The offset of the next write; none for a stream that appends.
    at: Option<u64>,
    ledger: Arc<Mutex<Ledger>>,
}

impl CountedStream {
    /// A stream to a file whose handles in the ledger include it already.
    pub(super) fn new(inner: DynOutputStream, file: Identity, at: Option<u64>, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { inner, file, at, ledger }
    }

    fn count(&mut self, bytes: &Bytes) -> StreamResult<()> {
        let bytes = bytes.len() as u64;
        let mut ledger = lock(&self.ledger);
        match ledger.writes(self.file, self.at, bytes) {
            // The error of the system for a full disk.
            Err(_) if ledger.lasts() => {
                let full = io::Error::from(rustix::io::Errno::NOSPC);
                return Err(StreamError::LastOperationFailed(full.into()));
            }
            counted => counted.map_err(|full| StreamError::Trap(full.into()))?,
        }
        self.at = self.at.map(|at| at.saturating_add(bytes));
        Ok(())
    }
}

impl Drop for CountedStream {
    fn drop(&mut self) {
        lock(&self.ledger).closed(self.file);
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
