//! A plugin file, read once: what is checked is what is loaded.

use std::path::{Path, PathBuf};

use super::{Digest, Form, LoadError};

/// The bytes of a plugin file, and what can be told from them without running any.
#[derive(Clone, Debug)]
pub struct Artifact {
    path: PathBuf,
    bytes: Vec<u8>,
    digest: Digest,
}

impl Artifact {
    /// Reads a file.
    ///
    /// # Errors
    /// [`LoadError::Read`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), digest: Digest::of(&bytes), bytes })
    }

    /// Where it was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of its content.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// What it begins like; none if that is like no plugin.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        match self.bytes.as_slice() {
            [0x7f, b'E', b'L', b'F', ..] => Some(Form::Native),
            [0, b'a', b's', b'm', ..] => Some(Form::Wasm),
            _ => None,
        }
    }
}
