//! The content of a file of compiled code: a header that names the component and the compiler, and the code.

use std::hash::{Hash as _, Hasher};

use wasmtime::Engine;

use crate::Digest;

/// The first bytes of a file. Another layout has another number.
const MAGIC: &[u8; 32] = b"jackfield: compiled component 1\n";
/// The number of digits of a digest.
const DIGEST: usize = 64;
/// The length of the header: the magic bytes, the digest of the component, that of the compiler, and that of all this and the
/// code.
const HEADER: usize = MAGIC.len() + 3 * DIGEST;

/// Identifies compiled code by its component and its compiler.
pub(super) struct Key {
    component: Digest,
    compiler: Digest,
}

impl Key {
    pub(super) fn new(engine: &Engine, component: &Digest) -> Self {
        // Version of the compiler, target and all settings.
        let mut about = Gathered(Vec::new());
        engine.precompile_compatibility_hash().hash(&mut about);
        (std::env::consts::ARCH, std::env::consts::OS).hash(&mut about);
        Self { component: component.clone(), compiler: Digest::of(&about.0) }
    }

    /// The name of its file. It only tells where to look: the header of the file decides.
    pub(super) fn file_name(&self) -> String {
        format!("{}-{}.cwasm", self.component, &self.compiler.as_str()[..16])
    }

    /// The header, which is written before the code.
    pub(super) fn header(&self, code: &[u8]) -> Vec<u8> {
        let mut header = self.beginning();
        header.extend_from_slice(checksum(&header, code).as_str().as_bytes());
        header
    }

    fn beginning(&self) -> Vec<u8> {
        [MAGIC.as_slice(), self.component.as_str().as_bytes(), self.compiler.as_str().as_bytes()].concat()
    }

    /// The code in the content of a file, if it is that of this key and is complete.
    ///
    /// # Errors
    /// What is wrong with it, as the predicate of a sentence about the file.
    pub(super) fn code<'a>(&self, content: &'a [u8]) -> Result<&'a [u8], String> {
        let Some((header, code)) = content.split_at_checked(HEADER) else {
            return Err(format!("is cut short, at {} bytes", content.len()));
        };
        let (beginning, sum) = header.split_at(HEADER - DIGEST);
        let (magic, digests) = beginning.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err("is damaged, or was written by another version of jackfield".to_owned());
        }
        if checksum(beginning, code).as_str().as_bytes() != sum {
            return Err("is damaged: its content does not have the SHA-256 that it says".to_owned());
        }
        let (component, compiler) = digests.split_at(DIGEST);
        if component != self.component.as_str().as_bytes() {
            return Err("is the code of another component".to_owned());
        }
        if compiler != self.compiler.as_str().as_bytes() {
            return Err("is of another version of the compiler, or of other settings".to_owned());
        }
        Ok(code)
    }
}

fn checksum(beginning: &[u8], code: &[u8]) -> Digest {
    Digest::of_parts([beginning, code])
}

/// All that is hashed, one after another.
struct Gathered(Vec<u8>);

impl Hasher for Gathered {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
