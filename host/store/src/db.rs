//! The SQLite file of a run: opening, and what is written to it.

use std::{
    cell::Cell,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jackfield_loader::regular_file;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, config::DbConfig, params_from_iter, types::ValueRef};
use tempfile::TempDir;

use super::{
    StoreError,
    record::{Answer, CacheLookups, CallRecord, CompletionEntry, ItemDone, NewItem},
    rows::{FAILED, OK, SKIPPED, SessionRow},
    tables::{self, Bound, Refusal, int, maybe, maybe_bytes, maybe_text, text},
    tensors,
};
use crate::{AnswerSource, waits::waiting};

/// Name of the file in the folder of a run.
pub const STORE: &str = "store.sqlite";

/// The SQLite file of a run.
pub struct Db {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Whether rows have checksums: not in a file of an older program that is only read.
    pub(super) has_sums: bool,
    /// The number of the next event and of the next lookup; 0 until it is looked up.
    next: [Cell<i64>; 2],
    /// What is read in place of the file, where that cannot be read where it is.
    _copy: Option<TempDir>,
}

/// Bytes of a page of a new file.
const PAGE: u32 = 16 << 10;

impl Db {
    /// Opens the file for reading and writing, making it if it is not there. One of an older program is brought up to
    /// date.
    ///
    /// # Errors
    /// If it is damaged, or was written by a later program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let _waiting = waiting(format!("the lock of `{}`", path.display()));
        only_regular(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(unlinked(path), flags);
        let connection = connection.map_err(|error| StoreError::sqlite(path, &error))?;
        let db = Self { connection, path: path.to_owned(), has_sums: true, next: Default::default(), _copy: None };
        let set_up = || {
            db.settings()?;
            // Of a new file alone. Most results fit a page of this size: what does not is read again for what stands behind it.
            db.connection.pragma_update(None, "page_size", PAGE)?;
            db.connection.pragma_update(None, "journal_mode", "WAL")?;
            // A committed transaction survives the process; a power cut may take the last ones, never the file.
            db.connection.pragma_update(None, "synchronous", "NORMAL")?;
            tables::set_up(&db.connection)
        };
        set_up().map_err(|refusal| db.refused(refusal))?;
        Ok(db)
    }

