//! The cache backend `sqlite`.

mod error;
mod file;
mod prune;
mod readers;
mod tables;
mod writer;

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use jackfield_plugin_api::prelude::*;
use tokio::sync::oneshot;

pub use self::prune::{PruneRule, Pruned, prune};
use self::{
    readers::Readers,
    tables::Limits,
    writer::{Change, Writer},
};
use crate::{lifetime::Lifetime, state::State};

/// SQLite takes no value of 10^9 bytes.
const LARGEST: u64 = 999_000_000;

/// Keeps values in one SQLite file, which several processes may share.
///
/// A value that was put survives the end of the process; the end of the machine may take the last ones, never the file.
/// The file is somewhat larger than `max_bytes` and does not shrink: room that became free is used again.
#[derive(Debug, Config)]
pub struct Sqlite {
    /// The file. It is made where there is none, with the folders above it; beside it there are two more while it is
    /// open, ending in `-wal` and `-shm`.
    #[config(default = FilePath(PathBuf::from(".jackfield/cache.sqlite")))]
    pub path: FilePath,
    /// Most bytes of keys and values that are kept; the least recently used go first, to a minute. At least 1. A value
    /// that is larger than this, or than 999 MB, is not kept.
    #[config(default = 1 << 30)]
    #[schemars(range(min = 1))]
    pub max_bytes: u64,
    /// Most entries that are kept, if there is a limit. At least 1.
    #[schemars(range(min = 1))]
    pub max_entries: Option<u64>,
    #[serde(skip)]
    state: State<Opened>,
}

#[derive(Debug)]
struct Opened {
    readers: Arc<Readers>,
    writer: Writer,
    largest: u64,
}

impl Opened {
    /// Runs work on a thread of its own, because a scan may block a worker of the runtime for too long.
    async fn on_own_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Readers) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let readers = Arc::clone(&self.readers);
        let work = move || {
            // The caller may have been dropped.
            let _ = answer.send(work(&readers));
        };
        thread::Builder::new()
            .name("jackfield-scan".to_owned())
            .spawn(work)
            .map_err(|error| Failure::Unavailable(format!("no thread to read the cache with: {error}")))?;
        answered.await.map_err(|_| Failure::Internal("the thread that reads the cache has died".to_owned()))?
    }
}

impl CacheBackend for Sqlite {
    const NAME: &str = "sqlite";

    /// Besides a configuration that makes no sense, a file that is not a cache is an invalid configuration; a full disk, a file
    /// that cannot be written, or another process that holds it for five seconds, is `unavailable`.
    fn open(mut self) -> Result<Self> {
        if self.max_bytes == 0 || self.max_entries == Some(0) {
            return Err(Failure::InvalidConfig("`max_bytes` and `max_entries` are at least 1".to_owned()));
        }
        let path = &self.path.0;
        let limits = Limits { bytes: self.max_bytes, entries: self.max_entries.unwrap_or(u64::MAX) };
        let writer = Writer::start(file::create(path)?, path.clone(), limits)?;
        let readers = Arc::new(Readers::new(path.clone()));
        self.state = State::open(Opened { readers, writer, largest: self.max_bytes.min(LARGEST) });
        Ok(self)
    }

    async fn get(&self, key: &str, _: &Host<'_>) -> Result<Option<CacheValue>> {
        let Opened { readers, writer, .. } = self.state.get()?;
        Ok(readers.get(key)?.map(|found| {
            if found.is_stale {
                writer.touch(key);
            }
            found.value
        }))
    }

    async fn put(&self, key: &str, value: CacheValue, ttl: Option<Duration>, _: &Host<'_>) -> Result<()> {
        let Opened { writer, largest, .. } = self.state.get()?;
        let key = key.to_owned();
        let bytes = (key.len() + value.len()) as u64;
        let change = match Lifetime::of(ttl) {
            _ if bytes > *largest => {
                tracing::debug!(key, bytes, limit = largest, "too large for the cache in SQLite");
                Change::Remove { key }
            }
            Lifetime::Expired => Change::Remove { key },
            Lifetime::UntilEvicted => Change::Put { key, value, ttl_ms: None },
            Lifetime::Millis(millis) => Change::Put { key, value, ttl_ms: Some(millis) },
        };
        writer.change(change).await.map(drop)
    }

    async fn remove(&self, key: &str, _: &Host<'_>) -> Result<()> {
        self.state.get()?.writer.change(Change::Remove { key: key.to_owned() }).await.map(drop)
    }

    async fn clear(&self, prefix: &str, _: &Host<'_>) -> Result<u64> {
        self.state.get()?.writer.change(Change::Clear { prefix: prefix.to_owned() }).await
    }

    async fn size(&self, prefix: &str, _: &Host<'_>) -> Result<CacheSize> {
        let prefix = prefix.to_owned();
        self.state.get()?.on_own_thread(move |readers| readers.size(&prefix)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize, _: &Host<'_>) -> Result<Vec<CacheEntry>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.state.get()?.on_own_thread(move |readers| readers.list(&prefix, after.as_deref(), limit)).await
    }

    fn is_durable(&self) -> bool {
        true
    }
}
