//! Tensors that are written as they grow.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use jackfield_plugin_api::{ElementType, TensorRef, to_hex};
use sha2::{Digest as _, Sha256};

use super::{BlobError, Elements, HeldTensors, elements::byte_length, in_pieces, storage::Storage};
use crate::{
    StoreError,
    plain::{self, make_folder},
    references::BlobKey,
};

/// So many elements of a tensor that is being made stay in memory before they are written.
const BUFFERED_ELEMENTS: usize = 64 << 10;

/// A tensor that is being made. A small one stays in memory, and the elements of a larger one are written to disk as they
/// come, so that many large tensors can be made at once in little memory. A tensor that is not finished leaves nothing behind.
pub struct BlobWriter<'b> {
    holder: &'b HeldTensors,
    shape: Vec<u64>,
    /// Elements that are not written yet.
    buffer: Vec<f32>,
    /// What is on disk; none while everything fits in the buffer.
    unfinished: Option<UnfinishedFile<'b>>,
}

/// The part of a tensor that is on disk.
struct UnfinishedFile<'b> {
    holder: &'b HeldTensors,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    /// Whether it was renamed to its digest.
    is_named: bool,
}

impl<'b> BlobWriter<'b> {
    pub(super) fn new(holder: &'b HeldTensors, shape: &[u64]) -> Self {
        Self { holder, shape: shape.to_vec(), buffer: Vec::new(), unfinished: None }
    }

    /// Adds elements at the end.
    ///
    /// # Errors
    /// As those of [`Blobs::put`](super::Blobs::put).
    pub fn write(&mut self, elements: &[f32]) -> Result<(), BlobError> {
        self.buffer.extend_from_slice(elements);
        if self.buffer.len() >= BUFFERED_ELEMENTS
            && let Storage::Folder(folder) = &self.holder.blobs.storage
        {
            self.write_buffer(folder)?;
        }
        Ok(())
    }

    /// Writes the buffer to disk.
    fn write_buffer(&mut self, folder: &Path) -> Result<(), BlobError> {
        let file = match &mut self.unfinished {
            Some(file) => file,
            none => none.insert(UnfinishedFile::begin(self.holder, folder)?),
        };
        let bytes = byte_length(&self.buffer);
        self.holder.blobs.reserve(bytes)?;
        file.bytes += bytes;
        let written = in_pieces(&self.buffer, |piece| {
            file.hash.update(piece);
            file.file.write_all(piece)
        });
        written.map_err(|source| StoreError::file("write", &file.path, source))?;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the tensor.
    ///
    /// # Errors
    /// As those of [`Blobs::put`](super::Blobs::put).
    pub fn finish(mut self) -> Result<TensorRef, BlobError> {
        if self.unfinished.is_some()
            && let Storage::Folder(folder) = &self.holder.blobs.storage
        {
            self.write_buffer(folder)?;
        }
        let Some(mut file) = self.unfinished.take() else {
            return self.holder.put(&self.shape, Elements::Shared(self.buffer.into()));
        };
        let key = file.finish()?;
        Ok(TensorRef { sha256: to_hex(&key), shape: self.shape, dtype: ElementType::F32 })
    }
}

impl<'b> UnfinishedFile<'b> {
    fn begin(holder: &'b HeldTensors, folder: &Path) -> Result<Self, BlobError> {
        make_folder(folder)?;
        let path =
            folder.join(format!(".{}.making.tmp", holder.blobs.unfinished_files.fetch_add(1, Ordering::Relaxed)));
        let file = plain::create(&path).map_err(|source| StoreError::file("write", &path, source))?;
        let (hash, bytes, is_named) = (Sha256::new(), 0, false);
        Ok(Self { holder, path, file: BufWriter::new(file), hash, bytes, is_named })
    }

    /// Renames the file to its digest, unless that tensor is stored already.
    fn finish(&mut self) -> Result<BlobKey, BlobError> {
        let key = BlobKey::from(std::mem::take(&mut self.hash).finalize());
        let blobs = &self.holder.blobs;
        let _key_lock = blobs.lock_key(&key);
        let is_new = !blobs.is_stored(&key, self.bytes);
        if is_new {
            let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
            let renamed = written.and_then(|()| fs::rename(&self.path, self.path.with_file_name(to_hex(&key))));
            renamed.map_err(|source| StoreError::file("write", &self.path, source))?;
            self.is_named = true;
        }
        blobs.add_holder(&key, Some(self.holder), is_new);
        Ok(key)
    }
}

impl Drop for UnfinishedFile<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = fs::remove_file(&self.path);
            self.holder.blobs.stored_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}
