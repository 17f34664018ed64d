//! What is read of a run's SQLite file, row by row.
//!
//! Nothing here compares checksums: whoever reads a file checks all of it before (`check/`).

use std::{path::Path, sync::Arc};

use rusqlite::{OptionalExtension as _, Transaction, params};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    Blobs, Db, StoreError,
    rows::{ItemRow, ResultRow, StageCounts, item_row, result_row},
};
use crate::MemoNote;

impl Db {
    /// What the memo recorded of a stage's calls for an item, by the position of the call in the stage.
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
            let mut query = db.prepare(
                "SELECT idx, id, digest, state, fault, stopped_by, files_sum FROM items WHERE id = ?1 ORDER BY idx",
            )?;
            let mut with_id = |id: &str| query.query_row([id], item_row).optional();
            match with_id(id)? {
                // Ids have their characters composed, and a keyboard or a shell may give them otherwise.
                None if !id.is_ascii() => with_id(&id.nfc().collect::<String>()),
                found => Ok(found),
            }
        })
    }

    /// The item at a position.
    pub fn item(&self, index: u64) -> Result<Option<ItemRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT idx, id, digest, state, fault, stopped_by, files_sum FROM items WHERE idx = ?1",
            )?;
            query.query_row([index as i64], item_row).optional()
        })
    }

    /// The first items, in order, at most so many.
    pub fn first_items(&self, most: u32) -> Result<Vec<ItemRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT idx, id, digest, state, fault, stopped_by, files_sum FROM items ORDER BY idx LIMIT ?1",
            )?;
            query.query_map([most], item_row)?.collect()
        })
    }

    /// The results of an item, by stage and call; of stages that run once a run for
    /// [`OF_RUN`](crate::OF_RUN), and of those over all items for [`OVER_ALL`](crate::OVER_ALL).
    pub fn results(&self, item: i64) -> Result<Vec<ResultRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT stage, call, session, state, output, tensors, kind, message, attempts, began_us, took_us, memo_hit
                 FROM results WHERE item = ?1 ORDER BY stage, call",
            )?;
            let rows = query.query_map([item], result_row)?;
            rows.collect()
        })
    }

    /// The tensors of the run, which lie beside the file.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn blobs(&self) -> Result<Arc<Blobs>, StoreError> {
        Blobs::in_run(self.path.parent().unwrap_or(Path::new("")), u64::MAX)
    }

    /// The items from a position on, in order, at most so many.
    pub fn items_from(&self, from: u64, most: u32) -> Result<Vec<ItemRow>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare_cached(
                "SELECT idx, id, digest, state, fault, stopped_by, files_sum FROM items WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
            )?;
            query.query_map(params![i64::try_from(from).unwrap_or(i64::MAX), most], item_row)?.collect()
        })
    }

    /// The position of the last item that was taken up.
    pub(super) fn last_item(&self) -> Result<Option<u64>, StoreError> {
        let last: Option<i64> = self.run(|db| db.query_row("SELECT MAX(idx) FROM items", [], |row| row.get(0)))?;
        Ok(last.map(|last| last as u64))
    }

    /// Calls `visit` for every item, in order.
    pub fn each_item(&self, mut visit: impl FnMut(ItemRow) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let page = self.items_from(from, 1000)?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.index + 1;
            for item in page {
                visit(item)?;
            }
        }
    }

    /// One view of the record, for as long as it is held: the many queries of an export need not each take the lock of the file.
    /// Nothing may be written meanwhile. None within a transaction.
    pub(super) fn snapshot(&self) -> Result<Option<Transaction<'_>>, StoreError> {
        if !self.connection.is_autocommit() {
            return Ok(None);
        }
        self.connection.unchecked_transaction().map(Some).map_err(|error| self.error(&error))
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
                "SELECT stage, SUM(state = 0), SUM(state = 1), SUM(state = 2), SUM(state = 3) FROM results GROUP BY stage ORDER BY stage",
            )?;
            let rows = query.query_map([], |row| {
                let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
                Ok((row.get(0)?, StageCounts { ok: count(1)?, failed: count(2)?, skipped: count(3)?, off: count(4)? }))
            })?;
            rows.collect()
        })
    }

    /// How many items could not be read, or not written, and the first of them with what was wrong.
    pub fn item_faults(&self) -> Result<(u64, Option<(String, String)>), StoreError> {
        self.run(|db| {
            let count =
                db.query_row("SELECT COUNT(*) FROM items WHERE fault IS NOT NULL", [], |row| row.get::<_, i64>(0));
            let mut query = db.prepare("SELECT id, fault FROM items WHERE fault IS NOT NULL ORDER BY idx LIMIT 1")?;
            let first = query.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok((u64::try_from(count?).unwrap_or_default(), first))
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
