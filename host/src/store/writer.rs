//! The thread that writes: what is waiting goes into one transaction.

use std::{
    io::Write as _,
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

/// The most records in a transaction: enough to make the commit cheap, few enough to lose little.
const GROUP: usize = 4096;

/// Takes records and writes them, in order. Waits for room rather than grow.
pub struct Writer {
    records: Option<Sender<Vec<Record>>>,
    failure: Arc<Mutex<Option<StoreError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(db: Db, session: i64, items: PathBuf, began: Instant) -> Result<Self, StoreError> {
        let (records, receive) = bounded(64);
        let failure = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failure);
        let work = Work { db, session, items: items.clone(), began };
        let write = move || {
            if let Err(error) = work.all(&receive) {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
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

    /// Waits until everything is written.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.records = None;
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(error) => Err(error),
            None if !ended => Err(StoreError::WriterGone),
            None => Ok(()),
        }
    }
}

struct Work {
    db: Db,
    session: i64,
    items: PathBuf,
    began: Instant,
}

impl Work {
    fn all(&self, records: &Receiver<Vec<Record>>) -> Result<(), StoreError> {
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

    fn group(&self, records: Vec<Record>) -> Result<usize, StoreError> {
        let count = records.len();
        for record in records {
            match record {
                Record::Item(item) => self.db.put_item(&item)?,
                Record::Stage(stage) => self.db.put_result(self.session, &stage)?,
                Record::Call(call) => self.db.put_call(self.session, &call)?,
                Record::Route(route) => self.db.put_route(&route)?,
                Record::Files(files) => self.files(&files)?,
                Record::Done(done) => self.done(&done)?,
                Record::Event(event) => {
                    let at = self.began.elapsed().as_micros() as u64;
                    self.db.put_event(self.session, at, &event.to_string())?;
                }
            }
        }
        Ok(count)
    }

    /// The files come first: an item that is done on the record has them all.
    fn done(&self, done: &ItemDone) -> Result<(), StoreError> {
        if let Some(files) = &done.files {
            self.files(files)?;
        }
        self.db.finish_item(done)
    }

    fn files(&self, ItemFiles { folder, files }: &ItemFiles) -> Result<(), StoreError> {
        let folder = self.items.join(folder);
        std::fs::create_dir_all(&folder).map_err(|source| StoreError::file("make", &folder, source))?;
        for (name, content) in files {
            write_held(&folder.join(name), Durable::No, |file| file.write_all(content.as_bytes()))?;
        }
        Ok(())
    }
}
