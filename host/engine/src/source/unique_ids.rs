//! Ids that tell items apart: an id that was given before gets a number.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::seed::name_of;

/// What an item is called, and what its random choices derive from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// No other item's.
    pub(super) id: String,
    /// [`name_of`] its id, or of what tells it from the others of its id: an item whose id is its own keeps its seed, whatever
    /// other items are called.
    pub(super) seed: u64,
    /// Whether the id is another than it came with.
    pub(super) renamed: bool,
}

/// The ids given so far, as hashes of 64 bits: some 20 MB for a million items. Two ids of the same hash would cost the
/// later one its plain id, and nothing else.
#[derive(Default)]
pub(super) struct UniqueIds {
    /// Ids as they came.
    came: FxHashSet<u64>,
    /// Ids that were made here.
    made: FxHashSet<u64>,
    /// How many items came with an id, for those that came more than once.
    times: FxHashMap<u64, u64>,
}

impl UniqueIds {
    /// The id of the next item: `id`, or `id#2` for the second item that comes with it, and so on.
    pub(super) fn name(&mut self, id: &str) -> Named {
        let seed = name_of(id);
        let first = self.came.insert(seed);
        if first && !self.made.contains(&seed) {
            return Named { id: id.to_owned(), seed, renamed: false };
        }
        let times = self.times.entry(seed).or_insert(1);
        loop {
            *times += 1;
            let made = format!("{id}#{times}");
            let hash = name_of(&made);
            if self.came.contains(&hash) || !self.made.insert(hash) {
                continue;
            }
            // The name of the made id may yet come with an item of its own.
            let seed = if first { seed } else { name_of(&format!("{id}\0{times}")) };
            return Named { id: made, seed, renamed: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn named(ids: &[&str]) -> Vec<Named> {
        let mut unique = UniqueIds::default();
        ids.iter().map(|id| unique.name(id)).collect()
    }

    fn ids(given: &[&str]) -> Vec<String> {
        named(given).into_iter().map(|named| named.id).collect()
    }

    #[test]
    fn the_later_items_of_an_id_get_numbers() {
        assert_eq!(ids(&["a", "b", "a", "a", "b"]), ["a", "b", "a#2", "a#3", "b#2"]);
    }

    #[test]
    fn a_number_that_another_item_came_with_is_passed_over() {
        assert_eq!(ids(&["a#2", "a", "a"]), ["a#2", "a", "a#3"]);
        assert_eq!(ids(&["a", "a", "a#2", "a#2"]), ["a", "a#2", "a#2#2", "a#2#3"]);
    }

    #[test]
    fn what_came_once_keeps_its_seed_even_where_its_id_was_made_for_another() {
        let given = named(&["a", "a", "a#2"]);
        assert_eq!((given[0].seed, given[2].seed), (name_of("a"), name_of("a#2")));
        assert!(given[1].seed != name_of("a") && given[1].seed != name_of("a#2"));
    }

    #[test]
    fn many_items_of_one_id_take_no_longer_than_others() {
        let mut unique = UniqueIds::default();
        let last = (0..20_000).map(|_| unique.name("same")).last().expect("items");
        assert_eq!(last.id, "same#20000");
    }

    proptest! {
        #[test]
        fn all_ids_differ_and_single_ones_stay(given in prop::collection::vec("[ab](#[23])?(#2)?", 0..24)) {
            let mut unique = UniqueIds::default();
            let named: Vec<Named> = given.iter().map(|id| unique.name(id)).collect();
            let ids: BTreeSet<&str> = named.iter().map(|named| named.id.as_str()).collect();
            prop_assert_eq!(ids.len(), given.len());
            let seeds: BTreeSet<u64> = named.iter().map(|named| named.seed).collect();
            prop_assert_eq!(seeds.len(), given.len());
            let mut counts = BTreeMap::<&str, usize>::new();
            given.iter().for_each(|id| *counts.entry(id).or_default() += 1);
            for (id, named) in given.iter().zip(&named) {
                if counts[id.as_str()] == 1 {
                    prop_assert_eq!(named.seed, name_of(id));
                }
            }
        }
    }
}