    /// Opens the file for reading alone: nothing in its folder is made or changed. Works where nothing can be written, and
    /// while a run is at work on the file.
    ///
    /// # Errors
    /// If it is missing, damaged, or was written by a later program.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let there = fs::symlink_metadata(path).map_err(|source| StoreError::file("read", path, source))?;
        if there.is_symlink() {
            return Err(StoreError::Link { path: path.to_owned() });
        }
        only_regular(path)?;
        let log = beside(path, "-wal");
        // Without a write-ahead log nobody is at work on the file, and SQLite needs no files of its own to read it.
        let at_rest = fs::symlink_metadata(&log).map_or(true, |log| log.len() == 0);
        let opened =
            if at_rest { Self::read_at(path, path, true, None) } else { Self::read_at(path, path, false, None) };
        match opened {
            Err(StoreError::Sqlite { .. }) if !at_rest => {
                // The log is there and cannot be read where it is: on a read-only disk.
                let copy = tempfile::tempdir().map_err(|source| StoreError::file("make a copy of", path, source))?;
                let place = copy.path().join(STORE);
                for (from, to) in [(path.to_owned(), place.clone()), (log, beside(&place, "-wal"))] {
                    let copied = super::plain::open(&from)
                        .and_then(|mut from| std::io::copy(&mut from, &mut super::plain::create(&to)?));
                    copied.map_err(|source| StoreError::file("make a copy of", from, source))?;
                }
                Self::read_at(&place, path, false, Some(copy))
            }
            opened => opened,
        }
    }

    fn read_at(place: &Path, path: &Path, immutable: bool, copy: Option<TempDir>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(address(&unlinked(place), immutable), flags);
        let connection = connection.map_err(|error| StoreError::sqlite(path, &error))?;
        let (path, next) = (path.to_owned(), Default::default());
        let mut db = Self { connection, path, has_sums: true, next, _copy: copy };
        let looked = db.settings().map_err(Refusal::from).and_then(|()| {
            db.connection.pragma_update(None, "temp_store", "memory")?;
            tables::look(&db.connection)
        });
        db.has_sums = looked.map_err(|refusal| db.refused(refusal))?;
        Ok(db)
    }

    fn settings(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(Duration::from_secs(5))?;
        // The file may come from anywhere.
        self.connection.pragma_update(None, "trusted_schema", false)?;
        self.connection.pragma_update(None, "cell_size_check", true)?;
        // Otherwise a statement is planned anew for each row: the planner looks at the values that are bound.
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        self.connection.set_prepared_statement_cache_capacity(48);
        Ok(())
    }

    fn refused(&self, refusal: Refusal) -> StoreError {
        match refusal {
            Refusal::Newer(found) => {
                StoreError::TooNew { path: self.path.clone(), found: found as u64, known: tables::VERSION as u64 }
            }
            Refusal::Torn(what) => StoreError::Damaged { path: self.path.clone(), message: what.to_owned() },
            Refusal::Sqlite(error) => self.error(&error),
        }
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::sqlite(&self.path, error)
    }

    pub(super) fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|error| self.error(&error))
    }

    /// Notes whose record the file is, if that is not noted yet.
    ///
    /// # Errors
    /// If it is the record of another run.
    pub fn claim(&self, run: &str) -> Result<(), StoreError> {
        match self.whose()? {
            Some(found) if found != run => {
                Err(StoreError::OtherRun { path: self.path.clone(), found, wanted: run.to_owned() })
            }
            Some(_) => Ok(()),
            None => self.run(|db| {
                let sql = "INSERT INTO meta (key, value, sum) VALUES (?1, ?2, ?3)";
                tables::META.put(db, sql, &[text("run"), text(run)]).map(drop)
            }),
        }
    }

    /// The run whose record the file is, where that is noted.
    pub fn whose(&self) -> Result<Option<String>, StoreError> {
        self.run(|db| db.query_row("SELECT value FROM meta WHERE key = 'run'", [], |row| row.get(0)).optional())
    }

    /// Begins a session and gives its number.
    pub fn begin_session(&self, began: &str) -> Result<i64, StoreError> {
        self.run(|db| {
            let id: i64 = db.query_row("SELECT COALESCE(MAX(id), 0) + 1 FROM sessions", [], |row| row.get(0))?;
            let sql = "INSERT INTO sessions (id, began, sum, state) VALUES (?1, ?2, ?3, 'running')";
            tables::SESSIONS.put(db, sql, &[int(id), text(began)])?;
            end_session(db, id, None, "running")?;
            Ok(id)
        })
    }

    /// Notes how a session ended.
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

    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.run(|db| db.execute_batch("COMMIT"))
    }

    pub(super) fn put_item(&self, item: &NewItem) -> Result<(), StoreError> {
        let index = item.index as i64;
        let values = [int(index), text(&item.id), ValueRef::Blob(&item.digest)];
        let sums = [tables::ITEMS.sum_of(&values), tables::ITEM_ENDS.sum_of(&not_done(index))].map(ValueRef::Integer);
        self.run(|db| {
            let mut insert = db.prepare_cached(
                "INSERT INTO items (idx, id, digest, sum, end_sum) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET id = excluded.id, digest = excluded.digest, sum = excluded.sum, state = NULL,
                   stopped_by = NULL, fault = NULL, rows = NULL, rows_sum = NULL, files_sum = NULL,
                   end_sum = excluded.end_sum",
            )?;
            insert.execute(params_from_iter(values.into_iter().chain(sums).map(Bound)))?;
            Ok(())
        })
    }

    /// A result that is there is never written over, but for a failure that is tried again. Gives its checksum, unless one
    /// was there.
    pub(super) fn put_result(&self, session: i64, record: &CallRecord) -> Result<Option<i64>, StoreError> {
        let encoded;
        let (state, output, bytes, kind, message) = match &record.answer {
            Answer::Ok { json, tensors } => {
                encoded = tensors::encode(tensors);
                (OK, Some(&**json), encoded.as_deref(), None, None)
            }
            Answer::Failed { kind, message } => (FAILED, None, None, Some(kind.as_str()), Some(message.as_str())),
            Answer::Skipped { message } => (SKIPPED, None, None, None, Some(message.as_str())),
        };
        let memo = record.memo.as_ref();
        let values = [
            int(record.item),
            int(record.stage),
            int(record.call),
            int(session),
            int(state),
            maybe_text(output),
            maybe_bytes(bytes),
            maybe_text(kind),
            maybe_text(message),
            int(record.attempts),
            int(record.began_us),
            int(record.took_us),
            maybe(memo, |memo| int(memo.hit)),
            maybe_bytes(memo.map(|memo| &memo.input[..])),
            maybe_bytes(memo.map(|memo| &memo.key[..])),
        ];
        self.run(|db| {
            // Most results are the first of their call; a short statement is found sooner among those that are prepared.
            let sum = tables::RESULTS.put(db, NEW_RESULT, &values)?;
            if db.changes() == 0 {
                tables::RESULTS.put(db, RESULT_AGAIN, &values)?;
            }
            Ok((db.changes() > 0).then_some(sum))
        })
    }

    /// The checksums of the results that an item has: stage, call, checksum.
    pub(super) fn result_sums(&self, item: i64) -> Result<Vec<(u32, u32, i64)>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached("SELECT stage, call, sum FROM results WHERE item = ?1")?;
            query.query_map([item], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
    }

    /// Writes a completion, or writes it over as more of it is known.
    pub(super) fn put_completion(&self, session: i64, seq: i64, entry: &CompletionEntry) -> Result<(), StoreError> {
        let completion = &entry.completion;
        let (source, tier) = match &completion.source {
            AnswerSource::Call => ("call", None),
            AnswerSource::Cache(tier) => ("cache", Some(tier.as_str())),
            AnswerSource::Shared => ("shared", None),
        };
        let usd = if completion.usd.is_finite() { completion.usd } else { 0.0 };
        let sql =
            "INSERT OR REPLACE INTO model_calls (seq, session, model, stage, item, source, tier, failure, tries, \
             tokens_in, tokens_out, usd, began_us, took_us, open, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        self.run(|db| {
            let values = [
                int(seq),
                int(session),
                text(&completion.model),
                int(entry.stage),
                text(&completion.item),
                text(source),
                maybe_text(tier),
                maybe_text(completion.failure.map(|failure| failure.name())),
                int(completion.tries),
                int(completion.usage.input),
                int(completion.usage.output),
                ValueRef::Real(usd),
                int(entry.began_us),
                int(completion.took.as_micros()),
                int(entry.open),
            ];
            tables::COMPLETIONS.put(db, sql, &values).map(drop)
        })
    }

    pub(super) fn put_lookups(&self, session: i64, lookups: &CacheLookups) -> Result<(), StoreError> {
        let CacheLookups { stage, item, asked, found } = lookups;
        self.run(|db| {
            let seq = self.next(1, "SELECT COALESCE(MAX(seq), 0) + 1 FROM lookups")?;
            let sql = "INSERT INTO lookups (seq, session, stage, item, asked, found, sum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values = [int(seq), int(session), int(*stage), text(item), int(*asked), int(*found)];
            tables::LOOKUPS.put(db, sql, &values).map(drop)
        })
    }

    /// Notes the end of an item, with how many results it has and the sum of their checksums.
    pub(super) fn finish_item(&self, done: &ItemDone, rows: (i64, i64), files: Option<i64>) -> Result<(), StoreError> {
        let values = [
            int(done.index),
            text(done.state.name()),
            maybe(done.stopped_by, int),
            maybe_text(done.fault.as_deref()),
            int(rows.0),
            int(rows.1),
            maybe(files, int),
        ];
        self.run(|db| end_item(db, &values))
    }

    /// Adds an event, a JSON object.
    pub fn put_event(&self, session: i64, at_us: u64, event: &str) -> Result<(), StoreError> {
        self.run(|db| {
            let seq = self.next(0, "SELECT COALESCE(MAX(seq), 0) + 1 FROM events")?;
            let sql = "INSERT INTO events (seq, session, at_us, event, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
            tables::EVENTS.put(db, sql, &[int(seq), int(session), int(at_us), text(event)]).map(drop)
        })
    }

    /// The number of the next completion.
    pub(super) fn next_completion(&self) -> Result<i64, StoreError> {
        self.run(|db| db.query_row("SELECT COALESCE(MAX(seq), 0) + 1 FROM model_calls", [], |row| row.get(0)))
    }

    /// A number that no row has.
    fn next(&self, which: usize, sql: &str) -> rusqlite::Result<i64> {
        let next = match self.next[which].get() {
            0 => self.connection.query_row(sql, [], |row| row.get(0))?,
            next => next,
        };
        self.next[which].set(next + 1);
        Ok(next)
    }
}

