//! Counts the bytes of files and folders from the operations on them. A file is counted for as long as it has a name or is open.

use std::collections::HashMap;

use super::ScratchFull;

/// The identity of a file: the numbers of its device and its node, as the host hashes them.
pub(super) type Identity = (u64, u64);

/// The bytes of an empty file, or of a further name of a file: a name and a node take room, too.
const LEAST: u64 = 4096;

/// The contents of scratch folders.
pub(super) struct Ledger {
    most: u64,
    /// Whether a guest may go on after a write was refused, because others keep files in the same folders.
    lasts: bool,
    used: u64,
    files: HashMap<Identity, Entry>,
}

/// A file or folder.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The end of the last byte that may have been written. Holes count, since reading them takes memory elsewhere.
    length: u64,
    /// The number of its names.
    names: u64,
    /// The number of its open handles and streams.
    handles: u64,
}

impl Entry {
    fn cost(&self) -> u64 {
        let content = self.length.checked_next_multiple_of(LEAST).unwrap_or(u64::MAX).max(LEAST);
        content.saturating_add(self.names.saturating_sub(1).saturating_mul(LEAST))
    }

    fn is_gone(&self) -> bool {
        self.names == 0 && self.handles == 0
    }
}

impl Ledger {
    /// The ledger of folders that may hold `most` bytes, for one guest or for several.
    pub(super) fn new(most: u64, lasts: bool) -> Self {
        Self { most, lasts, used: 0, files: HashMap::new() }
    }

    /// Whether a guest may go on after a write was refused.
    pub(super) fn lasts(&self) -> bool {
        self.lasts
    }

    /// Changes the entry of a file, or adds one, and updates the bytes that are used.
    fn change(&mut self, file: Identity, change: impl FnOnce(&mut Entry)) -> Result<(), ScratchFull> {
        let before = self.files.get(&file).copied();
        let mut entry = before.unwrap_or_default();
        change(&mut entry);
        self.set(file, entry);
        // A change that takes no more bytes is not refused, even if there were too many before.
        let cost = before.map_or(0, |before| before.cost());
        if entry.is_gone() || entry.cost() <= cost { Ok(()) } else { self.check() }
    }

    /// As [`change`](Self::change), for an operation that is about to be done: if it is refused, the entry stays as it was.
    fn plan(&mut self, file: Identity, change: impl FnOnce(&mut Entry)) -> Result<(), ScratchFull> {
        let before = self.files.get(&file).copied().unwrap_or_default();
        let planned = self.change(file, change);
        if planned.is_err() && self.lasts {
            self.set(file, before);
        }
        planned
    }

    fn set(&mut self, file: Identity, entry: Entry) {
        let before = self.files.get(&file).map_or(0, |before| before.cost());
        let cost = if entry.is_gone() { 0 } else { entry.cost() };
        self.used = self.used.saturating_sub(before).saturating_add(cost);
        if entry.is_gone() {
            self.files.remove(&file);
        } else {
            self.files.insert(file, entry);
        }
    }

    fn check(&self) -> Result<(), ScratchFull> {
        if self.used > self.most { Err(ScratchFull { most: self.most }) } else { Ok(()) }
    }

    /// A file was opened, which has this length and, if it is new, this many names.
    pub(super) fn opened(&mut self, file: Identity, length: u64, names: u64) -> Result<(), ScratchFull> {
        let is_new = !self.files.contains_key(&file);
        self.change(file, |entry| {
            entry.handles += 1;
            if is_new {
                entry.names = names;
            }
            // Other handles may be about to write more, so only a file with a single handle has the length that it reports.
            entry.length = if entry.handles == 1 { length } else { entry.length.max(length) };
        })
    }

    /// One more stream into a file that is open.
    pub(super) fn shared(&mut self, file: Identity) -> Result<(), ScratchFull> {
        self.change(file, |entry| entry.handles += 1)
    }

    pub(super) fn closed(&mut self, file: Identity) {
        // Closing a file takes no bytes, so it cannot be refused.
        let _ = self.change(file, |entry| entry.handles = entry.handles.saturating_sub(1));
    }

    /// A file or folder got one more name.
    pub(super) fn named(&mut self, file: Identity) -> Result<(), ScratchFull> {
        self.change(file, |entry| entry.names += 1)
    }

