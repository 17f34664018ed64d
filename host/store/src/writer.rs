//! The thread that writes: what is waiting goes into one transaction.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Write as _},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use jackfield_loader::escape_untrusted;
use rustc_hash::FxHashMap;

use super::{
    StoreError,
    atomic::{Durable, write_held},
    db::Db,
    folder::FolderGuard,
    ledger::{Ledger, Urgent},
    plain::make_folder,
    record::{CallRecord, ItemDone, ItemFiles, NewItem, Record},
};
use crate::ItemState;

/// The most records in a transaction: enough to make the commit cheap, few enough to lose little.
const GROUP: usize = 4096;

/// How often the writer looks whether the folder is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How many items' files are told of one by one.
const TOLD: u64 = 3;

/// Items whose files could not be written, by how they would have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// Every stage was done.
    pub ok: u64,
    /// It was a trial that was stopped before its end.
    pub pruned: u64,
    /// Some stage failed.
    pub partial: u64,
}

/// Takes records and writes them, in order. Waits for room rather than grow.
pub struct Writer {
    records: Option<Sender<Vec<Record>>>,
    ledger: Ledger,
    failure: Arc<Mutex<Option<StoreError>>>,
    thread: Option<JoinHandle<Unwritten>>,
}

/// Which session of which run is written.
pub struct WriterOf {
    /// Number of the session.
    pub session: i64,
    /// Whether there were sessions before it.
    pub resumed: bool,
    /// Names of the stages, in the order of the plan.
    pub stages: Vec<String>,
    /// When the session began.
    pub began: Instant,
}

impl Writer {
    /// Starts the thread. `guard` is that of the folder, `items` the folder of the items' files in it.
    pub fn start(db: Db, of: WriterOf, guard: FolderGuard, items: PathBuf) -> Result<Self, StoreError> {
        let (records, receive) = bounded(64);
        let (urgent, asked) = unbounded();
        let failure = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failure);
        let seq = Arc::new(AtomicI64::new(db.next_completion()?));
        let stages = of.stages.into_iter().zip(0..).collect::<BTreeMap<String, u32>>();
        let ledger = Ledger::new(urgent, Arc::clone(&seq), stages, of.began);
        let (session, resumed, began) = (of.session, of.resumed, of.began);
        let (results, looked) = (FxHashMap::default(), Instant::now());
        let place = items.clone();
        let (told, unwritten) = (0, Unwritten::default());
        let mut work = Work { db, session, resumed, items, guard, began, seq, results, looked, told, unwritten };
        let write = move || {
            if let Err(error) = work.all(&receive, &asked) {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            work.conclude();
            work.unwritten
        };
        let spawned = thread::Builder::new().name("store".to_owned()).spawn(write);
        let thread = spawned.map_err(|source| StoreError::file("start the thread that writes", place, source))?;
        Ok(Self { records: Some(records), ledger, failure, thread: Some(thread) })
    }

    /// The way to the record for those who have to wait until something stands on it.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Hands records over.
    ///
    /// # Errors
    /// Whatever ended the writing earlier: a full disk, say.
    pub fn put(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let sent = self.records.as_ref().is_some_and(|channel| channel.send(records).is_ok());
        if sent { Ok(()) } else { Err(self.failed()) }
    }

    fn failed(&self) -> StoreError {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(StoreError::WriterGone)
    }

    /// Waits until everything is written, but for the files that could not be.
    ///
    /// # Errors
    /// Whatever ended the writing.
    pub fn finish(mut self) -> Result<Unwritten, StoreError> {
        self.records = None;
        let ended = self.thread.take().and_then(|thread| thread.join().ok());
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(error) => Err(error),
            None => ended.ok_or(StoreError::WriterGone),
        }
    }
}

struct Work {
    db: Db,
    session: i64,
    resumed: bool,
    items: PathBuf,
    guard: FolderGuard,
    began: Instant,
    /// The number of the next completion.
    seq: Arc<AtomicI64>,
    /// The results of items in work as they were written, with their stage, call and checksum: what the sums come to goes on
    /// the record with the item's end. A later one of the same call stands for an earlier one.
    results: FxHashMap<i64, Vec<(u32, u32, i64)>>,
    /// When the folder was last seen.
    looked: Instant,
    /// Items whose files could not be written and that were told of.
    told: u64,
    unwritten: Unwritten,
}

impl Work {
    fn all(&mut self, records: &Receiver<Vec<Record>>, urgent: &Receiver<Urgent>) -> Result<(), StoreError> {
        loop {
            let (mut first, mut asked) = (None, Vec::new());
            select! {
                recv(records) -> group => match group {
                    Ok(group) => first = Some(group),
                    Err(_) => return Ok(()),
                },
                recv(urgent) -> one => asked.extend(one),
            }
            self.db.begin()?;
            let mut written = first.map_or(Ok(0), |group| self.group(group))?;
            asked.extend(urgent.try_iter());
            // What was handed over before somebody asked comes before the answer, however much it is.
            for _ in 0..records.len() {
                if asked.is_empty() && written >= GROUP {
                    break;
                }
                let Ok(more) = records.try_recv() else { break };
                written += self.group(more)?;
            }
            let mut waiting = Vec::with_capacity(asked.len());
            for one in asked {
                waiting.push(match one {
                    Urgent::Barrier(done) => done,
                    Urgent::Completion(seq, entry, done) => {
                        self.db.put_completion(self.session, seq, &entry)?;
                        done
                    }
                });
            }
            self.db.commit()?;
            for done in waiting {
                // Whoever asked may be gone.
                let _ = done.send(());
            }
            if self.looked.elapsed() > LOOK {
                self.guard.check()?;
                self.looked = Instant::now();
            }
        }
    }

