//! The scratch folders that the host makes, for a call or for as long as a cache backend is open. All that a guest writes to them
//! is counted before it is written. They are removed at the end, or, if the process was killed, by the next process.

mod filesystem;
mod folder;
mod ledger;
mod stream;

use std::{
    collections::{BTreeSet, HashMap},
    fmt, io,
    sync::{Arc, Mutex},
};

use jackfield_plugin_api::sync::lock;

use self::ledger::{Identity, Ledger};
pub(super) use self::{
    filesystem::{CountedFilesystem, CountedView},
    folder::{ScratchFolder, sweep},
};
use crate::sandbox::size;

/// The scratch folders of one instance, or of several that keep files there for each other. They are removed when the last of
/// these has ended.
#[derive(Clone)]
pub(super) struct ScratchFolders {
    folders: Arc<Vec<(String, ScratchFolder)>>,
    ledger: Arc<Mutex<Ledger>>,
    /// Locked while a name is added or removed, so that instances do that, and count it, one after the other.
    names: Arc<tokio::sync::Mutex<()>>,
}

impl ScratchFolders {
    /// Makes empty folders, which a guest knows by these names, and which together may hold `most` bytes. If they last longer than
    /// one guest, a write that does not fit is refused; otherwise it ends the guest.
    ///
    /// # Errors
    /// If a folder cannot be made.
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
    /// The guest's names of the folders that the host made. Folders that a person named are not counted.
    names: BTreeSet<String>,
    /// The identities of the open files and folders in them, by their handles; none for the scratch folders themselves.
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
    /// A guest that was ended has not closed its files, and other guests may go on using them.
    fn drop(&mut self) {
        let mut ledger = lock(&self.folders.ledger);
        self.open.values().flatten().for_each(|file| ledger.closed(*file));
    }
}

/// The error of a write after which the scratch folders would hold more than they may.
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
