//! The digest of the running program, which serves as that of the linked-in extensions.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use object::{
    Endianness, ReadCache,
    elf::{ELF_NOTE_GNU, FileHeader64, NT_GNU_BUILD_ID},
    read::elf::{FileHeader, ProgramHeader},
};

use super::Digest;

/// The digest of the running program: of the build id that its linker put into it, which takes a few reads; or, without one, of
/// its content.
pub(super) fn program_digest() -> Digest {
    static DIGEST: OnceLock<Digest> = OnceLock::new();
    DIGEST
        .get_or_init(|| {
            of_program(&running()).unwrap_or_else(|error| {
                tracing::warn!("the program's own file cannot be read: {error}; results are kept by its version alone");
                Digest::of(concat!("jackfield ", env!("CARGO_PKG_VERSION")))
            })
        })
        .clone()
}

/// The file of the running program, also if another one has taken its path since.
fn running() -> PathBuf {
    let itself = PathBuf::from("/proc/self/exe");
    if itself.exists() { itself } else { std::env::current_exe().unwrap_or(itself) }
}

fn of_program(path: &Path) -> io::Result<Digest> {
    match build_id(File::open(path)?) {
        Some(id) => Ok(Digest::of_parts([b"build id\n".as_slice(), &id])),
        None => Digest::of_file(path),
    }
}

/// The build id that the linker put into a program; none if it put none there.
fn build_id(file: File) -> Option<Vec<u8>> {
    // Only the headers and the notes are read of a file that may have a hundred megabytes.
    let data = ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(&data).ok()?;
    let endian = header.endian().ok()?;
    for segment in header.program_headers(endian, &data).ok()? {
        let Ok(Some(mut notes)) = segment.notes(endian, &data) else { continue };
        while let Ok(Some(note)) = notes.next() {
            if note.name() == ELF_NOTE_GNU && note.n_type(endian) == NT_GNU_BUILD_ID && !note.desc().is_empty() {
                return Some(note.desc().to_vec());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_the_digest_of_its_build_id_or_else_of_its_content() {
        let bytes = std::fs::read(running()).expect("this program");
        let folder = tempfile::tempdir().expect("a folder");
        let (same, other) = (folder.path().join("same"), folder.path().join("other"));
        std::fs::write(&same, &bytes).expect("written");
        assert_eq!(of_program(&same).expect("read"), program_digest(), "it goes with the content, not the place");
        let id = build_id(File::open(&same).expect("opened"));
        // Another program is told apart, with a build id and without one.
        let mut changed = bytes.clone();
        let id = id.expect("the linker that is used here notes one");
        let at = bytes.windows(id.len()).position(|window| window == id).expect("it stands there");
        changed[at] ^= 1;
        std::fs::write(&other, &changed).expect("written");
        assert_ne!(of_program(&other).expect("read"), program_digest());
        let note =
            bytes.windows(16).position(|window| window == b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0").expect("a note");
        let mut without = bytes;
        without[note + 8] = 0x7f;
        std::fs::write(&other, &without).expect("written");
        assert_eq!(of_program(&other).expect("read"), Digest::of(&without));
    }
}
