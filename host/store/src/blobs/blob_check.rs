//! Whether the tensors of a run are on disk as they were written.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::to_hex;

use super::{
    BLOBS, BlobError,
    files::{each_blob, open_file, read_pieces},
};
use crate::{
    StoreError,
    references::{BlobKey, NamedTensor},
};

/// How closely the file of a tensor is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckDepth {
    /// Whether the file exists and has the right length.
    Length,
    /// Whether it has its digest, too. A file that does not is removed, so that the tensor can be written again.
    Digest,
}

/// Checks tensors in the folder of a run, each of them once.
pub(crate) struct BlobCheck {
    folder: PathBuf,
    depth: CheckDepth,
    /// What is wrong with each tensor that was checked, if anything is.
    faults: HashMap<BlobKey, Option<&'static str>>,
}

impl BlobCheck {
    /// Checks the tensors of the run with this SQLite file.
    pub(crate) fn beside(store: &Path, depth: CheckDepth) -> Self {
        Self { folder: store.with_file_name(BLOBS), depth, faults: HashMap::new() }
    }

    /// What is wrong with a tensor, if anything is.
    pub(crate) fn fault(&mut self, tensor: NamedTensor) -> Option<&'static str> {
        if let Some(known) = self.faults.get(&tensor.key) {
            return *known;
        }
        let checked = match self.depth {
            CheckDepth::Length => open_file(&self.folder, tensor).map(drop),
            CheckDepth::Digest => read_pieces(&self.folder, tensor, |_| {}),
        };
        let fault = match checked {
            Ok(()) => None,
            Err(BlobError::Missing { .. }) => Some("missing"),
            Err(_) => Some("damaged"),
        };
        if fault == Some("damaged") && self.depth == CheckDepth::Digest {
            let _ = fs::remove_file(self.folder.join(to_hex(&tensor.key)));
        }
        self.faults.insert(tensor.key, fault);
        fault
    }

    /// Removes the tensors that were not checked, since no result names them: a process was killed after it had made them, or
    /// while it made them.
    pub(crate) fn remove_unnamed(&self) -> Result<(), StoreError> {
        each_blob(&self.folder, |path, _| {
            let is_unnamed = match key_of(path) {
                Some(key) => !self.faults.contains_key(&key),
                None => path.extension().is_some_and(|extension| extension == "tmp"),
            };
            if is_unnamed {
                let _ = fs::remove_file(path);
            }
        })
    }
}

/// The tensor that a file is named after; none for other files.
fn key_of(path: &Path) -> Option<BlobKey> {
    let name = path.file_name()?.to_str()?;
    BlobKey::try_from(jackfield_plugin_api::from_hex(name)?).ok()
}