    fn group(&mut self, records: Vec<Record>) -> Result<usize, StoreError> {
        let count = records.len();
        for record in records {
            match record {
                Record::Item(item) => self.item(&item)?,
                Record::Call(call) => self.call(&call)?,
                Record::Completion(entry) => {
                    let seq = entry.completion.seq.unwrap_or_else(|| self.seq.fetch_add(1, Ordering::Relaxed));
                    self.db.put_completion(self.session, seq, &entry)?;
                }
                Record::Lookups(lookups) => self.db.put_lookups(self.session, &lookups)?,
                Record::Route(route) => self.db.put_route(&route)?,
                Record::Trial(trial) => self.db.put_trial(&trial)?,
                // They are written again once the item is done: what keeps them from it is told then.
                Record::Files(files) => _ = self.files(&files)?,
                Record::Done(done) => self.done(done)?,
                Record::Event(event) => {
                    let at = self.began.elapsed().as_micros() as u64;
                    self.db.put_event(self.session, at, &event.to_string())?;
                }
            }
        }
        Ok(count)
    }

    fn item(&mut self, item: &NewItem) -> Result<(), StoreError> {
        self.db.put_item(item)?;
        let index = item.index as i64;
        let before = if self.resumed { self.db.result_sums(index)? } else { Vec::new() };
        self.results.insert(index, before);
        Ok(())
    }

    fn call(&mut self, record: &CallRecord) -> Result<(), StoreError> {
        let sum = self.db.put_result(self.session, record)?;
        if let (Some(sum), Some(results)) = (sum, self.results.get_mut(&record.item)) {
            results.push((record.stage, record.call, sum));
        }
        Ok(())
    }

    /// The files come first: an item that is done on the record has them all. One whose files cannot be written fails.
    fn done(&mut self, mut done: ItemDone) -> Result<(), StoreError> {
        if let Some(files) = &done.files
            && let Some(fault) = self.files(files)?
        {
            match done.state {
                ItemState::Ok => self.unwritten.ok += 1,
                ItemState::Pruned => self.unwritten.pruned += 1,
                ItemState::Partial => self.unwritten.partial += 1,
                // It counts as failed already.
                ItemState::Failed => {}
            }
            self.told += 1;
            if self.told <= TOLD {
                tracing::warn!("an item fails since its files cannot be written: {}", escape_untrusted(&fault));
            }
            done.state = ItemState::Failed;
            done.fault = Some(fault);
        }
        let results = totals(self.results.remove(&(done.index as i64)).unwrap_or_default());
        self.db.finish_item(&done, results, done.files.as_ref().map(ItemFiles::sum))
    }

    /// Says how many items there were of what was told of the first alone.
    fn conclude(&self) {
        if self.told > TOLD {
            tracing::warn!("{} items in all fail since their files cannot be written", self.told);
        }
    }

    /// Writes files; what keeps one of them from it is this item's fault alone, unless it is the disk that takes no more.
    fn files(&self, ItemFiles { folder, files }: &ItemFiles) -> Result<Option<String>, StoreError> {
        let below = self.items.join(folder);
        // That the folder of the run is gone must not go unseen: only what is below it is made.
        if let Err(error) = make_folder(&self.items) {
            self.guard.check()?;
            return Err(error);
        }
        let write = |(name, content): &(String, Arc<str>)| {
            write_held(&below.join(name), Durable::No, |file| file.write_all(content.as_bytes()))
        };
        let mut fault = None;
        let written = std::iter::once(make_folder(&below)).chain(files.iter().map(write));
        for error in written.filter_map(Result::err) {
            match error {
                StoreError::File { action, path, source } if source.kind() != ErrorKind::ReadOnlyFilesystem => {
                    // The same wherever the run folder lies.
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

/// How many calls have a result, and the sum of the checksums of the last of each.
fn totals(mut written: Vec<(u32, u32, i64)>) -> (i64, i64) {
    written.sort_by_key(|(stage, call, _)| (*stage, *call));
    let last_of_each = written.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter_map(<[_]>::last);
    last_of_each.fold((0, 0), |(count, sum), (_, _, one)| (count + 1, i64::wrapping_add(sum, *one)))
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn of_several_results_of_a_call_the_last_counts() {
        assert_eq!(totals(Vec::new()), (0, 0));
        assert_eq!(totals(vec![(1, 0, 5), (0, 2, i64::MAX), (1, 0, 7), (0, 1, 1)]), (3, i64::MIN + 7));
    }
}
