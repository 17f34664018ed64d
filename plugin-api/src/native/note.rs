//! What can be read of a library without loading it.

use crate::PROTOCOL;

/// Plain bytes at the symbol [`NOTE_SYMBOL`](super::NOTE_SYMBOL): no pointer, so no relocation, so readable from the file.
/// The layout is fixed for ever; new fields take reserved bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Note {
    magic: [u8; 16],
    major: u16,
    minor: u16,
    unwinds: u8,
    reserved: [u8; 11],
}

const MAGIC: [u8; 16] = *b"jackfield-plugin";

#[unsafe(no_mangle)]
static JACKFIELD_PLUGIN: Note = Note {
    magic: MAGIC,
    major: PROTOCOL.0,
    minor: PROTOCOL.1,
    unwinds: cfg!(panic = "unwind") as u8,
    reserved: [0; 11],
};

impl Note {
    /// Size in the file, in bytes.
    pub const SIZE: usize = size_of::<Self>();

    /// Reads a note from the bytes at the symbol; `None` if they are not a note.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::SIZE)?;
        let magic: [u8; 16] = bytes[..16].try_into().ok()?;
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        (magic == MAGIC).then(|| Self {
            magic,
            major: u16_at(16),
            minor: u16_at(18),
            unwinds: bytes[20],
            reserved: [0; 11],
        })
    }

    /// Version of the protocol that the library was built against.
    #[must_use]
    pub const fn protocol(&self) -> (u16, u16) {
        (self.major, self.minor)
    }

    /// Whether a panic in the library can be caught.
    #[must_use]
    pub const fn unwinds(&self) -> bool {
        self.unwinds != 0
    }
}
