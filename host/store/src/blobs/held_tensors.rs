//! Tensors that stay stored for as long as somebody holds them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use jackfield_plugin_api::{TensorRef, sync::lock};

use super::{BlobError, BlobWriter, Blobs, Elements};
use crate::references::{BlobKey, NamedTensor};

/// The tensors of a call, or of a completion. They stay stored until this is dropped, whether or not an answer names them.
pub struct HeldTensors {
    /// The tensors of the run.
    pub(super) blobs: Arc<Blobs>,
    /// Those of them that are held here and that no answer names.
    keys: Mutex<HashSet<BlobKey>>,
}

impl HeldTensors {
    /// Holds none of these tensors yet.
    pub fn of(blobs: &Arc<Blobs>) -> Self {
        Self { blobs: Arc::clone(blobs), keys: Mutex::default() }
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, HashSet<BlobKey>> {
        lock(&self.keys)
    }

    /// Stores elements, as [`Blobs::put`] does, for as long as they are held.
    ///
    /// # Errors
    /// As those of [`Blobs::put`].
    pub fn put(&self, shape: &[u64], elements: Elements<'_>) -> Result<TensorRef, BlobError> {
        self.blobs.put_for(Some(self), shape, elements)
    }

    /// A tensor of this shape that is written as it grows, and is held once it is finished.
    pub fn writer(&self, shape: &[u64]) -> BlobWriter<'_> {
        BlobWriter::new(self, shape)
    }

    /// Holds a tensor if it is stored, and says whether it is, judged by its length.
    pub fn hold(&self, tensor: NamedTensor) -> bool {
        let _key_lock = self.blobs.lock_key(&tensor.key);
        let is_stored = self.blobs.is_stored(&tensor.key, tensor.bytes());
        if is_stored {
            self.blobs.add_holder(&tensor.key, Some(self), false);
        }
        is_stored
    }

    /// Stores for good those of its tensors that an answer names.
    pub fn name(&self, tensors: impl IntoIterator<Item = NamedTensor>) {
        self.blobs.name(tensors);
    }

    /// The tensors of the run.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }
}

impl Drop for HeldTensors {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut *self.keys());
        keys.iter().for_each(|key| self.blobs.release(key));
    }
}
