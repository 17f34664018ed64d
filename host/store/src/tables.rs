//! The tables of a run's SQLite file, their versions, and the checksums of their rows.
//!
//! | version | what was added |
//! | --- | --- |
//! | 1 | items, results, completions, events |
//! | 2 | routes |
//! | 3 | checksums of rows, whose record it is, what is spent before it is known what for |
//! | 4 | trials of a search |
//! | 5 | exchanges with models, and which tokens of a completion were cached or thought in |
//! | 6 | values of items that stages over all items read, stages that are off |

use rusqlite::{Connection, Row, ToSql, params_from_iter, types::ToSqlOutput, types::ValueRef};

use super::checksum::RowChecksum;

/// The version that this program writes.
pub(super) const VERSION: i64 = 6;

const TABLES_V1: &str = "
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
";

const ROUTES_V2: &str = "
CREATE TABLE routes (
    item INTEGER NOT NULL, stage INTEGER NOT NULL, context TEXT NOT NULL, attempts TEXT NOT NULL, scores TEXT NOT NULL,
    reward REAL, objectives TEXT NOT NULL, settled INTEGER NOT NULL,
    PRIMARY KEY (item, stage)
) WITHOUT ROWID;
CREATE TABLE route_starts (stage INTEGER PRIMARY KEY, state TEXT NOT NULL);
";

/// `rows` and `rows_sum` of an item that is done: how many results it has, and the sum of their checksums; `files_sum`: the
/// checksum of its files. `open` of a completion: the process was killed before it ended; its tokens are then what was
/// counted so far, the call under way by an estimate that is rather too high.
const CHECKSUMS_V3: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER) WITHOUT ROWID;
CREATE TABLE lookups (
    seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, stage INTEGER NOT NULL, item TEXT NOT NULL,
    asked INTEGER NOT NULL, found INTEGER NOT NULL, sum INTEGER
);
ALTER TABLE sessions ADD COLUMN sum INTEGER;
ALTER TABLE sessions ADD COLUMN end_sum INTEGER;
ALTER TABLE items ADD COLUMN sum INTEGER;
ALTER TABLE items ADD COLUMN rows INTEGER;
ALTER TABLE items ADD COLUMN rows_sum INTEGER;
ALTER TABLE items ADD COLUMN files_sum INTEGER;
ALTER TABLE items ADD COLUMN end_sum INTEGER;
ALTER TABLE results ADD COLUMN sum INTEGER;
ALTER TABLE model_calls ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE model_calls ADD COLUMN sum INTEGER;
ALTER TABLE events ADD COLUMN sum INTEGER;
ALTER TABLE routes ADD COLUMN sum INTEGER;
ALTER TABLE route_starts ADD COLUMN sum INTEGER;
";

const TRIALS_V4: &str = "
CREATE TABLE trials (item INTEGER PRIMARY KEY, outcome TEXT NOT NULL, settled INTEGER NOT NULL, sum INTEGER);
";

/// `completion_tokens`: what is known further of the tokens of a completion; no row where that is nothing.
const EXCHANGES_V5: &str = "
CREATE TABLE exchanges (
    item INTEGER NOT NULL, stage INTEGER NOT NULL, call INTEGER NOT NULL, seq INTEGER NOT NULL,
    session INTEGER NOT NULL, model TEXT NOT NULL, request TEXT NOT NULL, answer TEXT, failure TEXT, message TEXT,
    source TEXT NOT NULL, tier TEXT, tries INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_cached INTEGER NOT NULL,
    tokens_cache_write INTEGER NOT NULL, tokens_reasoning INTEGER NOT NULL, usd REAL NOT NULL, took_us INTEGER NOT NULL,
    sum INTEGER,
    PRIMARY KEY (item, stage, call, seq)
) WITHOUT ROWID;
CREATE TABLE completion_tokens (
    seq INTEGER PRIMARY KEY, tokens_cached INTEGER NOT NULL, tokens_cache_write INTEGER NOT NULL,
    tokens_reasoning INTEGER NOT NULL, sum INTEGER
);
";

/// What stages over all items read of the input of each item, which is not on record itself.
const ITEM_VALUES_V6: &str = "
CREATE TABLE item_values (
    item INTEGER NOT NULL, wire TEXT NOT NULL, value TEXT NOT NULL, sum INTEGER, PRIMARY KEY (item, wire)
) WITHOUT ROWID;
";

