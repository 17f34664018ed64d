//! Reading, from any thread at once.

use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jackfield_plugin_api::{prelude::*, sync::lock};
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::ValueRef};

use super::{
    error, file,
    tables::{end_of, now_ms},
};

/// Connections that read; more would not help, for a read is short.
const COUNT: usize = 4;

/// A value is marked as used this often at the most, in milliseconds.
pub(super) const USE_IS_FRESH_MS: i64 = 60_000;

/// A value that was found, and has not expired.
pub(super) struct StoredValue {
    pub(super) value: CacheValue,
    /// Its last use was noted more than a minute ago.
    pub(super) is_stale: bool,
}

/// A few connections, each made when it is first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    next: AtomicUsize,
    connections: [Mutex<Option<Connection>>; COUNT],
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, next: AtomicUsize::new(0), connections: Default::default() }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<StoredValue>> {
        let now = now_ms();
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT expires_ms, used_ms, value FROM entries JOIN contents USING (id) WHERE key = ?1",
            )?;
            let found = |row: &Row<'_>| {
                let (expires, used): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
                Ok(match expires {
                    Some(at) if at <= now => None,
                    _ => {
                        Some(StoredValue { value: value_of(row.get_ref(2)?)?, is_stale: now - used > USE_IS_FRESH_MS })
                    }
                })
            };
            statement.query_row([key], found).optional().map(Option::flatten)
        })
    }

    pub(super) fn size(&self, prefix: &str) -> Result<CacheSize> {
        self.read(|connection| {
            let row = |row: &Row<'_>| {
                Ok(CacheSize { entries: row.get::<_, i64>(0)? as u64, bytes: row.get::<_, i64>(1)? as u64 })
            };
            if prefix.is_empty() {
                // What has expired is swept soon, so there is little of it.
                let sql = "SELECT entries - gone, bytes - gone_bytes FROM totals,
                    (SELECT count(*) AS gone, coalesce(sum(bytes), 0) AS gone_bytes FROM entries WHERE expires_ms <= ?1)";
                return connection.prepare_cached(sql)?.query_row([now_ms()], row);
            }
            let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM entries
                WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (expires_ms IS NULL OR expires_ms > ?3)";
            connection.prepare_cached(sql)?.query_row(params![prefix, end_of(prefix), now_ms()], row)
        })
    }

    pub(super) fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<CacheEntry>> {
        let now = now_ms();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (start, is_after) = match after {
            Some(after) if after >= prefix => (after, true),
            _ => (prefix, false),
        };
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, expires_ms, value FROM entries JOIN contents USING (id)
                 WHERE key >= ?1 AND (NOT ?2 OR key > ?1) AND (?3 IS NULL OR key < ?3)
                 AND (expires_ms IS NULL OR expires_ms > ?4)
                 ORDER BY key LIMIT ?5",
            )?;
            let entry = |row: &Row<'_>| {
                let left = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0));
                Ok(CacheEntry {
                    key: row.get(0)?,
                    ttl: row.get::<_, Option<i64>>(1)?.map(left),
                    value: value_of(row.get_ref(2)?)?,
                })
            };
            statement.query_map(params![start, is_after, end_of(prefix), now, limit], entry)?.collect()
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut slot = self.free_connection();
        let read = || {
            let connection = match &mut *slot {
                Some(connection) => connection,
                empty => empty.insert(file::connect(&self.path)?),
            };
            work(connection)
        };
        read().map_err(|error| error::failure(&self.path, &error))
    }

    /// A connection that nobody uses, or else the next one that becomes free in its turn.
    fn free_connection(&self) -> MutexGuard<'_, Option<Connection>> {
        for slot in &self.connections {
            match slot.try_lock() {
                Ok(slot) => return slot,
                Err(TryLockError::Poisoned(slot)) => return slot.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed) % COUNT;
        lock(&self.connections[index])
    }
}

fn value_of(column: ValueRef<'_>) -> rusqlite::Result<CacheValue> {
    Ok(column.as_blob()?.into())
}
