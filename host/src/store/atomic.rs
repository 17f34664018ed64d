//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use super::StoreError;

/// Whether a file must survive a power cut, or just the end of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Yes,
    No,
}

/// Writes a file aside and renames it into place.
pub fn write_whole(path: &Path, content: impl AsRef<[u8]>) -> Result<(), StoreError> {
    write_with(path, Durable::No, |file| file.write_all(content.as_ref()))
}

/// As [`write_whole`], for content that is made piece by piece.
pub(super) fn write_with(
    path: &Path,
    durable: Durable,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = BufWriter::new(File::create(&aside)?);
        fill(&mut file)?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        if durable == Durable::Yes {
            file.sync_all()?;
        }
        fs::rename(&aside, path)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&aside);
        StoreError::file("write", path, source)
    })
}