/// What an older file lacks, for a connection that may not write to it: rows without checksums.
const VIEWS: &str = "
CREATE TEMP VIEW meta AS SELECT '' AS key, '' AS value, NULL AS sum WHERE 0;
CREATE TEMP VIEW lookups AS SELECT 0 AS seq, 0 AS session, 0 AS stage, '' AS item, 0 AS asked, 0 AS found, NULL AS sum WHERE 0;
CREATE TEMP VIEW sessions AS SELECT *, NULL AS sum, NULL AS end_sum FROM main.sessions;
CREATE TEMP VIEW items AS SELECT *, NULL AS sum, NULL AS rows, NULL AS rows_sum, NULL AS files_sum, NULL AS end_sum FROM main.items;
CREATE TEMP VIEW results AS SELECT *, NULL AS sum FROM main.results;
CREATE TEMP VIEW model_calls AS SELECT *, 0 AS open, NULL AS sum FROM main.model_calls;
CREATE TEMP VIEW events AS SELECT *, NULL AS sum FROM main.events;
";
const VIEWS_V2: &str = "
CREATE TEMP VIEW routes AS SELECT *, NULL AS sum FROM main.routes;
CREATE TEMP VIEW route_starts AS SELECT *, NULL AS sum FROM main.route_starts;
";
const EMPTY_ROUTES: &str = "
CREATE TEMP VIEW routes AS SELECT 0 AS item, 0 AS stage, '' AS context, '' AS attempts, '' AS scores, 0.0 AS reward,
    '' AS objectives, 0 AS settled, NULL AS sum WHERE 0;
CREATE TEMP VIEW route_starts AS SELECT 0 AS stage, '' AS state, NULL AS sum WHERE 0;
";

const EMPTY_TRIALS: &str = "
CREATE TEMP VIEW trials AS SELECT 0 AS item, '' AS outcome, 0 AS settled, NULL AS sum WHERE 0;
";

const EMPTY_EXCHANGES: &str = "
CREATE TEMP VIEW exchanges AS SELECT 0 AS item, 0 AS stage, 0 AS call, 0 AS seq, 0 AS session, '' AS model, '' AS request,
    '' AS answer, '' AS failure, '' AS message, '' AS source, '' AS tier, 0 AS tries, 0 AS tokens_in, 0 AS tokens_out,
    0 AS tokens_cached, 0 AS tokens_cache_write, 0 AS tokens_reasoning, 0.0 AS usd, 0 AS took_us, NULL AS sum WHERE 0;
CREATE TEMP VIEW completion_tokens AS SELECT 0 AS seq, 0 AS tokens_cached, 0 AS tokens_cache_write, 0 AS tokens_reasoning,
    NULL AS sum WHERE 0;
";

const EMPTY_ITEM_VALUES: &str = "
CREATE TEMP VIEW item_values AS SELECT 0 AS item, '' AS wire, '' AS value, NULL AS sum WHERE 0;
";

/// Columns of a table that one checksum is over.
pub(super) struct ChecksummedColumns {
    /// Name of the table.
    pub(super) table: &'static str,
    /// What a row holds, for messages.
    pub(super) label: &'static str,
    /// The columns, in order; the first of them are the key.
    pub(super) columns: &'static [&'static str],
    /// How many columns are the key.
    pub(super) key_columns: usize,
    /// The column that holds the checksum.
    pub(super) checksum_column: &'static str,
    /// Differs between tables, so that equal values in two tables have different checksums.
    seed: u64,
}

macro_rules! checksummed_columns {
    ($($name:ident = $table:literal, $label:literal, $key:literal, $sum:literal, $seed:literal, [$($column:literal),+ $(,)?];)+) => {
        $(pub(super) const $name: ChecksummedColumns = ChecksummedColumns {
            table: $table,
            label: $label,
            columns: &[$($column),+],
            key_columns: $key,
            checksum_column: $sum,
            seed: $seed,
        };)+
        /// All of them.
        pub(super) const ALL: &[&ChecksummedColumns] = &[$(&$name),+];
    };
}

