//! The elements of a tensor in memory, as bytes and as a digest.

use std::{io, sync::Arc};

use sha2::{Digest as _, Sha256};

use crate::references::BlobKey;

/// Elements that are hashed, read or written at a time.
pub(super) const PIECE_ELEMENTS: usize = 16 << 10;

/// Length of elements in bytes.
pub(super) fn byte_length(elements: &[f32]) -> u64 {
    elements.len() as u64 * 4
}

/// Elements that are to be stored.
pub enum Elements<'a> {
    /// Elements that others hold too.
    Shared(Arc<[f32]>),
    /// Elements of the caller, which are copied if they have to stay in memory.
    Lent(&'a [f32]),
}

impl Elements<'_> {
    pub(super) fn as_slice(&self) -> &[f32] {
        match self {
            Self::Shared(elements) => elements,
            Self::Lent(elements) => elements,
        }
    }

    pub(super) fn to_shared(&self) -> Arc<[f32]> {
        match self {
            Self::Shared(elements) => Arc::clone(elements),
            Self::Lent(elements) => Arc::from(*elements),
        }
    }

    pub(super) fn into_shared(self) -> Arc<[f32]> {
        match self {
            Self::Shared(elements) => elements,
            Self::Lent(elements) => Arc::from(elements),
        }
    }
}

/// Hands elements to `write` as little-endian bytes, a piece at a time.
///
/// # Errors
/// The first error that `write` returns; nothing is handed over after it.
pub fn in_pieces(elements: &[f32], mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * PIECE_ELEMENTS.min(elements.len()));
    for piece in elements.chunks(PIECE_ELEMENTS) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|element| element.to_le_bytes()));
        write(&bytes)?;
    }
    Ok(())
}

/// The SHA-256 of elements as little-endian bytes: the name under which a tensor is stored.
pub fn digest_of(elements: &[f32]) -> BlobKey {
    let mut hash = Sha256::new();
    in_pieces(elements, |piece| {
        hash.update(piece);
        Ok(())
    })
    .expect("hashing cannot fail");
    hash.finalize().into()
}
