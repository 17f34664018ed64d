//! The thread that writes the record: all records that wait go into one transaction.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write as _},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use jackfield_loader::escape_untrusted;
use jackfield_pipeline::Plan;
use jackfield_plugin_api::sync::lock;
use rustc_hash::FxHashMap;

use super::{
    StoreError,
    atomic::{Durable, write_in_held_folder},
    db::Db,
    folder::FolderGuard,
    ledger::{Ledger, Urgent},
    partial_results::PartialResults,
    plain::make_folder,
    record::{CallRecord, ItemDone, ItemFiles, NewItem, Record},
    writes::{ResultChecksum, ResultTotals},
};
use crate::ItemState;

/// The most records in a transaction: enough to make the commit cheap, few enough to lose little.
const TRANSACTION_RECORDS: usize = 4096;

/// Groups of records that may wait: whoever hands over another one waits until there is room.
const WAITING_GROUPS: usize = 64;

/// How often the writer checks whether the folder still exists.
const FOLDER_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// So many items whose files cannot be written are reported one by one.
const REPORTED_ITEMS: u64 = 3;

/// Items whose files could not be written, by how they would have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnwrittenItems {
    /// Every stage was done.
    pub ok: u64,
    /// It was a trial that was stopped before its end.
    pub pruned: u64,
    /// Some stage failed.
    pub partial: u64,
}

/// Takes records and writes them, in order. Whoever hands over too many waits, so that little memory is used.
pub struct Writer {
    /// To the thread; none once everything is handed over.
    records: Option<Sender<Vec<Record>>>,
    ledger: Ledger,
    /// What ended the writing, until it is reported.
    failure: Arc<Mutex<Option<StoreError>>>,
    thread: Option<JoinHandle<UnwrittenItems>>,
}

/// The session whose records are written.
pub struct WriterSession {
    /// Number of the session.
    pub session: i64,
    /// Whether there were sessions before it.
    pub resumed: bool,
    /// Names of the stages, in the order of the plan.
    pub stages: Vec<String>,
    /// When the session began.
    pub began: Instant,
    /// The plan, and the folder of the run, for `results.partial.jsonl`; none if nobody follows it.
    pub partial_results: Option<(Plan, PathBuf)>,
}

impl Writer {
    /// Starts the thread. `guard` is that of the run's folder, `items` the folder of the items' files in it.
    ///
    /// # Errors
    /// If the file cannot be read, or the system does not start a thread.
    pub fn start(db: Db, session: WriterSession, guard: FolderGuard, items: PathBuf) -> Result<Self, StoreError> {
        let (records, received) = bounded(WAITING_GROUPS);
        let (urgent, received_urgent) = unbounded();
        let failure = Arc::new(Mutex::new(None));
        let next_completion = Arc::new(AtomicI64::new(db.next_completion()?));
        let WriterSession { session, resumed, stages, began, partial_results } = session;
        let stages = stages.into_iter().zip(0..).collect::<BTreeMap<String, u32>>();
        let ledger = Ledger::new(urgent, Arc::clone(&next_completion), stages, began);
        let partial_results = partial_results.and_then(|(plan, folder)| {
            let db = Db::open(&db.path).ok()?;
            Some(PartialResults::start(db, plan, &folder, resumed))
        });
        let mut thread_state = WriterThread {
            db,
            session,
            resumed,
            items: items.clone(),
            guard,
            began,
            next_completion,
            result_checksums: FxHashMap::default(),
            folder_checked: Instant::now(),
            unwritten_count: 0,
            unwritten: UnwrittenItems::default(),
            ended: Vec::new(),
            partial_results,
        };
        let shared_failure = Arc::clone(&failure);
        let work = move || {
            if let Err(error) = thread_state.write_all(&received, &received_urgent) {
                *lock(&shared_failure) = Some(error);
            }
            thread_state.report_unwritten();
            thread_state.unwritten
        };
        let spawned = thread::Builder::new().name("store".to_owned()).spawn(work);
        let thread = spawned.map_err(|source| StoreError::file("start the thread that writes", items, source))?;
        Ok(Self { records: Some(records), ledger, failure, thread: Some(thread) })
    }

    /// Writes to the record for those who have to wait until something is recorded.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Hands records over.
    ///
    /// # Errors
    /// Whatever ended the writing earlier: a full disk, say.
    pub fn put(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let channel = self.records.as_ref().expect("a writer that is not finished takes records");
        channel.send(records).map_err(|_| lock(&self.failure).take().unwrap_or(StoreError::WriterGone))
    }