checksummed_columns! {
    META = "meta", "what the record is of", 1, "sum", 1, ["key", "value"];
    SESSIONS = "sessions", "a session", 1, "sum", 2, ["id", "began"];
    SESSION_ENDS = "sessions", "the end of a session", 1, "end_sum", 3, ["id", "ended", "state"];
    ITEMS = "items", "an item", 1, "sum", 4, ["idx", "id", "digest"];
    ITEM_ENDS = "items", "the end of an item", 1, "end_sum", 5,
        ["idx", "state", "stopped_by", "fault", "rows", "rows_sum", "files_sum"];
    RESULTS = "results", "a result", 3, "sum", 6,
        ["item", "stage", "call", "session", "state", "output", "tensors", "kind", "message", "attempts", "began_us",
         "took_us", "memo_hit", "memo_input", "memo_key"];
    COMPLETIONS = "model_calls", "a completion", 1, "sum", 7,
        ["seq", "session", "model", "stage", "item", "source", "tier", "failure", "tries", "tokens_in", "tokens_out",
         "usd", "began_us", "took_us", "open"];
    EVENTS = "events", "an event", 1, "sum", 8, ["seq", "session", "at_us", "event"];
    LOOKUPS = "lookups", "what a cache was asked", 1, "sum", 9, ["seq", "session", "stage", "item", "asked", "found"];
    ROUTE_ROWS = "routes", "a decision", 2, "sum", 10,
        ["item", "stage", "context", "attempts", "scores", "reward", "objectives", "settled"];
    ROUTE_STARTS = "route_starts", "what a route began with", 1, "sum", 11, ["stage", "state"];
    TRIALS = "trials", "a trial", 1, "sum", 12, ["item", "outcome", "settled"];
    EXCHANGES = "exchanges", "what was asked of a model", 4, "sum", 13,
        ["item", "stage", "call", "seq", "session", "model", "request", "answer", "failure", "message", "source", "tier",
         "tries", "tokens_in", "tokens_out", "tokens_cached", "tokens_cache_write", "tokens_reasoning", "usd", "took_us"];
    COMPLETION_TOKENS = "completion_tokens", "the tokens of a completion", 1, "sum", 14,
        ["seq", "tokens_cached", "tokens_cache_write", "tokens_reasoning"];
    ITEM_VALUES = "item_values", "a value of an item", 2, "sum", 15, ["item", "wire", "value"];
}

impl ChecksummedColumns {
    /// The checksum of values in the order of the columns.
    pub(super) fn checksum_of(&self, values: &[ValueRef<'_>]) -> i64 {
        let mut checksum = RowChecksum::new(self.seed);
        values.iter().for_each(|value| checksum.add(*value));
        checksum.finish()
    }

    /// The checksum of a row whose first columns are these.
    fn checksum_of_row(&self, row: &Row<'_>) -> rusqlite::Result<i64> {
        let mut checksum = RowChecksum::new(self.seed);
        for index in 0..self.columns.len() {
            checksum.add(row.get_ref(index)?);
        }
        Ok(checksum.finish())
    }

    /// The checksum of a row whose first columns are these; none if the one that is stored in the column after them is
    /// another.
    pub(super) fn verified_checksum(&self, row: &Row<'_>) -> rusqlite::Result<Option<i64>> {
        let checksum = self.checksum_of_row(row)?;
        let stored = row.get_ref(self.columns.len())?;
        Ok((stored == ValueRef::Integer(checksum)).then_some(checksum))
    }

    /// The columns and the checksum, as a query names them.
    pub(super) fn column_list(&self) -> String {
        format!("{}, {}", self.columns.join(", "), self.checksum_column)
    }

    /// The condition of a statement on a row with a given key, whose values are its parameters from `first` on.
    pub(super) fn key_condition(&self, first: usize) -> String {
        let keys = self.columns[..self.key_columns].iter().zip(first..);
        let conditions: Vec<String> = keys.map(|(key, parameter)| format!("{key} = ?{parameter}")).collect();
        conditions.join(" AND ")
    }

    /// Executes a statement with these values and, after them, their checksum, which is returned.
    pub(super) fn write(&self, db: &Connection, sql: &str, values: &[ValueRef<'_>]) -> rusqlite::Result<i64> {
        debug_assert_eq!(values.len(), self.columns.len());
        let checksum = self.checksum_of(values);
        let parameters = values.iter().copied().chain([ValueRef::Integer(checksum)]).map(BoundValue);
        db.prepare_cached(sql)?.execute(params_from_iter(parameters))?;
        Ok(checksum)
    }
}

/// A value as a parameter of a statement.
pub(super) struct BoundValue<'a>(pub(super) ValueRef<'a>);

impl ToSql for BoundValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// A number; one that SQLite cannot hold becomes the largest that it can.
pub(super) fn integer(number: impl TryInto<i64>) -> ValueRef<'static> {
    ValueRef::Integer(number.try_into().unwrap_or(i64::MAX))
}

/// A text.
pub(super) fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

/// A value that may be absent, and how it is stored otherwise.
pub(super) fn optional<T>(value: Option<T>, stored: impl FnOnce(T) -> ValueRef<'static>) -> ValueRef<'static> {
    value.map_or(ValueRef::Null, stored)
}

/// A text that may be absent.
pub(super) fn optional_text(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, text)
}

/// Bytes that may be absent.
pub(super) fn optional_bytes(value: Option<&[u8]>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, ValueRef::Blob)
}

