//! The sessions of a run, in its SQLite file: one process at work on the run each.

use rusqlite::Connection;

use super::{
    Db, StoreError,
    rows::SessionRow,
    tables::{self, integer, optional_text, text},
};

impl Db {
    /// Begins a session and returns its number.
    pub fn begin_session(&self, began: &str) -> Result<i64, StoreError> {
        self.run(|db| {
            let id: i64 = db.query_row("SELECT COALESCE(MAX(id), 0) + 1 FROM sessions", [], |row| row.get(0))?;
            let sql = "INSERT INTO sessions (id, began, sum, state) VALUES (?1, ?2, ?3, 'running')";
            tables::SESSIONS.write(db, sql, &[integer(id), text(began)])?;
            end_session(db, id, None, "running")?;
            Ok(id)
        })
    }

    /// Records how a session ended.
    pub fn end_session(&self, session: i64, ended: &str, state: &str) -> Result<(), StoreError> {
        self.run(|db| end_session(db, session, Some(ended), state))
    }

    /// The sessions, in order.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare("SELECT id, began, ended, state FROM sessions ORDER BY id")?;
            let rows = query.query_map([], |row| {
                Ok(SessionRow { id: row.get(0)?, began: row.get(1)?, ended: row.get(2)?, state: row.get(3)? })
            })?;
            rows.collect()
        })
    }
}

impl Db {
    /// How long each session lasted, in microseconds: until the last that is on the record of it, whatever the clock said.
    pub fn session_times(&self) -> Result<Vec<(i64, u64)>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare(
                "SELECT session, MAX(at) FROM (
                     SELECT session, MAX(at_us) AS at FROM events GROUP BY session
                     UNION ALL
                     SELECT session, MAX(began_us + took_us) AS at FROM results WHERE state != 2 GROUP BY session)
                 GROUP BY session ORDER BY session",
            )?;
            let rows = query
                .query_map([], |row| Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default())))?;
            rows.collect()
        })
    }
}

/// Records how a session ended; without a time if it did not end in order.
pub(super) fn end_session(db: &Connection, session: i64, ended: Option<&str>, state: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET ended = ?2, state = ?3, end_sum = ?4 WHERE id = ?1";
    tables::SESSION_ENDS.write(db, sql, &[integer(session), optional_text(ended), text(state)]).map(drop)
}
