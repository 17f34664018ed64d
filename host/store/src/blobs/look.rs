//! What the tensors of a run are like on disk.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::to_hex;

use super::{BLOBS, BlobError, each_blob, open_file, read_pieces};
use crate::{
    StoreError,
    references::{BlobKey, NamedTensor},
};

/// How closely a tensor on file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Whether it is there, with its length.
    Length,
    /// Whether it has its digest, too. One that does not is taken away, so that it can be written again.
    Digest,
}

/// Looks at the tensors in the folder of a run, each of them once.
pub(crate) struct BlobCheck {
    folder: PathBuf,
    look: Look,
    seen: HashMap<BlobKey, Option<&'static str>>,
}

impl BlobCheck {
    /// Of the run with this SQLite file.
    pub(crate) fn beside(store: &Path, look: Look) -> Self {
        Self { folder: store.with_file_name(BLOBS), look, seen: HashMap::new() }
    }

    /// What is wrong with a tensor, if anything is.
    pub(crate) fn fault(&mut self, tensor: NamedTensor) -> Option<&'static str> {
        if let Some(known) = self.seen.get(&tensor.key) {
            return *known;
        }
        let looked = match self.look {
            Look::Length => open_file(&self.folder, tensor).map(drop),
            Look::Digest => read_pieces(&self.folder, tensor, |_| {}),
        };
        let fault = match looked {
            Ok(()) => None,
            Err(BlobError::Missing { .. }) => Some("missing"),
            Err(_) => Some("damaged"),
        };
        if fault == Some("damaged") && self.look == Look::Digest {
            let _ = fs::remove_file(self.folder.join(to_hex(&tensor.key)));
        }
        self.seen.insert(tensor.key, fault);
        fault
    }

    /// Takes away what no result names: a process was killed before it could say what it had made, or half way.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        let named = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            let key = BlobKey::try_from(jackfield_plugin_api::from_hex(name)?).ok()?;
            Some(self.seen.contains_key(&key))
        };
        each_blob(&self.folder, |path, _| {
            let ours = named(path).map(|named| !named);
            let half_written = path.extension().is_some_and(|ending| ending == "tmp");
            if ours.unwrap_or(half_written) {
                let _ = fs::remove_file(path);
            }
        })
    }
}
