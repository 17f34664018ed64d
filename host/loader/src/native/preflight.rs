//! What can be told from the file alone. The dynamic loader kills the process over a truncated file and blames the wrong
//! thing for a foreign one, so whatever it would trip over is found here.

use std::path::Path;

use jackfield_plugin_api::native::{NOTE_SYMBOL, Note};
use object::{
    Architecture, Endianness, Object, ObjectSection, ObjectSymbol,
    elf::{self, FileHeader64},
    read::elf::{ElfFile64, FileHeader, ProgramHeader},
};

use crate::LoadError;

/// Checks that the dynamic loader can take the file: that it is a library for this machine, and whole.
pub(super) fn check_segments(path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let damaged = |what: String| LoadError::Damaged { path: path.to_owned(), what };

    let class = bytes.get(4).copied();
    if class == Some(elf::ELFCLASS32.0) {
        return Err(wrong_target(path, "a 32-bit system".to_owned()));
    }
    if bytes.get(5).copied() == Some(elf::ELFDATA2MSB.0) {
        return Err(wrong_target(path, "a big-endian system".to_owned()));
    }
    let header = FileHeader64::<Endianness>::parse(bytes)
        .map_err(|_| damaged(format!("its header is cut short at {} bytes", bytes.len())))?;
    let endian = header.endian().map_err(|error| damaged(error.to_string()))?;
    let machine = header.e_machine(endian);
    if machine != HOST_MACHINE {
        return Err(wrong_target(path, machine_name(machine)));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(LoadError::NoEntry { path: path.to_owned(), what: "it is not a shared library".to_owned() });
    }
    let segments = header
        .program_headers(endian, bytes)
        .map_err(|_| damaged("its segment table lies beyond its end".to_owned()))?;
    for segment in segments {
        let end = segment.p_offset(endian).checked_add(segment.p_filesz(endian));
        if end.is_none_or(|end| end > bytes.len() as u64) {
            return Err(damaged(format!("a segment ends beyond the end of the file ({} bytes)", bytes.len())));
        }
    }
    Ok(())
}

/// Reads the note of a native library after checking that the dynamic loader can take the file.
pub(super) fn preflight(path: &Path, bytes: &[u8]) -> Result<Note, LoadError> {
    check_segments(path, bytes)?;
    let damaged = |what: String| LoadError::Damaged { path: path.to_owned(), what };
    let no_entry = |what: &str| LoadError::NoEntry { path: path.to_owned(), what: what.to_owned() };

    let file = ElfFile64::<Endianness>::parse(bytes).map_err(|error| damaged(error.to_string()))?;
    debug_assert_eq!(file.architecture(), HOST_ARCHITECTURE);
    let symbol = file
        .dynamic_symbols()
        .find(|symbol| symbol.is_definition() && symbol.name() == Ok(NOTE_SYMBOL))
        .ok_or_else(|| no_entry("it lacks the symbol `JACKFIELD_PLUGIN`"))?;
    let note = file
        .sections()
        .find(|section| {
            (section.address()..section.address().saturating_add(section.size())).contains(&symbol.address())
        })
        .and_then(|section| section.data_range(symbol.address(), Note::SIZE as u64).ok().flatten())
        .and_then(Note::read);
    note.ok_or_else(|| no_entry("the symbol `JACKFIELD_PLUGIN` is not what the contract says"))
}

fn wrong_target(path: &Path, found: String) -> LoadError {
    LoadError::WrongTarget { path: path.to_owned(), found, wanted: machine_name(HOST_MACHINE) }
}

#[cfg(target_arch = "x86_64")]
const HOST_MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "x86_64")]
const HOST_ARCHITECTURE: Architecture = Architecture::X86_64;
#[cfg(target_arch = "aarch64")]
const HOST_MACHINE: elf::Machine = elf::EM_AARCH64;
#[cfg(target_arch = "aarch64")]
const HOST_ARCHITECTURE: Architecture = Architecture::Aarch64;

fn machine_name(machine: elf::Machine) -> String {
    match machine {
        elf::EM_X86_64 => "x86-64".to_owned(),
        elf::EM_AARCH64 => "AArch64".to_owned(),
        elf::EM_386 => "32-bit x86".to_owned(),
        elf::EM_ARM => "32-bit ARM".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_PPC64 => "64-bit PowerPC".to_owned(),
        other => format!("another processor (ELF machine {other:?})"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use object::Endianness;
    use proptest::{prelude::*, test_runner::Config};

    use super::*;

    /// A plugin that `tests/build-fixtures` made.
    fn fixture() -> Vec<u8> {
        let exe = std::env::current_exe().expect("the test's own path");
        let path: PathBuf = exe.ancestors().nth(3).expect("target/PROFILE/deps/test").join("fixtures/misbehaving.so");
        std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run tests/build-fixtures first", path.display()))
    }

    fn config() -> Config {
        let asked = std::env::var("JACKFIELD_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
        Config { cases: asked.unwrap_or(8), failure_persistence: None, ..Config::default() }
    }

    proptest! {
        #![proptest_config(config())]

        /// Reading is all that is tried: what the loader would make of such a file is no test to survive.
        #[test]
        fn headers_of_any_bytes_are_read_or_refused(
            seed in any::<u64>(),
            changes in prop::collection::vec((0..3_usize, any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = fixture();
            let header = FileHeader64::<Endianness>::parse(&*bytes).expect("a header");
            let sections = header.e_shoff(Endianness::Little) as usize;
            // A library has more places to change than it takes time to read it: many changes to one.
            let mut random = jackfield_plugin_api::Random::new(seed);
            for _ in 0..200 {
                let before: Vec<(usize, u8)> = changes
                    .iter()
                    .map(|(part, at, _)| {
                        let (start, length) = match part {
                            0 => (0, 64),
                            1 => (64, 1024),
                            _ => (sections, bytes.len() - sections),
                        };
                        let at = start + (at.index(length) + random.next_u64() as usize % 256) % length;
                        (at, bytes[at])
                    })
                    .collect();
                for ((at, _), (_, _, byte)) in before.iter().zip(&changes) {
                    bytes[*at] = *byte ^ (random.next_u64() as u8);
                }
                let _ = preflight(Path::new("fuzzed.so"), &bytes);
                for (at, byte) in before.into_iter().rev() {
                    bytes[at] = byte;
                }
            }
            prop_assert!(preflight(Path::new("whole.so"), &bytes).is_ok());
            let length = (seed % bytes.len() as u64) as usize;
            prop_assert!(preflight(Path::new("cut.so"), &bytes[..length]).is_err());
        }
    }
}
