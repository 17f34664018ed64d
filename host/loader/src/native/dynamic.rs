//! The instructions of a library to the dynamic loader: the libraries that it needs, and where to look for them.

use object::{
    Endianness,
    elf::{self, FileHeader64, ProgramHeader64},
    read::elf::{Dyn as _, FileHeader, ProgramHeader},
};

/// The entries of the dynamic segment. They are read as the loader reads them: by segments, whatever the sections say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dynamic {
    /// The libraries that it needs (`DT_NEEDED`).
    pub(super) needed: Vec<String>,
    /// The name by which others need it (`DT_SONAME`).
    pub(super) name: Option<String>,
    /// The folders in which the loader would look for them (`DT_RPATH`, `DT_RUNPATH`), as they are written there.
    pub(super) folders: Vec<String>,
    /// Entries that make the loader load further libraries, with the names of these.
    pub(super) further: Vec<(&'static str, String)>,
}

impl Dynamic {
    /// Reads a library whose segments lie within it.
    ///
    /// # Errors
    /// What is damaged, as a sentence.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |error: object::read::Error| error.to_string();
        let header = FileHeader64::<Endianness>::parse(bytes).map_err(wrong)?;
        let endian = header.endian().map_err(wrong)?;
        let segments = header.program_headers(endian, bytes).map_err(wrong)?;
        let mut dynamic = Self::default();
        for segment in segments {
            let Some(entries) = segment.dynamic(endian, bytes).map_err(wrong)? else { continue };
            let entries = entries.iter().map(|entry| (entry.d_tag(endian), entry.d_val(endian)));
            // The loader stops at the first entry that is null.
            let entries: Vec<_> = entries.take_while(|(tag, _)| *tag != elf::DT_NULL).collect();
            let value = |wanted| entries.iter().rev().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
            let texts = value(elf::DT_STRTAB).zip(value(elf::DT_STRSZ));
            let texts = texts.and_then(|(address, size)| at_address(endian, bytes, segments, address, size));
            for (tag, offset) in &entries {
                let text =
                    || text(texts, *offset).ok_or_else(|| "a name in its dynamic segment lies beyond it".to_owned());
                match *tag {
                    elf::DT_NEEDED => dynamic.needed.push(text()?),
                    elf::DT_SONAME => dynamic.name = Some(text()?),
                    elf::DT_RPATH | elf::DT_RUNPATH => dynamic.folders.extend(text()?.split(':').map(str::to_owned)),
                    elf::DT_AUDIT => dynamic.further.push(("DT_AUDIT", text()?)),
                    elf::DT_DEPAUDIT => dynamic.further.push(("DT_DEPAUDIT", text()?)),
                    elf::DT_FILTER => dynamic.further.push(("DT_FILTER", text()?)),
                    elf::DT_AUXILIARY => dynamic.further.push(("DT_AUXILIARY", text()?)),
                    _ => {}
                }
            }
        }
        Ok(dynamic)
    }
}

/// The bytes that will lie at an address once the library is loaded.
fn at_address<'a>(
    endian: Endianness,
    bytes: &'a [u8],
    segments: &[ProgramHeader64<Endianness>],
    address: u64,
    size: u64,
) -> Option<&'a [u8]> {
    let loaded = segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
    loaded.into_iter().find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten())
}

fn text(texts: Option<&[u8]>, offset: u64) -> Option<String> {
    let rest = texts?.get(usize::try_from(offset).ok()?..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}