/// Why the tables of a file cannot be used.
pub(super) enum TablesError {
    /// It was written by a later program.
    Newer(i64),
    /// Its version and its tables do not go together, in this way.
    Inconsistent(&'static str),
    /// SQLite reports an error.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for TablesError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The version of a file; 0 for one without tables.
fn version(db: &Connection) -> Result<i64, TablesError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let has_table = |table: &str| -> rusqlite::Result<bool> {
        db.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)", [table], |row| row.get(0))
    };
    match version {
        VERSION.. if version > VERSION => Err(TablesError::Newer(version)),
        0 if has_table("items")? => Err(TablesError::Inconsistent("it has tables and no version")),
        1..3 if has_table("meta")? => Err(TablesError::Inconsistent("its version is older than its tables")),
        1..4 if has_table("trials")? => Err(TablesError::Inconsistent("its version is older than its tables")),
        1..5 if has_table("exchanges")? => Err(TablesError::Inconsistent("its version is older than its tables")),
        1..6 if has_table("item_values")? => Err(TablesError::Inconsistent("its version is older than its tables")),
        ..0 => Err(TablesError::Inconsistent("it has no version")),
        _ => Ok(version),
    }
}

/// Makes the tables that are missing; the rows of an older file get their checksums.
pub(super) fn create_or_upgrade(db: &Connection) -> Result<(), TablesError> {
    let before = version(db)?;
    if before == VERSION {
        return Ok(());
    }
    db.execute_batch("BEGIN IMMEDIATE")?;
    if before < 1 {
        db.execute_batch(TABLES_V1)?;
    }
    if before < 2 {
        db.execute_batch(ROUTES_V2)?;
    }
    if before < 3 {
        db.execute_batch(CHECKSUMS_V3)?;
    }
    if before < 4 {
        db.execute_batch(TRIALS_V4)?;
    }
    if before < 5 {
        db.execute_batch(EXCHANGES_V5)?;
    }
    db.execute_batch(ITEM_VALUES_V6)?;
    if (1..3).contains(&before) {
        write_all_checksums(db)?;
    }
    db.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT;"))?;
    Ok(())
}

/// Lets a connection that only reads see the tables of an older file as those of this version. Returns whether rows have
/// checksums.
pub(super) fn add_views_of_older(db: &Connection) -> Result<bool, TablesError> {
    let before = version(db)?;
    if before == VERSION {
        return Ok(true);
    }
    if before == 0 {
        return Err(TablesError::Inconsistent("it has no tables"));
    }
    db.execute_batch(EMPTY_ITEM_VALUES)?;
    if before < 5 {
        db.execute_batch(EMPTY_EXCHANGES)?;
    }
    if before < 4 {
        db.execute_batch(EMPTY_TRIALS)?;
    }
    if before >= 3 {
        return Ok(true);
    }
    db.execute_batch(VIEWS)?;
    db.execute_batch(if before < 2 { EMPTY_ROUTES } else { VIEWS_V2 })?;
    Ok(false)
}

/// Gives every row its checksum, and every item that is done the sum of those of its results.
fn write_all_checksums(db: &Connection) -> rusqlite::Result<()> {
    for columns in ALL {
        // The end of an item holds the sum of the checksums of its results, which come first.
        if columns.table != "items" || columns.checksum_column != "end_sum" {
            write_checksums(db, columns)?;
        }
    }
    db.execute_batch(
        "UPDATE items SET rows = (SELECT COUNT(*) FROM results WHERE item = idx) WHERE state IS NOT NULL;",
    )?;
    let mut items = db.prepare("SELECT idx FROM items WHERE state IS NOT NULL")?;
    let mut checksums = db.prepare("SELECT sum FROM results WHERE item = ?1")?;
    let mut update = db.prepare("UPDATE items SET rows_sum = ?2 WHERE idx = ?1")?;
    let mut rows = items.query([])?;
    while let Some(row) = rows.next()? {
        let item: i64 = row.get(0)?;
        let mut sum = 0_i64;
        for checksum in checksums.query_map([item], |row| row.get::<_, i64>(0))? {
            sum = sum.wrapping_add(checksum?);
        }
        update.execute([item, sum])?;
    }
    write_checksums(db, &ITEM_ENDS)
}

/// Gives each row of a table its checksum.
pub(super) fn write_checksums(db: &Connection, columns: &ChecksummedColumns) -> rusqlite::Result<()> {
    let (table, checksum_column) = (columns.table, columns.checksum_column);
    let condition = columns.key_condition(2);
    let mut update = db.prepare(&format!("UPDATE {table} SET {checksum_column} = ?1 WHERE {condition}"))?;
    let mut query = db.prepare(&format!("SELECT {} FROM {table}", columns.column_list()))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let checksum = columns.checksum_of_row(row)?;
        let key = (0..columns.key_columns).map(|index| row.get_ref(index)).collect::<rusqlite::Result<Vec<_>>>()?;
        let parameters = [ValueRef::Integer(checksum)].into_iter().chain(key).map(BoundValue);
        update.execute(params_from_iter(parameters))?;
    }
    Ok(())
}
