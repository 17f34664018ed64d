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
        let mut candidates = Candidates { most, flawed: Vec::new(), others: Vec::new() };
        db.each_item(|row| {
            let is_flawed = row.fault.is_some() || ItemCells::read(run, db, &row)?.is_flawed();
            candidates.add(row.index, is_flawed);
            Ok(())
        })?;
        Ok(Self::Some(candidates.chosen()))
    }

    /// Whether the item at this position is on the page.
    pub(super) fn has(&self, index: u64) -> bool {
        match self {
            Self::All => true,
            Self::Some(chosen) => chosen.contains(&index),
        }
    }
}

/// Never more than twice as many items as may be chosen.
struct Candidates {
    most: usize,
    flawed: Vec<u64>,
    others: Vec<u64>,
}

impl Candidates {
    fn add(&mut self, index: u64, is_flawed: bool) {
        let group = if is_flawed { &mut self.flawed } else { &mut self.others };
        if group.len() < self.most {
            group.push(index);
        }
    }

    fn chosen(self) -> BTreeSet<u64> {
        self.flawed.into_iter().chain(self.others).take(self.most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_with_a_flaw_are_chosen_first_and_then_those_that_come_first() {
        let chosen = |most, flawed: &[u64]| {
            let mut candidates = Candidates { most, flawed: Vec::new(), others: Vec::new() };
            (0..10).for_each(|index| candidates.add(index, flawed.contains(&index)));
            candidates.chosen().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(chosen(4, &[7, 9]), [0, 1, 7, 9]);
        assert_eq!(chosen(2, &[3, 7, 9]), [3, 7]);
    }
}
