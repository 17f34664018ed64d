//! The items in flight.

use std::{
    mem,
    ops::{Index, IndexMut},
};

use crate::{index::ItemSlot, item::Item};

/// The items in flight, and those that have something to be reported.
#[derive(Default)]
pub(super) struct ItemsInFlight {
    /// Where an item stands from when it is admitted until it is done. Slots are used again, so that there are only as many as
    /// there were items in flight at a time.
    slots: Vec<Option<Item>>,
    /// The slots without an item.
    free: Vec<ItemSlot>,
    /// How many slots have an item.
    count: usize,
    /// Items that are done and were not taken yet.
    finished: Vec<Item>,
    /// Slots of items in flight that are done but for their deferred stages, and were not taken yet.
    reportable: Vec<ItemSlot>,
}

impl Index<ItemSlot> for ItemsInFlight {
    type Output = Item;

    fn index(&self, slot: ItemSlot) -> &Item {
        self.slots[slot.0].as_ref().expect("an item is in flight as long as anything refers to it")
    }
}

impl IndexMut<ItemSlot> for ItemsInFlight {
    fn index_mut(&mut self, slot: ItemSlot) -> &mut Item {
        self.slots[slot.0].as_mut().expect("an item is in flight as long as anything refers to it")
    }
}

impl ItemsInFlight {
    /// Takes an item in.
    pub(super) fn insert(&mut self, item: Item) -> ItemSlot {
        self.count += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            ItemSlot(self.slots.len() - 1)
        });
        self.slots[slot.0] = Some(item);
        slot
    }

    /// An item is done but for its deferred stages.
    pub(super) fn mark_reportable(&mut self, slot: ItemSlot) {
        self.reportable.push(slot);
    }

    /// An item is done: its slot is free from now on.
    pub(super) fn finish(&mut self, slot: ItemSlot) {
        let item = self.slots[slot.0].take().expect("an item is finished once");
        self.free.push(slot);
        // Another item may take the slot before the report is made.
        self.reportable.retain(|reportable| *reportable != slot);
        self.count -= 1;
        self.finished.push(item);
    }

    /// How many items are in flight.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The items that were finished since the last call.
    pub(super) fn take_finished(&mut self) -> Vec<Item> {
        mem::take(&mut self.finished)
    }

    /// Slots of the items that became reportable since the last call.
    pub(super) fn take_reportable(&mut self) -> Vec<ItemSlot> {
        mem::take(&mut self.reportable)
    }
}
