//! `results.partial.jsonl`: the results of a run that is at work, in the order in which its items end.
//!
//! A thread of its own makes it of the record, for a small share of the time, so that a fast run is not held up: then the file
//! lags behind. The record is what counts: nothing reads this file back, and what prevents it from being written ends the file,
//! not the run. When the run ends, `results.jsonl` takes its place.

use std::{
    fs::{self, File},
    io::Write as _,
    ops::Range,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use jackfield_pipeline::Plan;

use super::{Db, StoreError, export::add_result_line, plain};

/// Name of the file in the folder of a run.
pub const PARTIAL_RESULTS: &str = "results.partial.jsonl";

/// What an earlier session's lines are gathered in before they replace the file.
const GATHERED: &str = ".results.partial.jsonl.tmp";

/// The least time between two looks at what is done.
const INTERVAL: Duration = Duration::from_millis(500);

/// The file is worked on for one part in so many of the time.
const SHARE: u32 = 20;

/// So many items of earlier sessions are read without a pause.
const PAGE_ITEMS: u32 = 200;

/// So long lines are made without a pause.
const LONGEST_WORK: Duration = Duration::from_millis(25);

/// The file of a session that is at work.
pub(super) struct PartialResults {
    /// To the thread: the positions of items that are done, on the record. None once there are no more.
    done: Option<Sender<Vec<u64>>>,
    thread: Option<JoinHandle<()>>,
}

impl PartialResults {
    /// Starts the thread. `resumed`: whether there are items of earlier sessions, whose lines come first.
    pub(super) fn start(db: Db, plan: Plan, folder: &Path, resumed: bool) -> Self {
        let (done, received) = unbounded();
        let path = folder.join(PARTIAL_RESULTS);
        let work = move || {
            if let Err(error) = follow(&db, &plan, &path, resumed, &received) {
                tracing::warn!("`{PARTIAL_RESULTS}` does not grow any further: {error}");
            }
        };
        // Without it, the run is the same.
        let thread = thread::Builder::new().name("partial-results".to_owned()).spawn(work).ok();
        Self { done: thread.is_some().then_some(done), thread }
    }

    /// Says that items are done, and that the record says so.
    pub(super) fn are_done(&self, items: Vec<u64>) {
        if let Some(done) = self.done.as_ref().filter(|_| !items.is_empty()) {
            // A file that could not be written has nobody who listens.
            let _ = done.send(items);
        }
    }
}

impl Drop for PartialResults {
    fn drop(&mut self) {
        self.done = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Removes the file, once `results.jsonl` has all that it had.
pub fn remove(folder: &Path) {
    // A file that stays is whole, and does no harm.
    let _ = fs::remove_file(folder.join(PARTIAL_RESULTS));
    let _ = fs::remove_file(folder.join(GATHERED));
}

/// Adds the lines of items until there are no more of them.
fn follow(db: &Db, plan: &Plan, path: &Path, resumed: bool, received: &Receiver<Vec<u64>>) -> Result<(), StoreError> {
    let mut work = Work { received, pending: Vec::new(), rest: INTERVAL };
    let (mut file, earlier) = if resumed {
        match gather_earlier(db, plan, path, &mut work)? {
            Some(gathered) => gathered,
            None => return Ok(()),
        }
    } else {
        (LineFile::create(path.to_owned())?, Positions::default())
    };
    let mut at = 0;
    while work.rest_and_hear() {
        let began = Instant::now();
        let mut lines = Vec::new();
        while let Some(index) = work.pending.get(at).filter(|_| began.elapsed() < LONGEST_WORK) {
            // What an earlier session brought to its end and this one makes again keeps its line.
            if !earlier.contains(*index)
                && let Some(item) = db.item(*index)?
            {
                add_result_line(db, plan, &item, &mut lines)?;
            }
            at += 1;
        }
        if at == work.pending.len() {
            work.pending.clear();
            at = 0;
        }
        file.append(&lines)?;
        work.rest = INTERVAL.max(began.elapsed() * SHARE);
    }
    Ok(())
}

/// What is to be done, and when.
struct Work<'a> {
    received: &'a Receiver<Vec<u64>>,
    /// Positions of items, in the order in which they ended.
    pending: Vec<u64>,
    /// How long nothing is done now.
    rest: Duration,
}

impl Work<'_> {
    /// Waits, and takes what is reported meanwhile. Whether the session goes on.
    fn rest_and_hear(&mut self) -> bool {
        let until = Instant::now() + self.rest;
        loop {
            match self.received.recv_deadline(until) {
                Ok(items) => self.pending.extend(items),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// The file with the lines of all items that are on the record and done, and which they are. What an earlier session left stays
/// until this is whole. None if the session ends before.
fn gather_earlier(
    db: &Db,
    plan: &Plan,
    path: &Path,
    work: &mut Work<'_>,
) -> Result<Option<(LineFile, Positions)>, StoreError> {
    let gathered = path.with_file_name(GATHERED);
    let mut file = LineFile::create(gathered.clone())?;
    let mut positions = Positions::default();
    let (mut from, last) = (0, db.last_item()?);
    while last.is_some_and(|last| from <= last) {
        let began = Instant::now();
        let page = db.items_from(from, PAGE_ITEMS)?;
        let Some(end) = page.last().map(|item| item.index + 1) else { break };
        let mut lines = Vec::new();
        for item in page.iter().filter(|item| item.state.is_some()) {
            add_result_line(db, plan, item, &mut lines)?;
            positions.push(item.index);
        }
        file.append(&lines)?;
        from = end;
        work.rest = began.elapsed() * SHARE;
        if !work.rest_and_hear() {
            let _ = fs::remove_file(&gathered);
            return Ok(None);
        }
    }
    fs::rename(&gathered, path).map_err(|source| StoreError::file("write", path, source))?;
    file.path = path.to_owned();
    Ok(Some((file, positions)))
}

/// Positions of items, as ranges: those that are done lie side by side.
#[derive(Default)]
struct Positions(Vec<Range<u64>>);

impl Positions {
    /// Adds a position behind all others.
    fn push(&mut self, position: u64) {
        match self.0.last_mut() {
            Some(range) if range.end == position => range.end += 1,
            _ => self.0.push(position..position + 1),
        }
    }

    fn contains(&self, position: u64) -> bool {
        let behind = self.0.partition_point(|range| range.start <= position);
        behind > 0 && self.0[behind - 1].contains(&position)
    }
}

/// A file that whole lines are added to.
struct LineFile {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines in it.
    length: u64,
}

impl LineFile {
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        match plain::create(&path) {
            Ok(file) => Ok(Self { path, file, length: 0 }),
            Err(source) => Err(StoreError::file("write", path, source)),
        }
    }

    /// Adds lines: all of them, or none where the disk is full.
    fn append(&mut self, lines: &[u8]) -> Result<(), StoreError> {
        if let Err(source) = self.file.write_all(lines) {
            let _ = self.file.set_len(self.length);
            return Err(StoreError::file("write", &self.path, source));
        }
        self.length += lines.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn positions_are_found_again_and_those_side_by_side_are_one_range() {
        let mut positions = Positions::default();
        [0, 1, 2, 5, 9, 10].into_iter().for_each(|position| positions.push(position));
        assert_eq!(positions.0, [0..3, 5..6, 9..11]);
        let found: Vec<u64> = (0..12).filter(|position| positions.contains(*position)).collect();
        assert_eq!(found, [0, 1, 2, 5, 9, 10]);
    }
}
