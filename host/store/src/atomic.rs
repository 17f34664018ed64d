//! Files that appear whole or not at all.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use jackfield_loader::regular_file;

use super::{StoreError, file_name::file_name_of};

/// The most bytes of a name that leave room for the mark of a temporary file.
const MAX_NAME_BYTES: usize = 120;

/// Whether a file must survive a power cut, or just the end of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Yes,
    No,
}

/// Writes a temporary file beside `path` and renames it. Something that is not a regular file, such as `/dev/null`, is never
/// replaced.
///
/// # Errors
/// If the file cannot be written, or if `path` is something other than a regular file.
pub fn write_whole(path: &Path, content: impl AsRef<[u8]>) -> Result<(), StoreError> {
    regular_file::only_replaceable(path).map_err(|source| StoreError::file("write", path, source))?;
    let mark = format!(".{}", std::process::id());
    write(path, &mark, Durable::No, |file| file.write_all(content.as_ref()))
}

/// As [`write_whole`], for a file that is too large to be made at once: `fill` writes it, piece by piece.
///
/// # Errors
/// As those of [`write_whole`], and what `fill` gives.
pub fn write_whole_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    regular_file::only_replaceable(path).map_err(|source| StoreError::file("write", path, source))?;
    write(path, &format!(".{}", std::process::id()), Durable::No, fill)
}

/// As [`write_whole`], in a folder whose lock this process holds. The temporary file of a killed process has the same name,
/// so that it is replaced when the file is written again.
pub(super) fn write_in_held_folder(
    path: &Path,
    durable: Durable,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    write(path, "", durable, fill)
}

fn write(
    path: &Path,
    mark: &str,
    durable: Durable,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    // The temporary name is longer: a name of the greatest length has to be cut.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = if name.len() > MAX_NAME_BYTES { Cow::Owned(file_name_of(&name)) } else { name };
    let temporary = path.with_file_name(format!(".{name}{mark}.tmp"));
    let written = (|| {
        let mut file = BufWriter::new(super::plain::create(&temporary)?);
        fill(&mut file)?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        if durable == Durable::Yes {
            file.sync_all()?;
        }
        fs::rename(&temporary, path)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&temporary);
        StoreError::file("write", path, source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_as_long_as_names_may_be_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["x".repeat(255), "é".repeat(127)] {
            let path = folder.path().join(name);
            write_whole(&path, "whole").expect("written");
            assert_eq!(fs::read(path).expect("a file"), b"whole");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_not_replaced() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let folder = tempfile::tempdir().expect("a folder");
        let (socket, link) = (folder.path().join("socket"), folder.path().join("link"));
        let _socket = UnixListener::bind(&socket).expect("a socket");
        symlink(&socket, &link).expect("a link");
        for path in [&socket, &link, &folder.path().to_path_buf()] {
            let error = write_whole(path, "text").expect_err("refused").to_string();
            assert!(error.contains("not a regular file"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "all is as it was");
        assert!(!fs::metadata(&socket).expect("a socket").is_file());
    }

    #[test]
    fn what_a_killed_process_left_aside_goes_when_the_file_is_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("brief.md");
        // As if killed between writing and renaming.
        let killed = std::panic::catch_unwind(|| {
            write_in_held_folder(&path, Durable::No, |file| {
                file.write_all(b"half")?;
                panic!("killed");
            })
        });
        assert!(killed.is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        write_in_held_folder(&path, Durable::No, |file| file.write_all(b"whole")).expect("written");
        let names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
        assert_eq!(names, ["brief.md"]);
        assert_eq!(fs::read(path).expect("a file"), b"whole");
    }
}
