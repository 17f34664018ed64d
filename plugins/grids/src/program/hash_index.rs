//! Places found by a hash: where a name or a node is among those of a program, or of many.

use crate::primitives::words::first_place;

/// Places by hash, each of something that the user of the table holds.
pub(crate) struct Places {
    /// For each slot, nothing (0) or a hash, in the upper half, and its place and one. At least half of them have nothing.
    slots: Vec<u64>,
    count: usize,
}

impl Places {
    /// A table for so many places before it grows.
    pub(crate) fn new(most: usize) -> Places {
        Places { slots: vec![0; (2 * most.max(1)).next_power_of_two()], count: 0 }
    }

    /// The place of this hash that is the one, if there is one.
    pub(crate) fn find(&self, hash: u32, is_it: impl FnMut(usize) -> bool) -> Option<u32> {
        self.look(hash, is_it).ok()
    }

    /// The place of this hash that is the one; if there is none, it is `place` from now on, and nothing is given.
    pub(crate) fn find_or_add(&mut self, hash: u32, place: u32, is_it: impl FnMut(usize) -> bool) -> Option<u32> {
        let slot = match self.look(hash, is_it) {
            Ok(known) => return Some(known),
            Err(slot) => slot,
        };
        self.slots[slot] = (u64::from(hash) << 32) + u64::from(place) + 1;
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
                && let Err(slot) = self.look((entry >> 32) as u32, |_| false)
            {
                self.slots[slot] = entry;
            }
        }
    }

    /// The place, or else the slot for it.
    fn look(&self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Result<u32, usize> {
        let mut slot = first_place(hash, self.slots.len());
        loop {
            let Some(entry) = self.slots[slot].checked_sub(1) else { return Err(slot) };
            if (entry >> 32) as u32 == hash && is_it(entry as u32 as usize) {
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
    fn places_are_found_however_many_share_a_hash() {
        let mut places = Places::new(0);
        // Things are numbers, and every seventh has the same hash.
        let hash = |thing: usize| thing as u32 % 7;
        for thing in 0..100 {
            assert_eq!(places.find(hash(thing), |at| at == thing), None);
            assert_eq!(places.find_or_add(hash(thing), thing as u32, |at| at == thing), None);
            assert_eq!(places.find_or_add(hash(thing), 1000, |at| at == thing), Some(thing as u32));
        }
        for thing in 0..100 {
            assert_eq!(places.find(hash(thing), |at| at == thing), Some(thing as u32));
        }
    }
}
