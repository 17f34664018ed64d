//! Writing: one thread, which puts all that waits into one transaction.

use std::{
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use jackfield_plugin_api::prelude::*;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    error, file,
    tables::{Limits, Tables},
};

/// Most changes in one transaction.
const MOST_CHANGES: usize = 512;
/// A transaction takes no further change once it holds this many bytes of values.
const MOST_BYTES: usize = 8 << 20;
/// With nothing to do, the writer looks this often for values that have expired.
const IDLE: Duration = Duration::from_secs(30);

/// A change of the cache.
#[derive(Debug)]
pub(super) enum Change {
    Put { key: String, value: CacheValue, ttl_ms: Option<u64> },
    Remove { key: String },
    Clear { prefix: String },
    Touch { key: String },
}

impl Change {
    fn bytes(&self) -> usize {
        if let Self::Put { value, .. } = self { value.len() } else { 0 }
    }

    /// Makes the change. Returns how many values it removed, for [`Change::Clear`]; 0 for the others.
    fn apply(&self, tables: &mut Tables<'_>) -> rusqlite::Result<u64> {
        match self {
            Self::Put { key, value, ttl_ms } => tables.put(key, value, *ttl_ms)?,
            Self::Remove { key } => tables.remove(key)?,
            Self::Clear { prefix } => return tables.clear(prefix),
            Self::Touch { key } => tables.touch(key)?,
        }
        Ok(0)
    }
}

/// A change, and who waits for it. A touch has nobody waiting.
struct PendingChange {
    change: Change,
    answer: Option<oneshot::Sender<Result<u64>>>,
}

impl PendingChange {
    fn answer(self, result: Result<u64>) {
        if let Some(answer) = self.answer {
            // The caller may have been dropped.
            let _ = answer.send(result);
        }
    }
}

/// A handle on the thread. Dropping it waits until all that was sent is written.
#[derive(Debug)]
pub(super) struct Writer {
    changes: Option<Sender<PendingChange>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// # Errors
    /// [`Failure::Unavailable`] if the system starts no thread.
    pub(super) fn start(connection: Connection, path: PathBuf, limits: Limits) -> Result<Self> {
        let (changes, pending) = mpsc::channel();
        let work = move || WriterThread { connection, path, limits, has_more: true, is_patient: true }.run(&pending);
        let thread = thread::Builder::new()
            .name("jackfield-cache".to_owned())
            .spawn(work)
            .map_err(|error| Failure::Unavailable(format!("no thread to write the cache with: {error}")))?;
        Ok(Self { changes: Some(changes), thread: Some(thread) })
    }

    /// Resolves once the change is committed.
    pub(super) async fn change(&self, change: Change) -> Result<u64> {
        let (answer, answered) = oneshot::channel();
        self.send(PendingChange { change, answer: Some(answer) });
        // The thread ends when the writer is dropped, or if it panics.
        answered.await.map_err(|_| Failure::Internal("the thread that writes the cache has died".to_owned()))?
    }

    /// Notes that a value was used, some time.
    pub(super) fn touch(&self, key: &str) {
        self.send(PendingChange { change: Change::Touch { key: key.to_owned() }, answer: None });
    }

    fn send(&self, pending: PendingChange) {
        if let Some(changes) = &self.changes {
            // If the thread has died, the answer's other end is dropped here and says so.
            let _ = changes.send(pending);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.changes.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by whatever it left without an answer.
            let _ = thread.join();
        }
    }
}

struct WriterThread {
    connection: Connection,
    path: PathBuf,
    limits: Limits,
    /// There may be more to tidy than the last transaction did.
    has_more: bool,
    /// Whether it waits for another process that holds the file.
    is_patient: bool,
}

impl WriterThread {
    fn run(mut self, pending: &Receiver<PendingChange>) {
        loop {
            match pending.recv_timeout(if self.has_more { Duration::ZERO } else { IDLE }) {
                Ok(first) => {
                    let group = Self::gather(first, pending);
                    self.write(group);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.attempt(&[]).is_err() {
                        self.has_more = false;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What waits already, up to a limit.
    fn gather(first: PendingChange, pending: &Receiver<PendingChange>) -> Vec<PendingChange> {
        let mut bytes = first.change.bytes();
        let mut group = vec![first];
        while group.len() < MOST_CHANGES && bytes < MOST_BYTES {
            let Ok(next) = pending.try_recv() else { break };
            bytes += next.change.bytes();
            group.push(next);
        }
        group
    }

    fn write(&mut self, group: Vec<PendingChange>) {
        match self.attempt(&group) {
            Ok(results) => group.into_iter().zip(results).for_each(|(pending, result)| pending.answer(Ok(result))),
            Err(error) if group.len() == 1 || affects_all(&error) => {
                let failure = error::failure(&self.path, &error);
                group.into_iter().for_each(|pending| pending.answer(Err(failure.clone())));
            }
            // One that cannot be written must not take the others along.
            Err(_) => group.into_iter().for_each(|pending| self.write(vec![pending])),
        }
    }

    /// All in one transaction, or none. A process that has held the file for too long is not waited for again until it has let
    /// go: a run would take as long as it has calls.
    fn attempt(&mut self, group: &[PendingChange]) -> rusqlite::Result<Vec<u64>> {
        let done = self.transact(group);
        let is_patient = !done.as_ref().is_err_and(is_held);
        if is_patient != self.is_patient {
            self.is_patient = is_patient;
            self.connection.busy_timeout(if is_patient { file::PATIENCE } else { Duration::ZERO })?;
        }
        done
    }

    fn transact(&mut self, group: &[PendingChange]) -> rusqlite::Result<Vec<u64>> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut tables = Tables::begin(&transaction)?;
        let results: Vec<u64> =
            group.iter().map(|pending| pending.change.apply(&mut tables)).collect::<rusqlite::Result<_>>()?;
        self.has_more = tables.tidy(self.limits)?;
        tables.finish()?;
        transaction.commit()?;
        Ok(results)
    }
}

/// Whether another process holds the file.
fn is_held(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Whether every change would fail in the same way, alone too.
fn affects_all(error: &rusqlite::Error) -> bool {
    is_held(error) || error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
}
