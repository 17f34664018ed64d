//! Places found by a hash: for tables of a few names or nodes, which are made once for each program.

use crate::primitives::words::first_place;

/// Places by hash, each of something that the user of the table holds.
pub(super) struct Places {
    /// For each slot, nothing (0) or a place and one. There is always a slot with nothing.
    slots: Vec<u32>,
}

impl Places {
    /// A table for at most so many places.
    pub(super) fn new(most: usize) -> Places {
        Places { slots: vec![0; (2 * most + 1).next_power_of_two()] }
    }

    /// The place of this hash that is the one, if there is one.
    pub(super) fn find(&self, hash: u32, is_it: impl FnMut(usize) -> bool) -> Option<u32> {
        self.look(hash, is_it).ok()
    }

    /// The place of this hash that is the one; if there is none, it is `place` from now on, and nothing is given.
    pub(super) fn find_or_add(&mut self, hash: u32, place: u32, is_it: impl FnMut(usize) -> bool) -> Option<u32> {
        match self.look(hash, is_it) {
            Ok(known) => Some(known),
            Err(slot) => {
                self.slots[slot] = place + 1;
                None
            }
        }
    }

    /// The place, or else the slot for it.
    fn look(&self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Result<u32, usize> {
        let mut slot = first_place(hash, self.slots.len());
        while let Some(place) = self.slots[slot].checked_sub(1) {
            if is_it(place as usize) {
                return Ok(place);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        Err(slot)
    }
}
