//! Why a tensor could not be stored or read.

use std::path::PathBuf;

use jackfield_loader::sandbox::size;
use jackfield_plugin_api::Failure;

use crate::StoreError;

/// Why a tensor could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The tensors of the run would take more bytes than it may store.
    #[error(
        "the tensors of the run would take {}, beyond its limit of {}; `[pipeline] tensor_storage = \"…\"` allows more",
        size(*needed_bytes), size(*limit_bytes)
    )]
    Beyond {
        /// Bytes of all tensors, with the one that was refused.
        needed_bytes: u64,
        /// The most bytes that the run may store.
        limit_bytes: u64,
    },
    /// The file of the tensor does not exist.
    #[error("`{}` is missing: go on with the run (--resume), and it is made again", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file of the tensor is not what was written.
    #[error("`{}` is damaged, {what}: go on with the run (--resume), and it is made again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way it differs.
        what: &'static str,
    },
    /// The tensor has another number of elements than its reference says.
    #[error("it has {found} elements, not {expected}")]
    Elements {
        /// Elements that are stored.
        found: u64,
        /// Elements that the reference asks for.
        expected: u64,
    },
    /// A file or folder could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        let mut message = error.to_string();
        match error {
            BlobError::Beyond { .. } => Self::OverBudget(message),
            BlobError::Elements { .. } => Self::InvalidInput(message),
            BlobError::Missing { .. } | BlobError::Damaged { .. } => Self::Unavailable(message),
            BlobError::Store(error) => {
                if let Some(hint) = error.hint() {
                    message.push_str("; ");
                    message.push_str(&hint);
                }
                Self::Unavailable(message)
            }
        }
    }
}
