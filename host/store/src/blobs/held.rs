//! Tensors that are held.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_plugin_api::TensorRef;

use super::{BlobError, BlobWriter, Blobs, Elements};
use crate::references::{BlobKey, NamedTensor};

/// The tensors of a call, or of a completion, that stay for as long as this is there, whether or not an answer names them.
pub struct HeldTensors {
    pub(super) blobs: Arc<Blobs>,
    keys: Mutex<HashSet<BlobKey>>,
}

impl HeldTensors {
    /// None yet, of these.
    pub fn of(blobs: &Arc<Blobs>) -> Self {
        Self { blobs: Arc::clone(blobs), keys: Mutex::default() }
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, HashSet<BlobKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps elements, as [`Blobs::put`] does, for as long as they are held.
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

    /// Holds a tensor if it is there, as far as its length tells.
    pub fn hold(&self, tensor: NamedTensor) -> bool {
        let _lane = self.blobs.lane(&tensor.key);
        let is_there = self.blobs.is_stored(&tensor.key, tensor.bytes());
        if is_there {
            self.blobs.claim(&tensor.key, Some(self), false);
        }
        is_there
    }

    /// Keeps for good what an answer names of these.
    pub fn name(&self, tensors: impl IntoIterator<Item = NamedTensor>) {
        self.blobs.name(tensors);
    }

    /// The tensors that it is of.
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