    /// A file or folder lost one of its names.
    pub(super) fn unnamed(&mut self, file: Identity) {
        let _ = self.change(file, |entry| entry.names = entry.names.saturating_sub(1));
    }

    /// Something was made whose identity cannot be found out.
    pub(super) fn made_unseen(&mut self) -> Result<(), ScratchFull> {
        self.used = self.used.saturating_add(LEAST);
        self.check()
    }

    /// `bytes` are about to be written at an offset or, without one, at the end of the file.
    pub(super) fn writes(&mut self, file: Identity, at: Option<u64>, bytes: u64) -> Result<(), ScratchFull> {
        self.plan(file, |entry| {
            entry.length = entry.length.max(at.unwrap_or(entry.length).saturating_add(bytes));
        })
    }

    /// A file is about to be made this long.
    pub(super) fn resizes(&mut self, file: Identity, length: u64) -> Result<(), ScratchFull> {
        self.plan(file, |entry| {
            entry.length = if entry.handles == 1 { length } else { entry.length.max(length) };
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Identity = (0, 1);
    const B: Identity = (0, 2);

    #[test]
    fn what_is_written_counts_as_long_as_it_has_a_name_or_is_open() {
        let mut ledger = Ledger::new(10 * LEAST, false);
        ledger.opened(A, 0, 1).expect("room");
        assert_eq!(ledger.used, LEAST, "an empty file is something");
        ledger.writes(A, Some(0), 5 * LEAST).expect("room");
        ledger.writes(A, Some(LEAST), LEAST).expect("in place of what is there");
        assert_eq!(ledger.used, 5 * LEAST);
        ledger.unnamed(A);
        assert_eq!(ledger.used, 5 * LEAST, "it is open");
        ledger.opened(B, 0, 1).expect("room");
        assert!(ledger.writes(B, None, 6 * LEAST).is_err());
        ledger.closed(A);
        assert_eq!(ledger.used, 6 * LEAST, "it is gone");
        ledger.closed(B);
        ledger.unnamed(B);
        assert_eq!((ledger.used, ledger.files.len()), (0, 0));
    }

    #[test]
    fn what_is_refused_where_others_go_on_takes_no_room_and_what_takes_no_more_is_not_refused() {
        let mut ledger = Ledger::new(2 * LEAST, true);
        ledger.opened(A, 0, 1).expect("room");
        assert!(ledger.writes(A, Some(0), 3 * LEAST).is_err());
        assert!(ledger.resizes(A, 3 * LEAST).is_err());
        assert_eq!(ledger.used, LEAST);
        ledger.writes(A, Some(0), 2 * LEAST).expect("room");
        assert!(ledger.opened(B, 0, 1).is_err(), "it is there, and counted");
        ledger.closed(A);
        ledger.opened(A, 2 * LEAST, 1).expect("it takes no more");
        ledger.closed(B);
        ledger.unnamed(B);
        assert_eq!(ledger.used, 2 * LEAST);
    }

    #[test]
    fn holes_names_and_ends_beyond_all_count() {
        let mut ledger = Ledger::new(10 * LEAST, false);
        ledger.opened(A, 0, 1).expect("room");
        assert!(ledger.resizes(A, 1 << 40).is_err());
        ledger.resizes(A, 0).expect("room again");
        assert!(ledger.writes(A, Some(u64::MAX), 1).is_err());
        ledger.resizes(A, 1).expect("room again");
        for names in 2..=10 {
            ledger.named(A).expect("room");
            assert_eq!(ledger.used, names * LEAST);
        }
        assert!(ledger.named(A).is_err());
    }

    #[test]
    fn what_a_stream_may_still_write_is_not_forgotten_when_the_file_is_cut() {
        let mut ledger = Ledger::new(10 * LEAST, false);
        ledger.opened(A, 0, 1).expect("room");
        ledger.shared(A).expect("room");
        ledger.writes(A, Some(0), 8 * LEAST).expect("room");
        ledger.resizes(A, 0).expect("room");
        assert_eq!(ledger.used, 8 * LEAST);
        ledger.closed(A);
        ledger.resizes(A, 0).expect("room");
        assert_eq!(ledger.used, LEAST);
    }
}
