//! Indices found by a hash: the index of a name or a node among those of a program, or of many.

use crate::primitives::words::first_slot;

/// Indices by hash, each of something that the user of the table stores.
pub(crate) struct HashIndex {
    /// For each slot, 0 if it is empty, or a hash, in the upper half, and its index plus one. At least half of the slots are empty.
    slots: Vec<u64>,
    count: usize,
}

impl HashIndex {
    /// A table with room for `most` indices before it grows.
    pub(crate) fn new(most: usize) -> HashIndex {
        HashIndex { slots: vec![0; (2 * most.max(1)).next_power_of_two()], count: 0 }
    }

    /// The index with this hash for which `is_match` is true, if there is one.
    pub(crate) fn find(&self, hash: u32, is_match: impl FnMut(usize) -> bool) -> Option<u32> {
        self.slot_or_index(hash, is_match).ok()
    }

    /// The place of this hash that is the one; if there is none, `index` is added, and nothing is returned.
    pub(crate) fn find_or_add(&mut self, hash: u32, index: u32, is_match: impl FnMut(usize) -> bool) -> Option<u32> {
        let slot = match self.slot_or_index(hash, is_match) {
            Ok(known) => return Some(known),
            Err(slot) => slot,
        };
        self.slots[slot] = (u64::from(hash) << 32) + u64::from(index) + 1;
        self.count += 1;
        if self.count * 2 > self.slots.len() {
            self.grow();
        }
        None
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        for entry in std::mem::replace(&mut self.slots, larger) {
            if entry > 0
                && let Err(slot) = self.slot_or_index((entry >> 32) as u32, |_| false)
            {
                self.slots[slot] = entry;
            }
        }
    }

    /// The index, or else the slot for it.
    fn slot_or_index(&self, hash: u32, mut is_match: impl FnMut(usize) -> bool) -> Result<u32, usize> {
        let mut slot = first_slot(hash, self.slots.len());
        loop {
            let Some(entry) = self.slots[slot].checked_sub(1) else { return Err(slot) };
            if (entry >> 32) as u32 == hash && is_match(entry as u32 as usize) {
                return Ok(entry as u32);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_found_however_many_share_a_hash() {
        let mut table = HashIndex::new(0);
        // Things are numbers, and every seventh has the same hash.
        let hash = |thing: usize| thing as u32 % 7;
        for thing in 0..100 {
            assert_eq!(table.find(hash(thing), |at| at == thing), None);
            assert_eq!(table.find_or_add(hash(thing), thing as u32, |at| at == thing), None);
            assert_eq!(table.find_or_add(hash(thing), 1000, |at| at == thing), Some(thing as u32));
        }
        for thing in 0..100 {
            assert_eq!(table.find(hash(thing), |at| at == thing), Some(thing as u32));
        }
    }
}
