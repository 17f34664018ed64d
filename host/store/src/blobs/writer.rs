//! Tensors that are written as they grow.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use jackfield_plugin_api::{ElementType, TensorRef, to_hex};
use sha2::{Digest as _, Sha256};

use super::{BlobError, Elements, HeldTensors, IN_MEMORY, Place, in_pieces};
use crate::{
    StoreError,
    plain::{self, make_folder},
    references::BlobKey,
};

/// A tensor that is being made: a small one in memory, a larger one on disk at once, so that however many are being made,
/// they take no memory. One that is not finished leaves nothing behind.
pub struct BlobWriter<'b> {
    holder: &'b HeldTensors,
    shape: Vec<u64>,
    gathered: Vec<f32>,
    spooled: Option<Spool<'b>>,
}

/// The part of a tensor that is on disk.
struct Spool<'b> {
    holder: &'b HeldTensors,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    /// Whether it was given its name.
    is_named: bool,
}

impl<'b> BlobWriter<'b> {
    pub(super) fn new(holder: &'b HeldTensors, shape: &[u64]) -> Self {
        Self { holder, shape: shape.to_vec(), gathered: Vec::new(), spooled: None }
    }

    /// Adds elements at the end.
    ///
    /// # Errors
    /// As those of [`Blobs::put`].
    pub fn write(&mut self, elements: &[f32]) -> Result<(), BlobError> {
        self.gathered.extend_from_slice(elements);
        if self.gathered.len() >= IN_MEMORY
            && let Place::Folder(folder) = &self.holder.blobs.place
        {
            self.spool(folder)?;
        }
        Ok(())
    }

    /// Writes what has gathered.
    fn spool(&mut self, folder: &Path) -> Result<(), BlobError> {
        let spool = match &mut self.spooled {
            Some(spool) => spool,
            none => none.insert(Spool::begin(self.holder, folder)?),
        };
        let bytes = self.gathered.len() as u64 * 4;
        self.holder.blobs.reserve(bytes)?;
        spool.bytes += bytes;
        let written = in_pieces(&self.gathered, |piece| {
            spool.hash.update(piece);
            spool.file.write_all(piece)
        });
        written.map_err(|source| StoreError::file("write", &spool.path, source))?;
        self.gathered.clear();
        Ok(())
    }

    /// Ends the tensor.
    ///
    /// # Errors
    /// As those of [`Blobs::put`].
    pub fn finish(mut self) -> Result<TensorRef, BlobError> {
        if self.spooled.is_some()
            && let Place::Folder(folder) = &self.holder.blobs.place
        {
            self.spool(folder)?;
        }
        let Some(mut spool) = self.spooled.take() else {
            return self.holder.put(&self.shape, Elements::Shared(self.gathered.into()));
        };
        let key = spool.end()?;
        Ok(TensorRef { sha256: to_hex(&key), shape: self.shape, dtype: ElementType::F32 })
    }
}

impl<'b> Spool<'b> {
    fn begin(holder: &'b HeldTensors, folder: &Path) -> Result<Self, BlobError> {
        make_folder(folder)?;
        let path = folder.join(format!(".{}.making.tmp", holder.blobs.spools.fetch_add(1, Ordering::Relaxed)));
        let file = plain::create(&path).map_err(|source| StoreError::file("write", &path, source))?;
        let (hash, bytes, is_named) = (Sha256::new(), 0, false);
        Ok(Self { holder, path, file: BufWriter::new(file), hash, bytes, is_named })
    }

    /// Gives it its name, unless there is one of that name.
    fn end(&mut self) -> Result<BlobKey, BlobError> {
        let key = BlobKey::from(std::mem::take(&mut self.hash).finalize());
        let blobs = &self.holder.blobs;
        let _lane = blobs.lane(&key);
        let is_new = !blobs.is_stored(&key, self.bytes);
        if is_new {
            let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
            let named = written.and_then(|()| fs::rename(&self.path, self.path.with_file_name(to_hex(&key))));
            named.map_err(|source| StoreError::file("write", &self.path, source))?;
            self.is_named = true;
        }
        blobs.claim(&key, Some(self.holder), is_new);
        Ok(key)
    }
}

impl Drop for Spool<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = fs::remove_file(&self.path);
            self.holder.blobs.stored.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}
