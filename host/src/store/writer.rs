//! The thread that writes: what is waiting goes into one transaction.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    StoreError,
    atomic::{Durable, write_held},
    db::Db,
    record::{ItemDone, ItemFiles, Record},
};
use crate::{engine::ItemState, plugin::escape_untrusted};

/// The most records in a transaction: enough to make the commit cheap, few enough to lose little.
const GROUP: usize = 4096;

/// How many items' files are told of one by one.
const TOLD: u64 = 3;

/// Items whose files could not be written, by how they would have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// Every stage was done.
    pub ok: u64,
    /// Some stage failed.
    pub partial: u64,
}

/// Takes records and writes them, in order. Waits for room rather than grow.
pub struct Writer {
    records: Option<Sender<Vec<Record>>>,
    failure: Arc<Mutex<Option<StoreError>>>,
    thread: Option<JoinHandle<Unwritten>>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(db: Db, session: i64, items: PathBuf, began: Instant) -> Result<Self, StoreError> {
        let (records, receive) = bounded(64);
        let failure = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failure);
        let mut work = Work { db, session, items: items.clone(), began, told: 0, unwritten: Unwritten::default() };
        let write = move || {
            if let Err(error) = work.all(&receive) {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            work.conclude();
            work.unwritten
        };
        let spawned = thread::Builder::new().name("store".to_owned()).spawn(write);
        let thread = spawned.map_err(|source| StoreError::file("start the thread that writes", items, source))?;
        Ok(Self { records: Some(records), failure, thread: Some(thread) })
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
    items: PathBuf,
    began: Instant,
    /// Items whose files could not be written and that were told of.
    told: u64,
    unwritten: Unwritten,
}

impl Work {
    fn all(&mut self, records: &Receiver<Vec<Record>>) -> Result<(), StoreError> {
        while let Ok(first) = records.recv() {
            self.db.begin()?;
            let mut written = self.group(first)?;
            while written < GROUP {
                let Ok(more) = records.try_recv() else { break };
                written += self.group(more)?;
            }
            self.db.commit()?;
        }
        Ok(())
    }

    fn group(&mut self, records: Vec<Record>) -> Result<usize, StoreError> {
        let count = records.len();
        for record in records {
            match record {
                Record::Item(item) => self.db.put_item(&item)?,
                Record::Stage(stage) => self.db.put_result(self.session, &stage)?,
                Record::Call(call) => self.db.put_call(self.session, &call)?,
                Record::Route(route) => self.db.put_route(&route)?,
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

    /// The files come first: an item that is done on the record has them all. One whose files cannot be written fails.
    fn done(&mut self, mut done: ItemDone) -> Result<(), StoreError> {
        if let Some(files) = &done.files
            && let Some(fault) = self.files(files)?
        {
            match done.state {
                ItemState::Ok => self.unwritten.ok += 1,
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
        self.db.finish_item(&done)
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
        let made = std::fs::create_dir_all(&below).map_err(|source| StoreError::file("make", &below, source));
        let write = |(name, content): &(String, Arc<str>)| {
            write_held(&below.join(name), Durable::No, |file| file.write_all(content.as_bytes()))
        };
        let mut fault = None;
        let written = std::iter::once(made).chain(files.iter().map(write));
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
        Ok(fault)
    }
}
