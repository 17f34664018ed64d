//! The files of tensors: `<sha256>`, which holds 32-bit floats, little-endian, without any header.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_plugin_api::to_hex;
use sha2::{Digest as _, Sha256};

use super::{BLOBS, BlobError, elements::PIECE_ELEMENTS};
use crate::{
    StoreError, plain,
    references::{BlobKey, NamedTensor},
};

/// A file of a tensor that is open and has the right length.
pub(super) struct OpenFile {
    path: PathBuf,
    file: File,
}

/// Opens the file of a tensor, which has its length.
pub(super) fn open_file(folder: &Path, tensor: NamedTensor) -> Result<OpenFile, BlobError> {
    let path = folder.join(to_hex(&tensor.key));
    let file = match plain::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BlobError::Missing { path }),
        Err(source) => return Err(StoreError::file("read", path, source).into()),
    };
    let found_bytes = file.metadata().map_err(|source| StoreError::file("read", &path, source))?.len();
    if found_bytes != tensor.bytes() {
        return Err(BlobError::Damaged { path, what: "it has another length" });
    }
    Ok(OpenFile { path, file })
}

/// Reads the file of a tensor and hands its bytes to `take`, a piece at a time; then compares them with its digest.
pub(super) fn read_pieces(folder: &Path, tensor: NamedTensor, mut take: impl FnMut(&[u8])) -> Result<(), BlobError> {
    let OpenFile { path, mut file } = open_file(folder, tensor)?;
    let mut hash = Sha256::new();
    let mut bytes_left = tensor.bytes();
    let mut buffer = vec![0; 4 * PIECE_ELEMENTS];
    while bytes_left > 0 {
        let piece = &mut buffer[..bytes_left.min(4 * PIECE_ELEMENTS as u64) as usize];
        file.read_exact(piece).map_err(|source| StoreError::file("read", &path, source))?;
        hash.update(&*piece);
        take(piece);
        bytes_left -= piece.len() as u64;
    }
    if BlobKey::from(hash.finalize()) != tensor.key {
        return Err(BlobError::Damaged { path, what: "its digest is another" });
    }
    Ok(())
}

/// The elements of a tensor, which have its digest.
pub(super) fn read_elements(folder: &Path, tensor: NamedTensor) -> Result<Arc<[f32]>, BlobError> {
    // A file of this length must exist before memory for it is taken.
    open_file(folder, tensor)?;
    let count = usize::try_from(tensor.count).unwrap_or(usize::MAX);
    let mut elements: Arc<[f32]> = std::iter::repeat_n(0.0, count).collect();
    let targets = Arc::get_mut(&mut elements).expect("new elements have one owner");
    let mut targets = targets.iter_mut();
    read_pieces(folder, tensor, |piece| {
        for (bytes, target) in piece.chunks_exact(4).zip(&mut targets) {
            *target = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    })?;
    Ok(elements)
}

/// Calls `visit` with the path and the length of every file in a folder of tensors, also of those that are not tensors. A
/// missing folder has no files.
pub(super) fn each_blob(folder: &Path, mut visit: impl FnMut(&Path, u64)) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(StoreError::file("read", folder, source)),
    };
    for entry in entries {
        let entry = entry.map_err(|source| StoreError::file("read", folder, source))?;
        // Folders are never ours, and a file may be removed between the two calls.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            visit(&entry.path(), metadata.len());
        }
    }
    Ok(())
}

/// How many tensors there are in the folder of a run, and their length in bytes.
///
/// # Errors
/// If it cannot be read.
pub fn blob_totals(run: &Path) -> Result<(u64, u64), StoreError> {
    let (mut count, mut bytes) = (0, 0);
    each_blob(&run.join(BLOBS), |_, length| {
        count += 1;
        bytes += length;
    })?;
    Ok((count, bytes))
}
