//! The trials of a search, in the SQLite file of a run.

use jackfield_plugin_api::Outcome;
use rusqlite::OptionalExtension as _;
use serde_json::Value;

use super::{
    Db, StoreError,
    tables::{META, TRIALS, integer, text},
};

/// A trial: the values that its stages run with, and their outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRecord {
    /// Position of the item.
    pub item: u64,
    /// Number, values, and what there is to learn from once it is settled.
    pub outcome: Outcome,
    /// Whether the trial is done.
    pub settled: bool,
}

/// What is recorded of the search of a run, apart from its trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchNote {
    /// What its study knew when the run began.
    Start,
    /// Before which trial it stopped, and why.
    Stop,
}

impl SearchNote {
    const fn key(self) -> &'static str {
        match self {
            Self::Start => "search-start",
            Self::Stop => "search-stop",
        }
    }
}

impl Db {
    /// Records what was decided about a trial and what came of it; what was recorded before is written over.
    pub(super) fn put_trial(&self, record: &TrialRecord) -> Result<(), StoreError> {
        let outcome = serde_json::to_string(&record.outcome).unwrap_or_default();
        self.run(|db| {
            let sql = "INSERT OR REPLACE INTO trials (item, outcome, settled, sum) VALUES (?1, ?2, ?3, ?4)";
            TRIALS.write(db, sql, &[integer(record.item), text(&outcome), integer(record.settled)]).map(drop)
        })
    }

    /// The trial at this position.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn trial(&self, item: u64) -> Result<Option<TrialRecord>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached("SELECT item, outcome, settled FROM trials WHERE item = ?1")?;
            query.query_row([item as i64], trial_record).optional()
        })
    }

    /// Calls `visit` for each trial, in order.
    ///
    /// # Errors
    /// If the record cannot be read; what `visit` gives.
    pub fn each_trial(&self, mut visit: impl FnMut(TrialRecord) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut from = 0_i64;
        loop {
            let page: Vec<TrialRecord> = self.run(|db| {
                let mut query = db.prepare_cached(
                    "SELECT item, outcome, settled FROM trials WHERE item >= ?1 ORDER BY item LIMIT 1000",
                )?;
                query.query_map([from], trial_record)?.collect()
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.item as i64 + 1;
            page.into_iter().try_for_each(&mut visit)?;
        }
    }

    /// When the last call of a session ended that has a result, in microseconds since the session began.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn last_result_us(&self, session: i64) -> Result<u64, StoreError> {
        self.run(|db| {
            let sql = "SELECT COALESCE(MAX(began_us + took_us), 0) FROM results WHERE session = ?1";
            db.query_row(sql, [session], |row| row.get::<_, i64>(0)).map(|us| us as u64)
        })
    }

    /// Something that is recorded of the search; none if it is not.
    ///
    /// # Errors
    /// If it is not valid JSON.
    pub fn search_note(&self, note: SearchNote) -> Result<Option<Value>, StoreError> {
        let stored: Option<String> = self.run(|db| {
            db.query_row("SELECT value FROM meta WHERE key = ?1", [note.key()], |row| row.get(0)).optional()
        })?;
        let damaged = |_| StoreError::Damaged {
            path: self.path.clone(),
            message: format!("`{}`, which is noted of the search, is not JSON", note.key()),
        };
        stored.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()
    }

    /// Records something of the search, or that it is no longer so.
    pub fn note_search(&self, note: SearchNote, value: Option<&Value>) -> Result<(), StoreError> {
        self.run(|db| match value {
            Some(value) => {
                let sql = "INSERT OR REPLACE INTO meta (key, value, sum) VALUES (?1, ?2, ?3)";
                META.write(db, sql, &[text(note.key()), text(&value.to_string())]).map(drop)
            }
            None => db.execute("DELETE FROM meta WHERE key = ?1", [note.key()]).map(drop),
        })
    }

    /// What the search of the run began with; none if that is not recorded yet.
    ///
    /// # Errors
    /// If it is not recorded, and yet there are trials: a search that began anew would decide otherwise.
    pub fn search_start(&self) -> Result<Option<Value>, StoreError> {
        let damaged = |message: &str| StoreError::Damaged { path: self.path.clone(), message: message.to_owned() };
        if let Some(start) = self.search_note(SearchNote::Start)? {
            return Ok(Some(start));
        }
        let decided = self.run(|db| db.query_row("SELECT EXISTS (SELECT 1 FROM trials)", [], |row| row.get(0)))?;
        if decided { Err(damaged("what the search began with is missing, and cannot be made again")) } else { Ok(None) }
    }
}

fn trial_record(row: &rusqlite::Row<'_>) -> rusqlite::Result<TrialRecord> {
    let outcome: String = row.get(1)?;
    let outcome = serde_json::from_str(&outcome).unwrap_or_default();
    Ok(TrialRecord { item: row.get::<_, i64>(0)? as u64, outcome, settled: row.get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::STORE;

    #[test]
    fn a_search_whose_beginning_is_gone_does_not_begin_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&folder.path().join(STORE)).expect("a record");
        assert_eq!(db.search_start().expect("read"), None);
        let known = serde_json::json!({ "trials": 3, "outcomes": [] });
        db.note_search(SearchNote::Start, Some(&known)).expect("noted");
        assert_eq!(db.search_start().expect("read"), Some(known));
        let values = [("a.b".to_owned(), Value::from(0.1))].into();
        let outcome = Outcome { trial: Some(4), values, reports: vec![0.25], ..Outcome::default() };
        let record = TrialRecord { item: 1, outcome, settled: false };
        db.put_trial(&record).expect("noted");
        assert_eq!(db.trial(1).expect("read"), Some(record));
        db.note_search(SearchNote::Start, None).expect("removed");
        assert!(db.search_start().expect_err("refused").to_string().contains("is missing"));
    }
}