/// A statement that writes a result: `INSERT`, what it does beside that, and what becomes of one that is there.
macro_rules! insert_result {
    ($or:literal, $conflict:literal) => {
        concat!(
            "INSERT ",
            $or,
            "INTO results (item, stage, call, session, state, output, tensors, kind, message, attempts, began_us, \
             took_us, memo_hit, memo_input, memo_key, sum) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            $conflict
        )
    };
}

/// A result of a call that has none.
const NEW_RESULT: &str = insert_result!("OR IGNORE ", "");

/// A result of a call that has one: it takes the place of a failure.
const RESULT_AGAIN: &str = insert_result!(
    "",
    " ON CONFLICT DO UPDATE SET session = excluded.session, state = excluded.state, output = excluded.output,
       tensors = excluded.tensors, kind = excluded.kind, message = excluded.message, attempts = excluded.attempts,
       began_us = excluded.began_us, took_us = excluded.took_us, memo_hit = excluded.memo_hit,
       memo_input = excluded.memo_input, memo_key = excluded.memo_key, sum = excluded.sum
     WHERE results.state != 0"
);

/// Notes how a session ended.
pub(super) fn end_session(db: &Connection, session: i64, ended: Option<&str>, state: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET ended = ?2, state = ?3, end_sum = ?4 WHERE id = ?1";
    tables::SESSION_ENDS.put(db, sql, &[int(session), maybe_text(ended), text(state)]).map(drop)
}

