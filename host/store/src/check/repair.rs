//! Removing what is damaged in the file of a run that goes on, so that it is made again.

use rusqlite::Connection;

use super::{DamagedRow, Inspection};
use crate::{
    Db, RunJson, StoreError,
    blobs::{BlobCheck, CheckDepth},
    sessions,
    tables::{self, integer, text},
    writes::reopen_item,
};

impl Db {
    /// Checks every row of a run that goes on, and the tensors that results name, and removes what is damaged, so that it is
    /// made again. Returns what that was, in words; none if nothing was damaged. Tensors that no result names are removed.
    ///
    /// # Errors
    /// If the file does not go with `run.json`, or if what is damaged cannot be made again.
    pub fn repair(&self, run: &RunJson) -> Result<Option<String>, StoreError> {
        self.belongs_to(run)?;
        let mut blobs = BlobCheck::beside(&self.path, CheckDepth::Digest);
        let found = self.inspect_with(&mut blobs)?;
        self.goes_with(run, &found)?;
        if found.is_clean() {
            blobs.remove_unnamed()?;
            return Ok(None);
        }
        for row in &found.damaged_rows {
            if ["meta", "route_starts"].contains(&row.columns.table) {
                return Err(self.beyond_repair(row.columns.label));
            }
        }
        self.begin()?;
        if let Err(error) = self.run(|db| repair_rows(db, &found, &run.began)) {
            let _ = self.run(|db| db.execute_batch("ROLLBACK"));
            return Err(error);
        }
        self.commit()?;
        // A row whose key is damaged cannot be removed by its key.
        let mut blobs = BlobCheck::beside(&self.path, CheckDepth::Length);
        if !self.inspect_with(&mut blobs)?.is_clean() {
            return Err(self.beyond_repair("some of it"));
        }
        blobs.remove_unnamed()?;
        Ok(Some(found.describe(&run.plan)))
    }

    fn beyond_repair(&self, what: &str) -> StoreError {
        let message = format!("{what} is not as it was written, and cannot be made again");
        StoreError::Damaged { path: self.path.clone(), message }
    }
}

fn repair_rows(db: &Connection, found: &Inspection, run_began: &str) -> rusqlite::Result<()> {
    for row in &found.damaged_rows {
        repair_row(db, row, run_began)?;
    }
    for result in &found.results_without_tensors {
        repair_row(db, &result.row, run_began)?;
    }
    let mut has_damaged_completions = false;
    for row in found.damaged_rows.iter().filter(|row| row.columns.table == "model_calls") {
        replace_completion(db, row.key_number(0))?;
        has_damaged_completions = true;
    }
    if has_damaged_completions {
        tables::write_checksums(db, &tables::COMPLETIONS)?;
    }
    found.incomplete_items.iter().try_for_each(|item| reopen_item(db, *item))
}

fn repair_row(db: &Connection, row: &DamagedRow, run_began: &str) -> rusqlite::Result<()> {
    match (row.columns.table, row.columns.checksum_column) {
        ("sessions", "sum") => repair_session(db, row.key_number(0), Some(run_began)),
        ("sessions", _) => repair_session(db, row.key_number(0), None),
        // The item is taken up as if it were new; its results are still known by its position.
        ("items", "sum") => remove_row(db, row),
        ("items", _) => reopen_item(db, row.key_number(0)),
        ("results", _) => {
            remove_row(db, row)?;
            reopen_item(db, row.key_number(0))
        }
        ("routes", _) => {
            remove_row(db, row)?;
            // The decision is made again, and its call with it: nothing says that it would be the same arm.
            let (item, stage) = (row.key_number(0), row.key_number(1));
            db.execute("DELETE FROM results WHERE item = ?1 AND stage = ?2", [item, stage])?;
            reopen_item(db, item)
        }
        // The item is taken up again, and its values are read again.
        ("item_values", _) => {
            remove_row(db, row)?;
            reopen_item(db, row.key_number(0))
        }
        // The values are picked again, and are the same.
        ("trials", _) => {
            remove_row(db, row)?;
            reopen_item(db, row.key_number(0))
        }
        _ => remove_row(db, row),
    }
}

fn remove_row(db: &Connection, row: &DamagedRow) -> rusqlite::Result<()> {
    let sql = format!("DELETE FROM {} WHERE {}", row.columns.table, row.columns.key_condition(1));
    db.execute(&sql, rusqlite::params_from_iter(&row.key)).map(drop)
}

/// Repairs a session whose own row is damaged: it began with the run, and was interrupted.
fn repair_session(db: &Connection, session: i64, began: Option<&str>) -> rusqlite::Result<()> {
    if let Some(began) = began {
        let sql = "UPDATE sessions SET began = ?2, sum = ?3 WHERE id = ?1";
        tables::SESSIONS.write(db, sql, &[integer(session), text(began)])?;
    }
    sessions::end_session(db, session, None, "interrupted")
}

/// Counts a completion whose damaged row was removed like the one with the most tokens, since nothing else is known of it.
fn replace_completion(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO model_calls (seq, session, model, stage, item, source, tries, tokens_in, tokens_out, usd, \
         began_us, took_us, open)
         SELECT ?1, session, model, stage, item, 'call', 1, MAX(tokens_in), tokens_out, usd, 0, 0, 1
         FROM model_calls HAVING COUNT(*) > 0",
        [seq],
    )?;
    Ok(())
}
