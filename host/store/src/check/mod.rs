//! Whether a run's SQLite file is what was written: every row against its checksum, every item that is done against the
//! number of its results, the whole against `run.json`.
//!
//! Whoever reads the file checks it first, and reports what is wrong rather than showing it. A run that goes on repairs its
//! file: a damaged row is removed, and the call that it recorded is made again.

mod damage;
mod repair;
mod scan;

use damage::{DamagedResult, DamagedRow, Inspection};

use super::{
    Db, RunJson, StoreError,
    blobs::{BlobCheck, CheckDepth},
    tables,
};

impl Db {
    /// Checks every row before any is shown, and whether the file goes with `run.json`.
    ///
    /// # Errors
    /// If a row is damaged, if some are missing, or if it is the record of another run.
    pub fn verify(&self, run: &RunJson) -> Result<(), StoreError> {
        self.belongs_to(run)?;
        let found = self.inspect()?;
        self.goes_with(run, &found)?;
        self.must_be_clean(run, &found)
    }

    /// Checks every row of an item before any is shown.
    ///
    /// # Errors
    /// As those of [`verify`](Self::verify).
    pub fn verify_item(&self, item: i64, run: &RunJson) -> Result<(), StoreError> {
        self.belongs_to(run)?;
        if !self.has_checksums {
            return Ok(());
        }
        let mut found = Inspection::default();
        let mut blobs = BlobCheck::beside(&self.path, CheckDepth::Length);
        let (mut result_count, mut result_sum) = (0_i64, 0_i64);
        // What the end of the item says of its results.
        let mut recorded_results: Option<(i64, i64)> = None;
        self.run(|db| {
            for (columns, key) in [
                (&tables::ITEMS, "idx"),
                (&tables::ITEM_ENDS, "idx"),
                (&tables::RESULTS, "item"),
                (&tables::EXCHANGES, "item"),
            ] {
                let sql = format!("SELECT {} FROM {} WHERE {key} = ?1", columns.column_list(), columns.table);
                let mut query = db.prepare_cached(&sql)?;
                let mut rows = query.query([item])?;
                while let Some(row) = rows.next()? {
                    let Some(checksum) = columns.verified_checksum(row)? else {
                        found.damaged_rows.push(DamagedRow::of_row(columns, row)?);
                        continue;
                    };
                    if columns.table == "results" {
                        if let Some(fault) = scan::tensor_fault(row, &mut blobs)? {
                            let row = DamagedRow::of_row(columns, row)?;
                            found.results_without_tensors.push(DamagedResult { row, fault });
                        }
                        result_count += 1;
                        result_sum = result_sum.wrapping_add(checksum);
                    } else if columns.checksum_column == "end_sum" {
                        recorded_results = row.get::<_, Option<i64>>(4)?.zip(row.get(5)?);
                    }
                }
            }
            Ok(())
        })?;
        let is_incomplete = recorded_results.is_some_and(|recorded| recorded != (result_count, result_sum));
        if found.damaged_rows.is_empty() && is_incomplete {
            found.incomplete_items.push(item);
        }
        self.must_be_clean(run, &found)
    }

    fn must_be_clean(&self, run: &RunJson, found: &Inspection) -> Result<(), StoreError> {
        if found.is_clean() {
            return Ok(());
        }
        Err(StoreError::DamagedRows { path: self.path.clone(), what: found.describe(&run.plan) })
    }

    fn belongs_to(&self, run: &RunJson) -> Result<(), StoreError> {
        match self.recorded_run()? {
            Some(found) if found != run.run => {
                Err(StoreError::OtherRun { path: self.path.clone(), found, wanted: run.run.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Rows are damaged; they do not vanish. A file with fewer of them than were counted is another one.
    fn goes_with(&self, run: &RunJson, found: &Inspection) -> Result<(), StoreError> {
        let Some(expected) = run.recorded else { return Ok(()) };
        let found = found.recorded();
        for (what, found, expected) in [
            ("items", found.items, expected.items),
            ("results", found.results, expected.results),
            ("completions", found.completions, expected.completions),
            ("decisions", found.decisions, expected.decisions),
            ("lookups of caches", found.lookups, expected.lookups),
            ("events", found.events, expected.events),
        ] {
            if found < expected {
                let message = format!("it holds {found} {what}, `run.json` counts {expected}");
                return Err(StoreError::Contradiction { path: self.path.clone(), message });
            }
        }
        Ok(())
    }
}
