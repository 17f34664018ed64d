//! Changes of the tables, within a transaction.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::readers::USE_IS_FRESH_MS;

/// Rows that one transaction drops at the most, beyond what it was asked to, so that nobody waits long.
const HOUSEKEEPING: usize = 4096;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

/// Now, in milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The first string after all that begin with `prefix`, in the order of their bytes; none if there is none.
pub(super) fn end_of(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        // The range leaves out surrogates, which are not characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

/// What was dropped at a user's request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dropped {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Dropped {
    fn add(&mut self, bytes: i64) {
        self.entries += 1;
        self.bytes += u64::try_from(bytes).unwrap_or_default();
    }
}

/// The tables under change. `entries` and `bytes` are the totals, written back by [`Tables::finish`].
pub(super) struct Tables<'a> {
    connection: &'a Connection,
    now: i64,
    entries: i64,
    bytes: i64,
    /// Both as they are in the file.
    written: (i64, i64),
}

impl<'a> Tables<'a> {
    /// Within a transaction that was begun on `connection`.
    pub(super) fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        let (entries, bytes) = connection
            .prepare_cached("SELECT entries, bytes FROM totals")?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { connection, now: now_ms(), entries, bytes, written: (entries, bytes) })
    }

    pub(super) fn put(&mut self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> rusqlite::Result<()> {
        let bytes = (key.len() + value.len()) as i64;
        let expires = ttl_ms.map(|ttl| self.now.saturating_add(i64::try_from(ttl).unwrap_or(i64::MAX)));
        match self.find(key)? {
            Some((id, before)) => {
                self.run("UPDATE contents SET value = ?2 WHERE id = ?1", params![id, value])?;
                self.run(
                    "UPDATE entries SET bytes = ?2, expires_ms = ?3, used_ms = ?4 WHERE key = ?1",
                    params![key, bytes, expires, self.now],
                )?;
                self.bytes += bytes - before;
            }
            None => {
                self.run("INSERT INTO contents (value) VALUES (?1)", [value])?;
                let id = self.connection.last_insert_rowid();
                self.run(
                    "INSERT INTO entries (key, id, bytes, expires_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![key, id, bytes, expires, self.now],
                )?;
                self.entries += 1;
                self.bytes += bytes;
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) -> rusqlite::Result<()> {
        if let Some((id, bytes)) = self.find(key)? {
            self.drop_row(key, id, bytes)?;
        }
        Ok(())
    }

    /// Drops what begins with `prefix`, and says how much of it had not expired.
    pub(super) fn clear(&mut self, prefix: &str) -> rusqlite::Result<u64> {
        let end = end_of(prefix);
        let (rows, live, bytes): (i64, i64, i64) = self
            .connection
            .prepare_cached(
                "SELECT count(*), count(*) FILTER (WHERE expires_ms IS NULL OR expires_ms > ?3), coalesce(sum(bytes), 0)
                 FROM entries WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)",
            )?
            .query_row(params![prefix, end, self.now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if prefix.is_empty() {
            // Without a condition SQLite drops whole pages.
            self.run("DELETE FROM contents", ())?;
            self.run("DELETE FROM entries", ())?;
            (self.entries, self.bytes) = (0, 0);
        } else {
            let range = "key >= ?1 AND (?2 IS NULL OR key < ?2)";
            let sql = format!("DELETE FROM contents WHERE id IN (SELECT id FROM entries WHERE {range})");
            self.run(&sql, params![prefix, end])?;
            self.run(&format!("DELETE FROM entries WHERE {range}"), params![prefix, end])?;
            self.entries -= rows;
            self.bytes -= bytes;
        }
        Ok(live as u64)
    }

    /// Drops what has expired, and what was last used before a time, of the keys that begin with `prefix`: at most so much at a
    /// time that nobody waits long.
    pub(super) fn drop_unused(&mut self, prefix: &str, before: Option<i64>) -> rusqlite::Result<Dropped> {
        let old = self.oldest(
            "SELECT key, id, bytes FROM entries
             WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (expires_ms <= ?3 OR used_ms < ?4) LIMIT ?5",
            params![prefix, end_of(prefix), self.now, before, HOUSEKEEPING as i64],
        )?;
        let mut dropped = Dropped::default();
        for (key, id, bytes) in old {
            self.drop_row(&key, id, bytes)?;
            dropped.add(bytes);
        }
        Ok(dropped)
    }

    /// Drops the least recently used of the keys that begin with `prefix`, until they take no more than so many bytes: at most
    /// so much at a time that nobody waits long.
    pub(super) fn drop_oldest(&mut self, prefix: &str, most: u64) -> rusqlite::Result<Dropped> {
        let end = end_of(prefix);
        let held: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM entries WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)")?
            .query_row(params![prefix, end], |row| row.get(0))?;
        let mut surplus = held.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
        let mut dropped = Dropped::default();
        if surplus <= 0 {
            return Ok(dropped);
        }
        let oldest = self.oldest(
            "SELECT key, id, bytes FROM entries WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) ORDER BY used_ms LIMIT ?3",
            params![prefix, end, HOUSEKEEPING as i64],
        )?;
        for (key, id, bytes) in oldest {
            if surplus <= 0 {
                break;
            }
            self.drop_row(&key, id, bytes)?;
            surplus -= bytes;
            dropped.add(bytes);
        }
        Ok(dropped)
    }

    /// Notes that a value was used, unless that was noted a short while ago.
    pub(super) fn touch(&self, key: &str) -> rusqlite::Result<()> {
        self.run(
            "UPDATE entries SET used_ms = ?2 WHERE key = ?1 AND used_ms < ?2 - ?3",
            params![key, self.now, USE_IS_FRESH_MS],
        )
    }

    /// Drops what has expired, and then the least recently used until the rest is within the limits. Says whether there
    /// is more to do.
    pub(super) fn tidy(&mut self, limits: Limits) -> rusqlite::Result<bool> {
        let expired = self.oldest(
            "SELECT key, id, bytes FROM entries WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2",
            params![self.now, HOUSEKEEPING as i64],
        )?;
        let mut dropped = expired.len();
        for (key, id, bytes) in expired {
            self.drop_row(&key, id, bytes)?;
        }
        while self.is_over(limits) && dropped < HOUSEKEEPING {
            let oldest = self.oldest("SELECT key, id, bytes FROM entries ORDER BY used_ms LIMIT 64", ())?;
            if oldest.is_empty() {
                // The totals were wrong, which no run of this program brings about.
                (self.entries, self.bytes) = (0, 0);
            }
            for (key, id, bytes) in oldest {
                if self.is_over(limits) {
                    self.drop_row(&key, id, bytes)?;
                    dropped += 1;
                }
            }
        }
        Ok(dropped >= HOUSEKEEPING)
    }

    /// Writes the totals; the caller commits.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        if self.written == (self.entries, self.bytes) {
            return Ok(());
        }
        self.run("UPDATE totals SET entries = ?1, bytes = ?2", [self.entries, self.bytes])
    }

    fn is_over(&self, limits: Limits) -> bool {
        self.bytes.max(0) as u64 > limits.bytes || self.entries.max(0) as u64 > limits.entries
    }

    fn find(&self, key: &str) -> rusqlite::Result<Option<(i64, i64)>> {
        self.connection
            .prepare_cached("SELECT id, bytes FROM entries WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    fn oldest(&self, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Vec<(String, i64, i64)>> {
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.connection.prepare_cached(sql)?.query_map(parameters, row)?.collect()
    }

    fn drop_row(&mut self, key: &str, id: i64, bytes: i64) -> rusqlite::Result<()> {
        self.run("DELETE FROM contents WHERE id = ?1", [id])?;
        self.run("DELETE FROM entries WHERE key = ?1", [key])?;
        self.entries -= 1;
        self.bytes -= bytes;
        Ok(())
    }

    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(parameters).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_comes_after_all_that_begin_so() {
        assert_eq!(end_of("a").as_deref(), Some("b"));
        assert_eq!(end_of(""), None);
        assert_eq!(end_of("\u{10ffff}\u{10ffff}"), None);
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{d7ff}").as_deref(), Some("\u{e000}"), "surrogates are not characters");
        assert!("%_*".to_owned() + "\u{10ffff}" < end_of("%_*").unwrap_or_default());
    }
}
