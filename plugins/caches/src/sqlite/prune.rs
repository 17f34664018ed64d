//! Removing what is old from a file, at a user's request, and giving the room back to the disk.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use jackfield_plugin_api::prelude::*;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    error, file,
    tables::{Dropped, Tables},
};

/// What is removed, besides what has expired.
#[derive(Clone, Copy, Debug, Default)]
pub struct PruneRule<'a> {
    /// Only values under keys that begin so.
    pub prefix: &'a str,
    /// What was not used for longer than this.
    pub unused: Option<Duration>,
    /// The least recently used, until keys and values take no more than so many bytes.
    pub max_bytes: Option<u64>,
}

/// What was removed from a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Values.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Pruned {
    fn add(&mut self, dropped: Dropped) {
        self.entries += dropped.entries;
        self.bytes += dropped.bytes;
    }
}

/// Removes values from a file that is there, in short transactions, so that runs which use it wait for none of them; then makes
/// the file as small as it can be, unless another process is using it.
///
/// # Errors
/// As those of opening the backend, and [`Failure::Unavailable`] if another process holds the file for too long.
pub fn prune(path: &Path, rule: PruneRule<'_>) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    if !path.exists() {
        return Ok(pruned);
    }
    let connection = file::create(path)?;
    prune_rows(&connection, rule, &mut pruned).map_err(|error| error::failure(path, &error))?;
    if pruned.entries > 0 {
        // Whoever is using the file meanwhile goes on: it stays as large as it is, and its free room is used again.
        let _ = connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
    }
    Ok(pruned)
}

fn prune_rows(connection: &Connection, rule: PruneRule<'_>, pruned: &mut Pruned) -> rusqlite::Result<()> {
    let before = rule.unused.map(|unused| {
        let before =
            SystemTime::now().checked_sub(unused).and_then(|then| then.duration_since(SystemTime::UNIX_EPOCH).ok());
        before.map_or(0, |before| i64::try_from(before.as_millis()).unwrap_or(i64::MAX))
    });
    let mut step = |work: &mut dyn FnMut(&mut Tables<'_>) -> rusqlite::Result<Dropped>| -> rusqlite::Result<()> {
        loop {
            let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            let mut tables = Tables::begin(&transaction)?;
            let dropped = work(&mut tables)?;
            tables.finish()?;
            transaction.commit()?;
            if dropped.entries == 0 {
                return Ok(());
            }
            pruned.add(dropped);
        }
    };
    step(&mut |tables| tables.drop_unused(rule.prefix, before))?;
    if let Some(max_bytes) = rule.max_bytes {
        step(&mut |tables| tables.drop_oldest(rule.prefix, max_bytes))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with values of ten bytes each: a key, how long ago it was used, and how long it is kept, in seconds.
    fn cache(values: &[(&str, i64, Option<i64>)]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cache.sqlite");
        let connection = file::create(&path).expect("made");
        let mut tables = Tables::begin(&connection).expect("tables");
        for (key, _, _) in values {
            tables.put(key, &vec![b'x'; 10 - key.len()], None).expect("put");
        }
        tables.finish().expect("written");
        for (key, age, ttl) in values {
            let sql =
                "UPDATE entries SET used_ms = used_ms - ?2 * 1000, expires_ms = used_ms + ?3 * 1000 WHERE key = ?1";
            connection.execute(sql, rusqlite::params![key, age, ttl]).expect("updated");
        }
        (folder, path)
    }

    fn keys(path: &Path) -> Vec<String> {
        let connection = file::connect(path).expect("opened");
        let mut query = connection.prepare("SELECT key FROM entries ORDER BY key").expect("a query");
        let keys = query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>();
        keys.expect("keys")
    }

    #[test]
    fn what_has_expired_or_was_not_used_for_long_goes_and_the_rest_stays() {
        let values = [("a/1", 0, Some(-5)), ("a/2", 1000, None), ("a/3", 10, Some(500)), ("b/1", 1000, None)];
        let (_folder, path) = cache(&values);
        let rule = PruneRule { prefix: "a/", unused: Some(Duration::from_secs(100)), ..PruneRule::default() };
        assert_eq!(prune(&path, rule).expect("pruned"), Pruned { entries: 2, bytes: 20 });
        assert_eq!(keys(&path), ["a/3", "b/1"]);
        assert_eq!(prune(&path, rule).expect("pruned"), Pruned::default());
    }

    #[test]
    fn the_least_recently_used_go_until_the_rest_fits() {
        let (_folder, path) = cache(&[("a/1", 5, None), ("a/2", 50, None), ("a/3", 500, None), ("b/1", 5000, None)]);
        let rule = PruneRule { prefix: "a/", max_bytes: Some(15), ..PruneRule::default() };
        assert_eq!(prune(&path, rule).expect("pruned"), Pruned { entries: 2, bytes: 20 });
        assert_eq!(keys(&path), ["a/1", "b/1"]);
        let missing = path.with_file_name("none.sqlite");
        assert_eq!(prune(&missing, rule).expect("nothing"), Pruned::default());
        assert!(!missing.exists());
    }
}
