//! The scratch folders that the host makes for a call: what is put into them is counted where it is put there, and they are
//! gone with the call, or, if the process was killed, with the next one.

mod filesystem;
mod folder;
mod ledger;
mod stream;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex},
};

use self::ledger::{Identity, Ledger};
pub(super) use self::{
    filesystem::{CountedFilesystem, CountedView},
    folder::{ScratchFolder, sweep},
};
use crate::plugin::sandbox::size;

/// The scratch folders of an instance.
pub(super) struct Scratch {
    /// What the guest calls the folders that the host made; those that a person named are theirs to bound.
    names: BTreeSet<String>,
    /// The open files and folders in them, by their handles: which they are, or none for the scratch folders themselves.
    open: HashMap<u32, Option<Identity>>,
    ledger: Arc<Mutex<Ledger>>,
    /// They are removed when the instance is.
    _folders: Vec<ScratchFolder>,
}

impl Scratch {
    /// Folders that the guest knows by these names and that may hold so many bytes together.
    pub(super) fn new(folders: Vec<(String, ScratchFolder)>, most: u64) -> Self {
        let (names, folders) = folders.into_iter().unzip();
        Self { names, open: HashMap::new(), ledger: Arc::new(Mutex::new(Ledger::new(most))), _folders: folders }
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
