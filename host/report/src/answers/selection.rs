//! The items that are on the page, where a run has more than it has room for: first those with a flaw.

use std::collections::BTreeSet;

use jackfield_store::{Db, RunJson, StoreError};

use super::cells::ItemCells;

/// The most items on the page.
const MOST_ITEMS: usize = 20_000;
/// The most cells on the page.
const MOST_CELLS: usize = 300_000;

/// Which items are on the page.
pub(super) enum Selection {
    All,
    /// By position.
    Some(BTreeSet<u64>),
}

impl Selection {
    /// Chooses among the items of a record, each of which has so many columns.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(super) fn of(run: &RunJson, db: &Db, width: usize) -> Result<Self, StoreError> {
        let most = MOST_ITEMS.min(MOST_CELLS / (width + 1));
        let items: u64 = db.item_counts()?.iter().map(|(_, count)| count).sum();
        if items <= most as u64 {
            return Ok(Self::All);
        }
        let (mut flawed, mut others) = (Vec::new(), Vec::new());
        db.each_item(|row| {
            let is_flawed = row.fault.is_some() || ItemCells::read(run, db, &row)?.is_flawed();
            let group = if is_flawed { &mut flawed } else { &mut others };
            if group.len() < most {
                group.push(row.index);
            }
            Ok(())
        })?;
        Ok(Self::Some(flawed.into_iter().chain(others).take(most).collect()))
    }

    /// Whether the item at this position is on the page.
    pub(super) fn has(&self, index: u64) -> bool {
        match self {
            Self::All => true,
            Self::Some(chosen) => chosen.contains(&index),
        }
    }
}
