//! Checking every row of a run's SQLite file.

use std::collections::BTreeSet;

use jackfield_plugin_api::to_hex;
use rusqlite::{Row, Rows};

use super::{DamagedResult, DamagedRow, Inspection};
use crate::{
    Db, StoreError,
    blobs::{BLOBS, BlobCheck, CheckDepth},
    references::named_tensors,
    tables::{self, ALL, ChecksummedColumns},
};

/// After so many damaged rows, no further ones are looked for.
const MAX_DAMAGED_ROWS: usize = 10_000;

impl Db {
    /// Checks every row, and whether the tensors that results name are there.
    pub(crate) fn inspect(&self) -> Result<Inspection, StoreError> {
        self.inspect_with(&mut BlobCheck::beside(&self.path, CheckDepth::Length))
    }

    /// Checks every row, and the tensors that results name.
    pub(super) fn inspect_with(&self, blobs: &mut BlobCheck) -> Result<Inspection, StoreError> {
        let mut found = Inspection::default();
        for columns in ALL {
            if columns.table != "results" {
                self.scan(columns, &mut found)?;
            }
        }
        self.scan_results(&mut found, blobs)?;
        // A page of another encoding makes all rows look damaged, and a repair would make everything again.
        let damaged_count = found.damaged_rows.len();
        if damaged_count >= MAX_DAMAGED_ROWS || damaged_count as u64 * 2 > found.row_count.max(8) {
            let message = "more of its rows are damaged than can be made again".to_owned();
            return Err(StoreError::Damaged { path: self.path.clone(), message });
        }
        let items_with_damage: BTreeSet<i64> = found.damaged_results().map(|row| row.key_number(0)).collect();
        found.incomplete_items.retain(|item| !items_with_damage.contains(item));
        Ok(found)
    }

    fn scan(&self, columns: &'static ChecksummedColumns, found: &mut Inspection) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {}", columns.column_list(), columns.table);
        self.run(|db| {
            let mut query = db.prepare(&sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                found.row_count += 1;
                match (columns.table, columns.checksum_column) {
                    ("items", "sum") => found.recorded.items += 1,
                    ("model_calls", _) => found.recorded.completions += 1,
                    ("routes" | "trials", _) => found.recorded.decisions += 1,
                    ("lookups", _) => found.recorded.lookups += 1,
                    ("events", _) => found.recorded.events += 1,
                    _ => {}
                }
                if self.has_checksums && columns.verified_checksum(row)?.is_none() {
                    found.damaged_rows.push(DamagedRow::of_row(columns, row)?);
                    if found.damaged_rows.len() >= MAX_DAMAGED_ROWS {
                        break;
                    }
                }
            }
            Ok(())
        })
    }

    /// Checks the results beside the items: both come in the order of the items.
    fn scan_results(&self, found: &mut Inspection, blobs: &mut BlobCheck) -> Result<(), StoreError> {
        let columns = &tables::RESULTS;
        let sql = format!("SELECT {} FROM results", columns.column_list());
        self.run(|db| {
            let mut query = db.prepare(&sql)?;
            let mut rows = query.query([])?;
            let mut items = db.prepare("SELECT idx, rows, rows_sum FROM items WHERE state IS NOT NULL ORDER BY idx")?;
            let mut items = items.query([])?;
            let mut next_done = next_done_item(&mut items)?;
            let (mut result_count, mut result_sum) = (0_i64, 0_i64);
            loop {
                let row = rows.next()?;
                let item = row.map(|row| row.get::<_, i64>(0).unwrap_or(i64::MIN));
                // All results of the items before this one have been seen.
                while let Some(done) = next_done
                    && item.is_none_or(|item| item > done.index)
                {
                    let is_complete = (done.result_count, done.result_sum) == (Some(result_count), Some(result_sum));
                    if self.has_checksums && !is_complete {
                        found.incomplete_items.push(done.index);
                    }
                    (result_count, result_sum) = (0, 0);
                    next_done = next_done_item(&mut items)?;
                }
                let Some(row) = row else { return Ok(()) };
                found.row_count += 1;
                found.recorded.results += 1;
                match columns.verified_checksum(row)? {
                    Some(_) if let Some(fault) = tensor_fault(row, blobs)? => {
                        let row = DamagedRow::of_row(columns, row)?;
                        found.results_without_tensors.push(DamagedResult { row, fault });
                    }
                    Some(checksum) if next_done.is_some_and(|done| Some(done.index) == item) => {
                        result_count += 1;
                        result_sum = result_sum.wrapping_add(checksum);
                    }
                    None if self.has_checksums && found.damaged_rows.len() < MAX_DAMAGED_ROWS => {
                        found.damaged_rows.push(DamagedRow::of_row(columns, row)?);
                    }
                    _ => {}
                }
            }
        })
    }
}

/// What is wrong with the tensors that a result names, if anything is.
pub(super) fn tensor_fault(row: &Row<'_>, blobs: &mut BlobCheck) -> rusqlite::Result<Option<String>> {
    let Some(json) = row.get_ref("output")?.as_str_or_null().ok().flatten() else { return Ok(None) };
    // An answer whose references of tensors cannot be read was refused when it came.
    let tensors = named_tensors(json).unwrap_or_default();
    let mut first_fault = None;
    // All of them are checked: a tensor that is not checked is taken for one that nobody names, and is removed.
    for tensor in tensors {
        let fault = blobs.fault(tensor);
        if let (None, Some(fault)) = (&first_fault, fault) {
            first_fault = Some(format!("`{BLOBS}/{}` is {fault}", to_hex(&tensor.key)));
        }
    }
    Ok(first_fault)
}

/// An item that is done.
#[derive(Clone, Copy)]
struct DoneItem {
    index: i64,
    /// How many results it has.
    result_count: Option<i64>,
    /// The sum of their checksums.
    result_sum: Option<i64>,
}

fn next_done_item(items: &mut Rows<'_>) -> rusqlite::Result<Option<DoneItem>> {
    let Some(row) = items.next()? else { return Ok(None) };
    // A value of another type counts as missing: the row's own checksum shows that it is damaged.
    let number = |index: usize| row.get::<_, Option<i64>>(index).unwrap_or_default();
    Ok(Some(DoneItem { index: number(0).unwrap_or_default(), result_count: number(1), result_sum: number(2) }))
}
