//! The tables of a run's SQLite file, their versions, and the checksums of their rows.
//!
//! | version | what came |
//! | --- | --- |
//! | 1 | items, results, completions, events |
//! | 2 | routes |
//! | 3 | checksums of rows, whose record it is, what is spent before it is known what for |
//! | 4 | trials of a search |

use rusqlite::{Connection, Row, ToSql, params_from_iter, types::ToSqlOutput, types::ValueRef};

use super::checksum::RowSum;

/// The version that this program writes.
pub(super) const VERSION: i64 = 4;

const FIRST: &str = "
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

const ROUTES: &str = "
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
const SUMS: &str = "
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

const SEARCH: &str = "
CREATE TABLE trials (item INTEGER PRIMARY KEY, outcome TEXT NOT NULL, settled INTEGER NOT NULL, sum INTEGER);
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
const ROUTE_VIEWS: &str = "
CREATE TEMP VIEW routes AS SELECT *, NULL AS sum FROM main.routes;
CREATE TEMP VIEW route_starts AS SELECT *, NULL AS sum FROM main.route_starts;
";
const NO_ROUTES: &str = "
CREATE TEMP VIEW routes AS SELECT 0 AS item, 0 AS stage, '' AS context, '' AS attempts, '' AS scores, 0.0 AS reward,
    '' AS objectives, 0 AS settled, NULL AS sum WHERE 0;
CREATE TEMP VIEW route_starts AS SELECT 0 AS stage, '' AS state, NULL AS sum WHERE 0;
";

const NO_TRIALS: &str = "
CREATE TEMP VIEW trials AS SELECT 0 AS item, '' AS outcome, 0 AS settled, NULL AS sum WHERE 0;
";

/// Columns of a table that one checksum is over.
pub(super) struct Sealed {
    /// Of the table.
    pub(super) name: &'static str,
    /// What it holds, for people.
    pub(super) what: &'static str,
    /// The columns, in order; the first of them are the key.
    pub(super) columns: &'static [&'static str],
    /// How many columns are the key.
    pub(super) key: usize,
    /// The column of the checksum.
    pub(super) sum: &'static str,
    seed: u64,
}

macro_rules! sealed {
    ($($name:ident = $table:literal, $what:literal, $key:literal, $sum:literal, $seed:literal, [$($column:literal),+ $(,)?];)+) => {
        $(pub(super) const $name: Sealed = Sealed {
            name: $table, what: $what, columns: &[$($column),+], key: $key, sum: $sum, seed: $seed,
        };)+
        /// All of them.
        pub(super) const ALL: &[&Sealed] = &[$(&$name),+];
    };
}

sealed! {
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
}

impl Sealed {
    /// The checksum of values in the order of the columns.
    pub(super) fn sum_of(&self, values: &[ValueRef<'_>]) -> i64 {
        let mut sum = RowSum::new(self.seed);
        values.iter().for_each(|value| sum.add(*value));
        sum.end()
    }

    /// That of a row whose first columns are these; none if its own checksum, in the column after them, is another.
    pub(super) fn checked(&self, row: &Row<'_>) -> rusqlite::Result<Option<i64>> {
        let mut sum = RowSum::new(self.seed);
        for at in 0..self.columns.len() {
            sum.add(row.get_ref(at)?);
        }
        let own = row.get_ref(self.columns.len())?;
        Ok((own == ValueRef::Integer(sum.end())).then(|| sum.end()))
    }

    /// The columns and the checksum, as a query names them.
    pub(super) fn listed(&self) -> String {
        format!("{}, {}", self.columns.join(", "), self.sum)
    }

    /// Executes a statement with these values and their checksum after them.
    pub(super) fn put(&self, db: &Connection, sql: &str, values: &[ValueRef<'_>]) -> rusqlite::Result<i64> {
        debug_assert_eq!(values.len(), self.columns.len());
        let sum = self.sum_of(values);
        let all = values.iter().copied().chain([ValueRef::Integer(sum)]).map(Bound);
        db.prepare_cached(sql)?.execute(params_from_iter(all))?;
        Ok(sum)
    }
}

/// A value on its way into a statement.
pub(super) struct Bound<'a>(pub(super) ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// A count.
pub(super) fn int(number: impl TryInto<i64>) -> ValueRef<'static> {
    ValueRef::Integer(number.try_into().unwrap_or(i64::MAX))
}

/// A text.
pub(super) fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

/// A value that may be absent.
pub(super) fn maybe<T>(value: Option<T>, of: impl FnOnce(T) -> ValueRef<'static>) -> ValueRef<'static> {
    value.map_or(ValueRef::Null, of)
}

/// A text that may be absent.
pub(super) fn maybe_text(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, text)
}

/// Bytes that may be absent.
pub(super) fn maybe_bytes(value: Option<&[u8]>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, ValueRef::Blob)
}

