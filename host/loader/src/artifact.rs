//! The bytes of a plugin file. They are read once, so that the bytes that are verified are those that are loaded.

use std::path::{Path, PathBuf};

use super::{Dependency, Digest, Linkage, LoadError, native, regular_file};

/// The bytes of a plugin file, and what can be known of it without executing it.
#[derive(Clone, Debug)]
pub struct Artifact {
    path: PathBuf,
    bytes: Vec<u8>,
    digest: Digest,
    dependencies: Vec<Dependency>,
}

impl Artifact {
    /// Reads a file.
    ///
    /// # Errors
    /// [`LoadError::Read`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let read = regular_file::read(path, regular_file::MOST_BYTES);
        let bytes = read.map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        let native = linkage(&bytes) == Some(Linkage::Native);
        let dependencies = if native { native::read_dependencies(path, &bytes) } else { Vec::new() };
        Ok(Self { path: path.to_owned(), digest: Digest::of(&bytes), bytes, dependencies })
    }

    /// The path from which it was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the content.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The length of the content in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The kind of plugin that its first bytes announce; none if they are not those of a plugin.
    #[must_use]
    pub fn linkage(&self) -> Option<Linkage> {
        linkage(&self.bytes)
    }

    /// The libraries beside a native plugin that it needs and that are not the system's, sorted by name. They are read and loaded
    /// together with it.
    #[must_use]
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// The digest of the file and of all libraries that are loaded with it; without any, that of the file.
    #[must_use]
    pub fn whole_digest(&self) -> Digest {
        if self.dependencies.is_empty() {
            return self.digest.clone();
        }
        let mut text = format!("{}\n", self.digest);
        for dependency in &self.dependencies {
            text.push_str(&format!("{} {}\n", dependency.digest, dependency.name));
        }
        Digest::of(text)
    }
}

fn linkage(bytes: &[u8]) -> Option<Linkage> {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => Some(Linkage::Native),
        [0, b'a', b's', b'm', ..] => Some(Linkage::Wasm),
        _ => None,
    }
}