fn end_item(db: &Connection, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
    let sql = "UPDATE items SET state = ?2, stopped_by = ?3, fault = ?4, rows = ?5, rows_sum = ?6, files_sum = ?7, \
         end_sum = ?8 WHERE idx = ?1";
    tables::ITEM_ENDS.put(db, sql, values).map(drop)
}

/// Notes that an item is not done.
pub(super) fn reopen_item(db: &Connection, index: i64) -> rusqlite::Result<()> {
    end_item(db, &not_done(index))
}

/// The end of an item that has none.
fn not_done(index: i64) -> [ValueRef<'static>; 7] {
    let none = ValueRef::Null;
    [int(index), none, none, none, none, none, none]
}

/// The name of a file beside the SQLite file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Refuses what is not a regular file, the file's companions included: SQLite would open it, and wait for ever for somebody to
/// write to a FIFO.
fn only_regular(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")] {
        if let Ok(there) = fs::symlink_metadata(&path) {
            if there.is_symlink() {
                return Err(StoreError::Link { path });
            }
            let regular = regular_file::only_regular(there.file_type());
            regular.map_err(|source| StoreError::file("read", path, source))?;
        }
    }
    Ok(())
}

/// The path with the links of its folder resolved: those are the user's own, and SQLite would refuse them too.
fn unlinked(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A path as SQLite's address of a file, whatever characters it holds.
fn address(path: &Path, immutable: bool) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    if immutable {
        address.push_str("?immutable=1");
    }
    address
}