/// Why a file is not read.
pub(super) enum Refusal {
    /// It was written by a later program.
    Newer(i64),
    /// Its version and its tables do not go together.
    Torn(&'static str),
    /// What SQLite says.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The version of a file; 0 for one without tables.
fn version(db: &Connection) -> Result<i64, Refusal> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let has = |table: &str| -> rusqlite::Result<bool> {
        db.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)", [table], |row| row.get(0))
    };
    match version {
        VERSION.. if version > VERSION => Err(Refusal::Newer(version)),
        0 if has("items")? => Err(Refusal::Torn("it has tables and no version")),
        1..3 if has("meta")? => Err(Refusal::Torn("its version is older than its tables")),
        1..VERSION if has("trials")? => Err(Refusal::Torn("its version is older than its tables")),
        ..0 => Err(Refusal::Torn("it has no version")),
        _ => Ok(version),
    }
}

/// Makes the tables that are not there; those of an older file get their checksums.
pub(super) fn set_up(db: &Connection) -> Result<(), Refusal> {
    let before = version(db)?;
    if before == VERSION {
        return Ok(());
    }
    db.execute_batch("BEGIN IMMEDIATE")?;
    if before < 1 {
        db.execute_batch(FIRST)?;
    }
    if before < 2 {
        db.execute_batch(ROUTES)?;
    }
    if before < 3 {
        db.execute_batch(SUMS)?;
    }
    db.execute_batch(SEARCH)?;
    if (1..3).contains(&before) {
        seal_all(db)?;
    }
    db.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT;"))?;
    Ok(())
}

/// Lets a connection that only reads see the tables of an older file as those of today. True if rows have checksums.
pub(super) fn look(db: &Connection) -> Result<bool, Refusal> {
    let before = version(db)?;
    if before == VERSION {
        return Ok(true);
    }
    if before == 0 {
        return Err(Refusal::Torn("it has no tables"));
    }
    db.execute_batch(NO_TRIALS)?;
    if before >= 3 {
        return Ok(true);
    }
    db.execute_batch(VIEWS)?;
    db.execute_batch(if before < 2 { NO_ROUTES } else { ROUTE_VIEWS })?;
    Ok(false)
}

/// Gives every row that is there its checksum, and every item that is done the sum of its results.
fn seal_all(db: &Connection) -> rusqlite::Result<()> {
    for sealed in ALL {
        if sealed.name == "items" && sealed.sum == "end_sum" {
            continue;
        }
        seal(db, sealed)?;
    }
    db.execute_batch(
        "UPDATE items SET rows = (SELECT COUNT(*) FROM results WHERE item = idx) WHERE state IS NOT NULL;",
    )?;
    let mut items = db.prepare("SELECT idx FROM items WHERE state IS NOT NULL")?;
    let mut sums = db.prepare("SELECT sum FROM results WHERE item = ?1")?;
    let mut update = db.prepare("UPDATE items SET rows_sum = ?2 WHERE idx = ?1")?;
    let mut rows = items.query([])?;
    while let Some(row) = rows.next()? {
        let item: i64 = row.get(0)?;
        let mut sum = 0_i64;
        for one in sums.query_map([item], |row| row.get::<_, i64>(0))? {
            sum = sum.wrapping_add(one?);
        }
        update.execute([item, sum])?;
    }
    seal(db, &ITEM_ENDS)
}

/// Gives each row of a table its checksum.
pub(super) fn seal(db: &Connection, sealed: &Sealed) -> rusqlite::Result<()> {
    let keys = &sealed.columns[..sealed.key];
    let place: Vec<String> = keys.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", at + 2)).collect();
    let mut update =
        db.prepare(&format!("UPDATE {} SET {} = ?1 WHERE {}", sealed.name, sealed.sum, place.join(" AND ")))?;
    let mut query = db.prepare(&format!("SELECT {} FROM {}", sealed.listed(), sealed.name))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut sum = RowSum::new(sealed.seed);
        for at in 0..sealed.columns.len() {
            sum.add(row.get_ref(at)?);
        }
        let key = (0..sealed.key).map(|at| row.get_ref(at)).collect::<rusqlite::Result<Vec<_>>>()?;
        let all = [ValueRef::Integer(sum.end())].into_iter().chain(key).map(Bound);
        update.execute(params_from_iter(all))?;
    }
    Ok(())
}