    /// Waits until everything is written, and returns the items whose files could not be.
    ///
    /// # Errors
    /// Whatever ended the writing.
    pub fn finish(mut self) -> Result<UnwrittenItems, StoreError> {
        self.records = None;
        let unwritten = self.thread.take().and_then(|thread| thread.join().ok());
        let failure = lock(&self.failure).take();
        match failure {
            Some(error) => Err(error),
            None => unwritten.ok_or(StoreError::WriterGone),
        }
    }
}

/// What the thread works with.
struct WriterThread {
    db: Db,
    session: i64,
    resumed: bool,
    items: PathBuf,
    guard: FolderGuard,
    began: Instant,
    /// The number of the next completion.
    next_completion: Arc<AtomicI64>,
    /// The checksums of the results of items in progress, by item, as they were written: what they come to is recorded with
    /// the end of the item. A later one of the same call replaces an earlier one.
    result_checksums: FxHashMap<i64, Vec<ResultChecksum>>,
    /// When the folder was last checked.
    folder_checked: Instant,
    /// Items whose files could not be written.
    unwritten_count: u64,
    /// The same, by how they would have ended.
    unwritten: UnwrittenItems,
    /// Positions of items that ended in this transaction.
    ended: Vec<u64>,
    /// Makes `results.partial.jsonl`, where it can be made.
    partial_results: Option<PartialResults>,
}

impl WriterThread {
    fn write_all(&mut self, records: &Receiver<Vec<Record>>, urgent: &Receiver<Urgent>) -> Result<(), StoreError> {
        loop {
            let (mut first_group, mut urgent_writes) = (None, Vec::new());
            select! {
                recv(records) -> group => match group {
                    Ok(group) => first_group = Some(group),
                    Err(_) => return Ok(()),
                },
                recv(urgent) -> write => urgent_writes.extend(write),
            }
            self.db.begin()?;
            let mut written = match first_group {
                Some(group) => self.write_group(group)?,
                None => 0,
            };
            urgent_writes.extend(urgent.try_iter());
            // What was handed over before an urgent write is written before that is answered, however much it is.
            for _ in 0..records.len() {
                if urgent_writes.is_empty() && written >= TRANSACTION_RECORDS {
                    break;
                }
                let Ok(group) = records.try_recv() else { break };
                written += self.write_group(group)?;
            }
            let mut waiting = Vec::with_capacity(urgent_writes.len());
            for write in urgent_writes {
                waiting.push(match write {
                    Urgent::Barrier(done) => done,
                    Urgent::Completion { seq, entry, done } => {
                        self.db.put_completion(self.session, seq, &entry)?;
                        done
                    }
                });
            }
            self.db.commit()?;
            let ended = std::mem::take(&mut self.ended);
            if let Some(partial) = &self.partial_results {
                partial.are_done(ended);
            }
            for done in waiting {
                // Nobody may be waiting any more.
                let _ = done.send(());
            }
            if self.folder_checked.elapsed() > FOLDER_CHECK_INTERVAL {
                self.guard.check()?;
                self.folder_checked = Instant::now();
            }
        }
    }

    fn write_group(&mut self, records: Vec<Record>) -> Result<usize, StoreError> {
        let count = records.len();
        for record in records {
            match record {
                Record::Item(item) => self.begin_item(&item)?,
                Record::Call(call) => self.write_call(&call)?,
                Record::Completion(entry) => {
                    let seq =
                        entry.completion.seq.unwrap_or_else(|| self.next_completion.fetch_add(1, Ordering::Relaxed));
                    self.db.put_completion(self.session, seq, &entry)?;
                }
                Record::Lookups(lookups) => self.db.put_lookups(self.session, &lookups)?,
                Record::Route(route) => self.db.put_route(&route)?,
                Record::Trial(trial) => self.db.put_trial(&trial)?,
                // They are written again once the item is done; what prevents it is reported then.
                Record::Files(files) => _ = self.write_files(&files)?,
                Record::Done(done) => self.finish_item(done)?,
                Record::Event(event) => {
                    let at = self.began.elapsed().as_micros() as u64;
                    self.db.put_event(self.session, at, &event.to_string())?;
                }
            }
        }
        Ok(count)
    }

    fn begin_item(&mut self, item: &NewItem) -> Result<(), StoreError> {
        self.db.put_item(item)?;
        let index = item.index as i64;
        let from_earlier_sessions = if self.resumed { self.db.result_checksums(index)? } else { Vec::new() };
        self.result_checksums.insert(index, from_earlier_sessions);
        Ok(())
    }

