//! The SQLite file of a run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, config::DbConfig, params};

use super::{
    StoreError,
    record::{Answer, CallRecord, ItemDone, NewItem, StageRecord},
    routes, tensors,
};
use crate::{
    engine::MemoNote,
    service::{AnswerSource, ModelCount},
    telemetry::waiting,
};

/// The first version of the tables; a later one adds its steps here and bumps `user_version`.
const TABLES: &str = "
CREATE TABLE sessions (id INTEGER PRIMARY KEY, began TEXT NOT NULL, ended TEXT, state TEXT NOT NULL);
CREATE TABLE items (idx INTEGER PRIMARY KEY, id TEXT NOT NULL, digest BLOB NOT NULL, state TEXT, stopped_by INTEGER, fault TEXT);
CREATE TABLE results (
    item INTEGER NOT NULL, stage INTEGER NOT NULL, call INTEGER NOT NULL,
    session INTEGER NOT NULL, state INTEGER NOT NULL, output TEXT, tensors BLOB, kind TEXT, message TEXT,
    attempts INTEGER NOT NULL, began_us INTEGER NOT NULL, took_us INTEGER NOT NULL,
    memo_hit INTEGER, memo_input BLOB, memo_key BLOB,
    PRIMARY KEY (item, stage, call)
) WITHOUT ROWID;
CREATE TABLE model_calls (
    seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, model TEXT NOT NULL, stage INTEGER NOT NULL, item TEXT NOT NULL,
    source TEXT NOT NULL, tier TEXT, failure TEXT, tries INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, usd REAL NOT NULL, began_us INTEGER NOT NULL, took_us INTEGER NOT NULL
);
CREATE TABLE events (seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, at_us INTEGER NOT NULL, event TEXT NOT NULL);
PRAGMA user_version = 1;
";

const OK: i64 = 0;
const FAILED: i64 = 1;
const SKIPPED: i64 = 2;

/// The SQLite file of a run.
pub struct Db {
    connection: Connection,
    path: PathBuf,
}

/// An item on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Position among all items, from 0.
    pub index: u64,
    /// Its id.
    pub id: String,
    /// SHA-256 of its document.
    pub digest: Vec<u8>,
    /// How it ended, if it did.
    pub state: Option<String>,
    /// Why it could not be read, or its files not written, if so.
    pub fault: Option<String>,
    /// The stage that stopped it, if one did.
    pub stopped_by: Option<u32>,
}

impl ItemRow {
    /// Whether its document could be read: then, and only then, there is a digest of it.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.digest.iter().any(|byte| *byte != 0)
    }
}

/// A call's end on the record.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// Position of the stage in the plan.
    pub stage: u32,
    /// Position of the call in the stage.
    pub call: u32,
    /// The session that made the call.
    pub session: i64,
    /// How it ended.
    pub answer: Answer,
    /// Tries, the last included.
    pub attempts: u32,
    /// When it began, in microseconds since its session began.
    pub began_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// A session: one process at work on the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number, from 1.
    pub id: i64,
    /// When it began (RFC 3339).
    pub began: String,
    /// When it ended, if it did so in order.
    pub ended: Option<String>,
    /// How it ended.
    pub state: String,
}

/// Results of a stage on the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageCounts {
    /// With a document.
    pub ok: u64,
    /// With a failure.
    pub failed: u64,
    /// Not made.
    pub skipped: u64,
}

