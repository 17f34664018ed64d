//! Where the tensors of a run are stored, how many bytes they take, and when they are removed.

use std::{
    collections::HashMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_plugin_api::{ElementType, TensorRef, sync::lock, to_hex};

use super::{
    BLOBS, BlobError, Elements, HeldTensors, digest_of,
    elements::byte_length,
    files::{each_blob, read_elements},
    in_pieces,
    recent::RecentTensors,
};
use crate::{
    StoreError,
    atomic::{Durable, write_in_held_folder},
    plain::make_folder,
    references::{BlobKey, NamedTensor},
};

/// How many tensors can be written or read at the same time.
const KEY_LOCKS: usize = 16;

/// Where tensors are stored.
pub(super) enum Storage {
    /// In memory, for as long as the process runs.
    Memory(Mutex<HashMap<BlobKey, Arc<[f32]>>>),
    /// In a folder, which is made when the first of them is stored.
    Folder(PathBuf),
}

/// The tensors of a run.
pub struct Blobs {
    pub(super) storage: Storage,
    /// The most bytes that all of them may take.
    limit_bytes: u64,
    /// The bytes that they take, with those that are about to be written.
    pub(super) stored_bytes: AtomicU64,
    /// How many unfinished files were begun, so that no two have the same name.
    pub(super) unfinished_files: AtomicU64,
    recent: Mutex<RecentTensors>,
    /// Tensors that were made since this was opened and that no answer names, with the number of their holders: each is
    /// removed after the last of them.
    unnamed: Mutex<HashMap<BlobKey, usize>>,
    /// Whether tensors that nobody names are removed: not where another process may be at work on the run, whose answers may
    /// name what is made here.
    removes_unnamed: bool,
    /// A lock for each share of the keys, held while a tensor is written, read or removed: of two threads with the same
    /// tensor, the second finds what the first has done.
    key_locks: [Mutex<()>; KEY_LOCKS],
}

impl Blobs {
    /// In memory, for a run without a record. They may take `limit_bytes` bytes.
    pub fn in_memory(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self::new(Storage::Memory(Mutex::default()), limit_bytes, 0, true))
    }

    /// In the folder of a run, with the tensors that it holds; none is removed. They may take `limit_bytes` bytes.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn in_run(folder: &Path, limit_bytes: u64) -> Result<Arc<Self>, StoreError> {
        Self::in_folder(folder, limit_bytes, false)
    }

    /// In the folder of a run, for the session that writes its record: every tensor that the folder holds already is named
    /// on the record. They may take `limit_bytes` bytes.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn for_session(folder: &Path, limit_bytes: u64) -> Result<Arc<Self>, StoreError> {
        Self::in_folder(folder, limit_bytes, true)
    }

    fn in_folder(folder: &Path, limit_bytes: u64, removes_unnamed: bool) -> Result<Arc<Self>, StoreError> {
        let folder = folder.join(BLOBS);
        let mut stored_bytes = 0;
        each_blob(&folder, |_, bytes| stored_bytes += bytes)?;
        Ok(Arc::new(Self::new(Storage::Folder(folder), limit_bytes, stored_bytes, removes_unnamed)))
    }

    fn new(storage: Storage, limit_bytes: u64, stored_bytes: u64, removes_unnamed: bool) -> Self {
        Self {
            storage,
            limit_bytes,
            stored_bytes: stored_bytes.into(),
            unfinished_files: AtomicU64::new(0),
            recent: Mutex::default(),
            unnamed: Mutex::default(),
            removes_unnamed,
            key_locks: Default::default(),
        }
    }

    fn recent(&self) -> MutexGuard<'_, RecentTensors> {
        lock(&self.recent)
    }

    pub(super) fn lock_key(&self, key: &BlobKey) -> MutexGuard<'_, ()> {
        lock(&self.key_locks[usize::from(key[0]) % KEY_LOCKS])
    }

    pub(super) fn unnamed(&self) -> MutexGuard<'_, HashMap<BlobKey, usize>> {
        lock(&self.unnamed)
    }

    /// Stores elements for good, unless they are stored already. There are as many as the shape says. They are shared with
    /// all who read them, so that elements that are only lent are copied once.
    ///
    /// # Errors
    /// If they are too many for the run, or cannot be written; then nothing of them is stored.
    pub fn put(&self, shape: &[u64], elements: Elements<'_>) -> Result<TensorRef, BlobError> {
        self.put_for(None, shape, elements)
    }

    /// Stores elements as [`put`](Self::put) does; with a holder, for as long as it lives.
    pub(super) fn put_for(
        &self,
        holder: Option<&HeldTensors>,
        shape: &[u64],
        elements: Elements<'_>,
    ) -> Result<TensorRef, BlobError> {
        let key = digest_of(elements.as_slice());
        let _key_lock = self.lock_key(&key);
        let is_in_memory = self.recent().get(&key).is_some();
        let mut is_new = false;
        if !is_in_memory {
            let bytes = byte_length(elements.as_slice());
            is_new = !self.is_stored(&key, bytes);
            if is_new {
                self.reserve(bytes)?;
                self.store(&key, &elements)
                    .inspect_err(|_| _ = self.stored_bytes.fetch_sub(bytes, Ordering::Relaxed))?;
            }
            if !matches!(self.storage, Storage::Memory(_)) {
                self.recent().insert(key, &elements.into_shared());
            }
        }
        self.add_holder(&key, holder, is_new);
        Ok(TensorRef { sha256: to_hex(&key), shape: shape.to_vec(), dtype: ElementType::F32 })
    }

    /// Records that a stored tensor has this holder; without one, it is stored for good. The caller holds the lock of its key.
    pub(super) fn add_holder(&self, key: &BlobKey, holder: Option<&HeldTensors>, is_new: bool) {
        let mut unnamed = self.unnamed();
        let Some(holder) = holder.filter(|_| self.removes_unnamed) else {
            unnamed.remove(key);
            return;
        };
        if is_new {
            unnamed.entry(*key).or_default();
        }
        if let Some(holders) = unnamed.get_mut(key)
            && holder.keys().insert(*key)
        {
            *holders += 1;
        }
    }

    /// Stores tensors for good, since an answer names them. The caller holds them.
    pub(crate) fn name(&self, tensors: impl IntoIterator<Item = NamedTensor>) {
        let mut unnamed = self.unnamed();
        for tensor in tensors {
            unnamed.remove(&tensor.key);
        }
    }

    /// Takes a holder from a tensor, and removes the tensor if it was the last one and no answer names it.
    pub(super) fn release(&self, key: &BlobKey) {
        // Nobody makes the same tensor meanwhile.
        let _key_lock = self.lock_key(key);
        let mut unnamed = self.unnamed();
        // It was named since, and is stored for good.
        let Some(holders) = unnamed.get_mut(key) else { return };
        *holders = holders.saturating_sub(1);
        if *holders > 0 {
            return;
        }
        unnamed.remove(key);
        drop(unnamed);
        self.recent().remove(key);
        let removed_bytes = match &self.storage {
            Storage::Memory(tensors) => lock(tensors).remove(key).map(|elements| byte_length(&elements)),
            Storage::Folder(folder) => {
                let path = folder.join(to_hex(key));
                let bytes = fs::symlink_metadata(&path).map(|metadata| metadata.len());
                // A file that cannot be removed now is removed when the run goes on.
                bytes.and_then(|bytes| fs::remove_file(&path).map(|()| bytes)).ok()
            }
        };
        self.stored_bytes.fetch_sub(removed_bytes.unwrap_or_default(), Ordering::Relaxed);
    }

    fn store(&self, key: &BlobKey, elements: &Elements<'_>) -> Result<(), BlobError> {
        match &self.storage {
            Storage::Memory(tensors) => {
                lock(tensors).insert(*key, elements.to_shared());
            }
            Storage::Folder(folder) => {
                make_folder(folder)?;
                write_in_held_folder(&folder.join(to_hex(key)), Durable::Yes, |file| {
                    in_pieces(elements.as_slice(), |piece| file.write_all(piece))
                })?;
            }
        }
        Ok(())
    }

    /// Counts bytes that are about to be written.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), BlobError> {
        let add = |stored: u64| stored.checked_add(bytes).filter(|needed| *needed <= self.limit_bytes);
        match self.stored_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(()),
            Err(stored) => {
                Err(BlobError::Beyond { needed_bytes: stored.saturating_add(bytes), limit_bytes: self.limit_bytes })
            }
        }
    }

    /// Whether a tensor is stored, judged by its name and its length.
    pub(super) fn is_stored(&self, key: &BlobKey, bytes: u64) -> bool {
        match &self.storage {
            Storage::Memory(tensors) => lock(tensors).contains_key(key),
            Storage::Folder(folder) => {
                let metadata = fs::symlink_metadata(folder.join(to_hex(key)));
                metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == bytes)
            }
        }
    }

    /// The elements of a tensor.
    ///
    /// # Errors
    /// If the tensor is not stored, or is not what was written.
    pub fn open(&self, tensor: NamedTensor) -> Result<Arc<[f32]>, BlobError> {
        let _key_lock = self.lock_key(&tensor.key);
        let elements = match &self.storage {
            Storage::Memory(tensors) => match lock(tensors).get(&tensor.key) {
                Some(elements) => Arc::clone(elements),
                None => return Err(BlobError::Missing { path: to_hex(&tensor.key).into() }),
            },
            Storage::Folder(folder) => {
                let in_memory = self.recent().get(&tensor.key);
                match in_memory {
                    Some(elements) => elements,
                    None => {
                        let elements = read_elements(folder, tensor)?;
                        self.recent().insert(tensor.key, &elements);
                        elements
                    }
                }
            }
        };
        match elements.len() as u64 {
            found if found == tensor.count => Ok(elements),
            found => Err(BlobError::Elements { found, expected: tensor.count }),
        }
    }

    /// Whether calls hold less than so many bytes of tensors at this moment, apart from what is kept for the next reader.
    pub fn hold_less_than(&self, limit_bytes: u64) -> bool {
        self.recent().holds_less_than(limit_bytes)
    }
}