    fn write_call(&mut self, record: &CallRecord) -> Result<(), StoreError> {
        let written = self.db.put_result(self.session, record)?;
        if written.is_some() {
            let key = (record.item, record.stage, record.call);
            if self.resumed {
                self.db.forget_exchanges(key)?;
            }
            for exchange in &record.exchanges {
                self.db.put_exchange(self.session, key, exchange)?;
            }
        }
        if let (Some(checksum), Some(results)) = (written, self.result_checksums.get_mut(&record.item)) {
            results.push(ResultChecksum { stage: record.stage, call: record.call, checksum });
        }
        Ok(())
    }

    /// The files come first: an item that is done on the record has them all. One whose files cannot be written fails.
    fn finish_item(&mut self, mut done: ItemDone) -> Result<(), StoreError> {
        if let Some(files) = &done.files
            && let Some(fault) = self.write_files(files)?
        {
            match done.state {
                ItemState::Ok => self.unwritten.ok += 1,
                ItemState::Pruned => self.unwritten.pruned += 1,
                ItemState::Partial => self.unwritten.partial += 1,
                // It counts as failed already.
                ItemState::Failed => {}
            }
            self.unwritten_count += 1;
            if self.unwritten_count <= REPORTED_ITEMS {
                tracing::warn!("an item fails since its files cannot be written: {}", escape_untrusted(&fault));
            }
            done.state = ItemState::Failed;
            done.fault = Some(fault);
        }
        self.ended.push(done.index);
        let results = totals(self.result_checksums.remove(&(done.index as i64)).unwrap_or_default());
        self.db.finish_item(&done, results, done.files.as_ref().map(ItemFiles::sum))
    }

    /// Reports how many items there were whose files could not be written, if only the first of them were reported.
    fn report_unwritten(&self) {
        if self.unwritten_count > REPORTED_ITEMS {
            tracing::warn!("{} items in all fail since their files cannot be written", self.unwritten_count);
        }
    }

    /// Writes the files of an item. Returns what prevents it for this item alone; a disk that takes no more files at all is
    /// an error.
    fn write_files(&self, ItemFiles { folder, files }: &ItemFiles) -> Result<Option<String>, StoreError> {
        let item_folder = self.items.join(folder);
        // It must be noticed that the folder of the run is gone: only what is below it is made.
        if let Err(error) = make_folder(&self.items) {
            self.guard.check()?;
            return Err(error);
        }
        let write_file = |(name, content): &(String, Arc<str>)| {
            write_in_held_folder(&item_folder.join(name), Durable::No, |file| file.write_all(content.as_bytes()))
        };
        let mut fault = None;
        let attempts = std::iter::once(make_folder(&item_folder)).chain(files.iter().map(write_file));
        for error in attempts.filter_map(Result::err) {
            match error {
                StoreError::File { action, path, source } if source.kind() != ErrorKind::ReadOnlyFilesystem => {
                    // The text does not depend on where the folder of the run lies.
                    let path = path.strip_prefix(&self.items).unwrap_or(&path);
                    fault.get_or_insert_with(|| format!("failed to {action} `items/{}`: {source}", path.display()));
                }
                error => return Err(error),
            }
        }
        if fault.is_some() {
            self.guard.check()?;
        }
        Ok(fault)
    }
}

/// How many calls have a result, and the sum of the checksums of the last result of each.
fn totals(mut written: Vec<ResultChecksum>) -> ResultTotals {
    written.sort_by_key(|result| (result.stage, result.call));
    let mut totals = ResultTotals::default();
    for results_of_call in written.chunk_by(|a, b| (a.stage, a.call) == (b.stage, b.call)) {
        let last = results_of_call.last().expect("a chunk is not empty");
        totals.count += 1;
        totals.sum = totals.sum.wrapping_add(last.checksum);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::{ResultChecksum, ResultTotals, totals};

    #[test]
    fn of_several_results_of_a_call_the_last_counts() {
        assert_eq!(totals(Vec::new()), ResultTotals { count: 0, sum: 0 });
        let written = [(1, 0, 5), (0, 2, i64::MAX), (1, 0, 7), (0, 1, 1)];
        let written = written.map(|(stage, call, checksum)| ResultChecksum { stage, call, checksum });
        assert_eq!(totals(written.into()), ResultTotals { count: 3, sum: i64::MIN + 7 });
    }
}
