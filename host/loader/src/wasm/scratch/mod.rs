//! The scratch folders that the host makes, for a call or for as long as a cache backend is open: what is put into them is
//! counted where it is put there, and they are gone in the end, or, if the process was killed, with the next one.

mod filesystem;
mod folder;
mod ledger;
mod stream;

use std::{
    collections::{BTreeSet, HashMap},
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use self::ledger::{Identity, Ledger};
pub(super) use self::{
    filesystem::{CountedFilesystem, CountedView},
    folder::{ScratchFolder, sweep},
};
use crate::sandbox::size;

/// The scratch folders that the host has made, for one instance or for several that keep things there for each other. They
/// are removed when the last that has them is gone.
#[derive(Clone)]
pub(super) struct ScratchFolders {
    folders: Arc<Vec<(String, ScratchFolder)>>,
    ledger: Arc<Mutex<Ledger>>,
    /// Held while a name is made or taken away, so that what is counted is what instances do one after the other.
    names: Arc<tokio::sync::Mutex<()>>,
}

impl ScratchFolders {
    /// Empty folders that a guest knows by these names, and that may hold so many bytes together. Where they last beyond one
    /// guest, what does not fit is refused; elsewhere it ends the guest.
    ///
    /// # Errors
    /// If one cannot be made.
    pub(super) fn new(names: impl Iterator<Item = String>, most: u64, lasts: bool) -> io::Result<Self> {
        let folders = names.map(|name| Ok((name, ScratchFolder::new()?))).collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            folders: Arc::new(folders),
            ledger: Arc::new(Mutex::new(Ledger::new(most, lasts))),
            names: Arc::default(),
        })
    }

    /// The folder that a guest knows by this name.
    pub(super) fn get(&self, name: &str) -> Option<&ScratchFolder> {
        self.folders.iter().find(|(known, _)| known == name).map(|(_, folder)| folder)
    }
}

/// The scratch folders of an instance.
pub(super) struct Scratch {
    /// What the guest calls the folders that the host made; those that a person named are theirs to bound.
    names: BTreeSet<String>,
    /// The open files and folders in them, by their handles: which they are, or none for the scratch folders themselves.
    open: HashMap<u32, Option<Identity>>,
    folders: ScratchFolders,
}

impl Scratch {
    pub(super) fn new(folders: ScratchFolders) -> Self {
        let names = folders.folders.iter().map(|(name, _)| name.clone()).collect();
        Self { names, open: HashMap::new(), folders }
    }
}

impl Drop for Scratch {
    /// A guest that was ended has closed nothing, and others may go on with what it had open.
    fn drop(&mut self) {
        let mut ledger = self.folders.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.values().flatten().for_each(|file| ledger.closed(*file));
    }
}

/// More was put into the scratch folders than they may hold.
#[derive(Debug)]
pub(super) struct ScratchFull {
    /// The bytes that they may hold.
    most: u64,
}

impl fmt::Display for ScratchFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "put more than {} into its scratch folders", size(self.most))
    }
}

impl std::error::Error for ScratchFull {}
