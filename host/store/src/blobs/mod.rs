//! The tensors of a run that travel by reference: each is a file whose name is the SHA-256 of its bytes.
//!
//! ```text
//! runs/<run>/blobs/<sha256>    elements, 32-bit floats, little-endian, without any header
//! ```
//!
//! A run without a record keeps them in memory. A file appears whole or not at all, and before anything names it. Recently
//! stored or read elements are shared by all who read them; others are read again, and compared with their digest. A tensor
//! that a call made and no answer names is removed when nobody holds it any more.

mod blob_check;
mod blob_writer;
mod elements;
mod error;
mod files;
mod held_tensors;
mod recent;
mod storage;
#[cfg(test)]
mod tests;

pub(crate) use blob_check::{BlobCheck, CheckDepth};
pub use blob_writer::BlobWriter;
pub use elements::{Elements, digest_of, in_pieces};
pub use error::BlobError;
pub use files::blob_totals;
pub use held_tensors::HeldTensors;
pub use storage::Blobs;

/// Name of the folder of tensors in the folder of a run.
pub(crate) const BLOBS: &str = "blobs";