impl Db {
    /// Opens the file, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let _waiting = waiting(format!("the lock of `{}`", path.display()));
        let connection = Connection::open(path).map_err(|error| StoreError::sqlite(path, &error))?;
        let db = Self { connection, path: path.to_owned() };
        db.set_up().map_err(|error| db.error(&error))?;
        Ok(db)
    }

    fn set_up(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(Duration::from_secs(5))?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        // A committed transaction survives the process; a power cut may take the last ones, never the file.
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        // Otherwise a statement is planned anew for each row: the planner looks at the values that are bound.
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.connection.set_prepared_statement_cache_capacity(32);
        let version: i64 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            self.connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;"))?;
        }
        if version < 2 {
            let routes = routes::TABLES;
            self.connection.execute_batch(&format!("BEGIN; {routes} PRAGMA user_version = 2; COMMIT;"))?;
        }
        Ok(())
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.path, error)
    }

    pub(super) fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|error| self.error(&error))
    }

    /// Begins a session and gives its number.
    pub fn begin_session(&self, began: &str) -> Result<i64, StoreError> {
        self.run(|db| {
            db.execute("INSERT INTO sessions (began, state) VALUES (?1, 'running')", [began])?;
            Ok(db.last_insert_rowid())
        })
    }

    /// Notes how a session ended.
    pub fn end_session(&self, session: i64, ended: &str, state: &str) -> Result<(), StoreError> {
        self.run(|db| {
            db.execute("UPDATE sessions SET ended = ?2, state = ?3 WHERE id = ?1", params![session, ended, state])?;
            Ok(())
        })
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

    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("COMMIT"))
    }

    pub(super) fn put_item(&self, item: &NewItem) -> Result<(), StoreError> {
        self.run(|db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO items (idx, id, digest) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET id = excluded.id, digest = excluded.digest, state = NULL, fault = NULL",
            )?;
            insert.execute(params![item.index as i64, &*item.id, &item.digest[..]])?;
            Ok(())
        })
    }

    /// A result that is there is never written over, but for a failure that is tried again.
    pub(super) fn put_result(&self, session: i64, record: &StageRecord) -> Result<(), StoreError> {
        let (state, output, bytes, kind, message) = match &record.answer {
            Answer::Ok { json, tensors } => (OK, Some(&**json), tensors::encode(tensors), None, None),
            Answer::Failed { kind, message } => (FAILED, None, None, Some(kind.as_str()), Some(message.as_str())),
            Answer::Skipped { message } => (SKIPPED, None, None, None, Some(message.as_str())),
        };
        self.run(|db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO results (item, stage, call, session, state, output, tensors, kind, message, attempts, began_us, \
                 took_us, memo_hit, memo_input, memo_key)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
                 ON CONFLICT DO UPDATE SET session = excluded.session, state = excluded.state, output = excluded.output,
                   tensors = excluded.tensors, kind = excluded.kind, message = excluded.message,
                   attempts = excluded.attempts, began_us = excluded.began_us, took_us = excluded.took_us,
                   memo_hit = excluded.memo_hit, memo_input = excluded.memo_input, memo_key = excluded.memo_key
                 WHERE results.state != 0",
            )?;
            insert.execute(params![
                record.item,
                record.stage,
                record.call,
                session,
                state,
                output,
                bytes,
                kind,
                message,
                record.attempts,
                record.began_us as i64,
                record.took_us as i64,
                record.memo.as_ref().map(|memo| memo.hit),
                record.memo.as_ref().map(|memo| &memo.input[..]),
                record.memo.as_ref().map(|memo| &memo.key[..]),
            ])?;
            Ok(())
        })
    }

    pub(super) fn put_call(&self, session: i64, call: &CallRecord) -> Result<(), StoreError> {
        let note = &call.note;
        let (source, tier) = match &note.source {
            AnswerSource::Call => ("call", None),
            AnswerSource::Cache(tier) => ("cache", Some(tier.as_str())),
            AnswerSource::Shared => ("shared", None),
        };
        self.run(|db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO model_calls (session, model, stage, item, source, tier, failure, tries, tokens_in, tokens_out, usd, \
                 began_us, took_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?;
            insert.execute(params![
                session,
                &*note.model,
                call.stage,
                &*note.item,
                source,
                tier,
                note.failure.map(|failure| failure.name()),
                note.tries,
                note.usage.input as i64,
                note.usage.output as i64,
                note.usd,
                call.began_us as i64,
                note.took.as_micros() as i64,
            ])?;
            Ok(())
        })
    }

    /// What each model was paid so far, in all sessions.
    pub fn spent(&self) -> Result<Vec<(String, ModelCount)>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare(
                "SELECT model, SUM(source = 'call' AND failure IS NULL), SUM(source != 'call' AND failure IS NULL),
                   SUM(failure IS NOT NULL), SUM(MAX(tries - 1, 0)), SUM(tokens_in), SUM(tokens_out), SUM(usd)
                 FROM model_calls GROUP BY model ORDER BY model",
            )?;
            let rows = query.query_map([], |row| {
                let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
                let model = ModelCount {
                    calls: count(1)?,
                    cached: count(2)?,
                    failed: count(3)?,
                    retries: count(4)?,
                    tokens_in: count(5)?,
                    tokens_out: count(6)?,
                    usd: row.get(7)?,
                };
                Ok((row.get(0)?, model))
            })?;
            rows.collect()
        })
    }

    /// The memo's notes of a stage's calls for an item: place of the call, hit, digest of the input, key.
    pub fn memo_notes(&self, item: i64, stage: u32) -> Result<Vec<(u32, MemoNote)>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare(
                "SELECT call, memo_hit, memo_input, memo_key FROM results
                 WHERE item = ?1 AND stage = ?2 AND memo_hit IS NOT NULL ORDER BY call",
            )?;
            let rows = query.query_map(params![item, stage], |row| {
                Ok((row.get(0)?, MemoNote { hit: row.get(1)?, input: row.get(2)?, key: row.get(3)? }))
            })?;
            rows.collect()
        })
    }

    /// The item of this id.
    pub fn item_by_id(&self, id: &str) -> Result<Option<ItemRow>, StoreError> {
        self.run(|db| {
            let mut query =
                db.prepare("SELECT idx, id, digest, state, fault, stopped_by FROM items WHERE id = ?1 ORDER BY idx")?;
            query.query_row([id], item_row).optional()
        })
    }

    pub(super) fn finish_item(&self, done: &ItemDone) -> Result<(), StoreError> {
        self.run(|db| {
            let mut update =
                db.prepare_cached("UPDATE items SET state = ?2, fault = ?3, stopped_by = ?4 WHERE idx = ?1")?;
            update.execute(params![done.index as i64, done.state.name(), done.fault, done.stopped_by])?;
            Ok(())
        })
    }

    /// Adds an event, a JSON object.
    pub fn put_event(&self, session: i64, at_us: u64, event: &str) -> Result<(), StoreError> {
        self.run(|db| {
            let mut insert = db.prepare_cached("INSERT INTO events (session, at_us, event) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![session, at_us as i64, event])?;
            Ok(())
        })
    }

    /// The item at a position.
    pub fn item(&self, index: u64) -> Result<Option<ItemRow>, StoreError> {
        self.run(|db| {
            let mut query =
                db.prepare_cached("SELECT idx, id, digest, state, fault, stopped_by FROM items WHERE idx = ?1")?;
            query.query_row([index as i64], item_row).optional()
        })
    }

    /// The results of an item, by stage and call; of the run-wide stages for -1.
    pub fn results(&self, item: i64) -> Result<Vec<ResultRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT stage, call, session, state, output, tensors, kind, message, attempts, began_us, took_us
                 FROM results WHERE item = ?1 ORDER BY stage, call",
            )?;
            let rows = query.query_map([item], result_row)?;
            rows.collect()
        })
    }

    /// Calls `visit` for every item, in order.
    pub fn each_item(&self, mut visit: impl FnMut(ItemRow) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut from = 0_i64;
        loop {
            let page: Vec<ItemRow> = self.run(|db| {
                let mut query = db.prepare_cached(
                    "SELECT idx, id, digest, state, fault, stopped_by FROM items WHERE idx >= ?1 ORDER BY idx LIMIT 1000",
                )?;
                query.query_map([from], item_row)?.collect()
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.index as i64 + 1;
            for item in page {
                visit(item)?;
            }
        }
    }

    /// Calls `visit` for every event, in order: session, microseconds since it began, the JSON text.
    pub fn each_event(
        &self,
        mut visit: impl FnMut(i64, u64, &str) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = self.connection.prepare("SELECT session, at_us, event FROM events ORDER BY seq");
        let mut query = query.map_err(|error| self.error(&error))?;
        let mut rows = query.query([]).map_err(|error| self.error(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.error(&error))? {
            let read = || rusqlite::Result::Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get::<_, String>(2)?));
            let (session, at, event): (i64, u64, String) = read().map_err(|error| self.error(&error))?;
            visit(session, at, &event)?;
        }
        Ok(())
    }

    /// How many results each stage has, by its position.
    pub fn stage_counts(&self) -> Result<Vec<(u32, StageCounts)>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare(
                "SELECT stage, SUM(state = 0), SUM(state = 1), SUM(state = 2) FROM results GROUP BY stage ORDER BY stage",
            )?;
            let rows = query.query_map([], |row| {
                let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
                Ok((row.get(0)?, StageCounts { ok: count(1)?, failed: count(2)?, skipped: count(3)? }))
            })?;
            rows.collect()
        })
    }

    /// How many items ended in each state.
    pub fn item_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.run(|db| {
            let mut query =
                db.prepare("SELECT COALESCE(state, 'running'), COUNT(*) FROM items GROUP BY 1 ORDER BY 1")?;
            query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?.collect()
        })
    }
}

fn item_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ItemRow> {
    Ok(ItemRow {
        index: row.get::<_, i64>(0)? as u64,
        id: row.get(1)?,
        digest: row.get(2)?,
        state: row.get(3)?,
        fault: row.get(4)?,
        stopped_by: row.get(5)?,
    })
}

fn result_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ResultRow> {
    let message = || row.get::<_, Option<String>>(7).map(Option::unwrap_or_default);
    let answer = match row.get::<_, i64>(3)? {
        OK => {
            let bytes: Option<Vec<u8>> = row.get(5)?;
            let tensors = bytes.as_deref().map_or(Some(Vec::new()), tensors::decode).unwrap_or_default();
            Answer::Ok { json: row.get::<_, Arc<str>>(4)?, tensors }
        }
        FAILED => Answer::Failed { kind: row.get(6)?, message: message()? },
        _ => Answer::Skipped { message: message()? },
    };
    Ok(ResultRow {
        stage: row.get(0)?,
        call: row.get(1)?,
        session: row.get(2)?,
        answer,
        attempts: row.get(8)?,
        began_us: row.get::<_, i64>(9)? as u64,
        took_us: row.get::<_, i64>(10)? as u64,
    })
}
