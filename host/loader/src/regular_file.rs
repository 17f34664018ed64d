//! Reads files at paths that people give. Only regular files up to a limit are read: a FIFO would wait for a writer for ever,
//! and a device has no end.

use std::{
    fs::{File, FileType, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

/// The most bytes of a text that people write, such as a pipeline, a lockfile or a prompt.
pub const MOST_TEXT: u64 = 16 << 20;
/// The most bytes of a file that programs write, such as a recorded call or a plugin.
pub const MOST_BYTES: u64 = 1 << 30;

/// Opens a file for reading if it is a regular one.
///
/// # Errors
/// Those of [`File::open`], and a file that is not a regular one.
pub fn open(path: &Path) -> io::Result<File> {
    // Some devices act when they are opened, so the type is checked before. The file may have been replaced in between, so it
    // is checked again.
    only_regular(std::fs::metadata(path)?.file_type())?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Without it, opening a FIFO that has taken the place of the file would wait.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    only_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// The content of a regular file of at most `most` bytes.
///
/// # Errors
/// Those of [`open`], and a file that is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // The file may have grown since, or not report its size.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// The error of a file that is larger than it may be.
pub(super) fn too_large(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {}", format_size(most)))
}

/// Reads a regular file of at most `most` bytes that has UTF-8 text.
///
/// # Errors
/// Those of [`read`], and text that is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read(path, most)?).map_err(not_text)
}

/// An error for what is neither a regular file nor, where that is allowed, a folder.
///
/// # Errors
/// For a FIFO, a socket, a device, and a folder.
pub fn only_regular(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, not a regular file", what(kind))))
}

/// An error if a path has something other than a file that may be replaced: a device, a FIFO, or a link to one.
///
/// # Errors
/// Those of [`only_regular`]. If the metadata cannot be read there is no error: writing the file will report it.
pub fn only_replaceable(path: &Path) -> io::Result<()> {
    std::fs::metadata(path).map_or(Ok(()), |about| only_regular(about.file_type()))
}

/// The type of a file in words, with its article.
fn what(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

/// A number of bytes as people write it: `64 MiB`, `100 bytes`.
pub fn format_size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(path: &Path) -> String {
        read(path, 100).expect_err("refused").to_string()
    }

    #[test]
    fn a_regular_file_is_read_and_so_is_a_link_to_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "text").expect("written");
        std::os::unix::fs::symlink("a", &link).expect("linked");
        assert_eq!(read(&path, 4).expect("read"), b"text");
        assert_eq!(read_text(&link, 100).expect("read"), "text");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(refused(folder.path()), "it is a folder, not a regular file");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device, not a regular file");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        assert_eq!(refused(&socket), "it is a socket, not a regular file");
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        assert_eq!(refused(&fifo), "it is a FIFO, not a regular file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("fifo", &link).expect("linked");
        assert_eq!(refused(&link), "it is a FIFO, not a regular file");
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file with a hole");
        assert_eq!(refused(&path), "it is larger than 100 bytes");
        assert_eq!(read(&path, MOST_TEXT).expect_err("refused").to_string(), "it is larger than 16 MiB");
    }
}
