//! The tensors of a run that are in memory: those that somebody holds, and the most recent ones, so that they need not be
//! read again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
};

use super::elements::byte_length;
use crate::references::BlobKey;

/// The most bytes of tensors that are kept in memory for the next reader.
pub(super) const RETAINED_BYTES: u64 = 256 << 20;
/// So many bytes may be added since the last sweep before entries that nobody holds are removed.
pub(super) const SWEEP_AFTER_BYTES: u64 = 64 << 20;

/// Elements that somebody may hold.
pub(super) struct WeakElements {
    elements: Weak<[f32]>,
    bytes: u64,
}

/// Elements that are kept for the next reader.
pub(super) struct RetainedElements {
    key: BlobKey,
    elements: Arc<[f32]>,
}

/// Tensors that can be had without reading a file.
#[derive(Default)]
pub(super) struct RecentTensors {
    /// All that somebody holds, and possibly some that nobody holds any more: those are removed as the map grows, in number
    /// or in bytes, since elements take memory for as long as there is an entry.
    pub(super) reachable: HashMap<BlobKey, WeakElements>,
    pub(super) reachable_bytes: u64,
    /// How many entries there were after the last sweep, and their bytes.
    swept_entries: usize,
    swept_bytes: u64,
    /// What is kept for the next reader, by the order of its last use.
    pub(super) retained: BTreeMap<u64, RetainedElements>,
    /// The position of each tensor in `retained`.
    last_uses: HashMap<BlobKey, u64>,
    pub(super) retained_bytes: u64,
    last_use: u64,
}

impl RecentTensors {
    /// Elements that are in memory. They become the most recently used.
    pub(super) fn get(&mut self, key: &BlobKey) -> Option<Arc<[f32]>> {
        let elements = self.reachable.get(key)?.elements.upgrade()?;
        self.insert(*key, &elements);
        Some(elements)
    }

    /// Keeps elements for the next reader, and releases the least recently used ones beyond the limit.
    pub(super) fn insert(&mut self, key: BlobKey, elements: &Arc<[f32]>) {
        let bytes = byte_length(elements);
        let has_many_entries = self.reachable.len() > 2 * self.swept_entries + 64;
        if has_many_entries || self.reachable_bytes + bytes > self.swept_bytes + SWEEP_AFTER_BYTES {
            self.sweep();
        }
        let previous = self.reachable.insert(key, WeakElements { elements: Arc::downgrade(elements), bytes });
        self.reachable_bytes += bytes - previous.map_or(0, |previous| previous.bytes);
        self.release_retained(&key);
        if bytes > RETAINED_BYTES {
            return;
        }
        self.last_use += 1;
        self.last_uses.insert(key, self.last_use);
        self.retained.insert(self.last_use, RetainedElements { key, elements: Arc::clone(elements) });
        self.retained_bytes += bytes;
        while self.retained_bytes > RETAINED_BYTES
            && let Some((_, oldest)) = self.retained.pop_first()
        {
            self.last_uses.remove(&oldest.key);
            self.retained_bytes -= byte_length(&oldest.elements);
        }
    }

    /// Removes elements, even if somebody still reads them.
    pub(super) fn remove(&mut self, key: &BlobKey) {
        if let Some(removed) = self.reachable.remove(key) {
            self.reachable_bytes -= removed.bytes;
        }
        self.release_retained(key);
    }

    fn release_retained(&mut self, key: &BlobKey) {
        let Some(last_use) = self.last_uses.remove(key) else { return };
        let released = self.retained.remove(&last_use).expect("every last use has retained elements");
        self.retained_bytes -= byte_length(&released.elements);
    }

    /// Removes the entries that nobody holds any more.
    pub(super) fn sweep(&mut self) {
        self.reachable.retain(|_, entry| entry.elements.strong_count() > 0);
        self.reachable_bytes = self.reachable.values().map(|entry| entry.bytes).sum();
        (self.swept_entries, self.swept_bytes) = (self.reachable.len(), self.reachable_bytes);
    }

    /// Whether others hold less than so many bytes, apart from what is kept for the next reader.
    pub(super) fn holds_less_than(&mut self, limit_bytes: u64) -> bool {
        if self.reachable_bytes < limit_bytes {
            return true;
        }
        self.sweep();
        let mut held_bytes = 0;
        for (key, entry) in &self.reachable {
            if entry.elements.strong_count() > usize::from(self.last_uses.contains_key(key)) {
                held_bytes += entry.bytes;
            }
        }
        held_bytes < limit_bytes
    }
}
