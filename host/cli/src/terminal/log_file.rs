//! The file that `--log-file` names.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// A file that grows by whole lines: each is appended with one write, so that several programs may share it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Whether a line was lost. It is reported once.
    has_failed: AtomicBool,
}

impl LogFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// What the system says, such as that its folder is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if std::fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo()) {
            let message = "it is a FIFO, and opening it would wait for a reader";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, has_failed: AtomicBool::new(false) })
    }

    /// Appends lines. The first error is returned, with the name of the file, and later ones are not.
    ///
    /// # Errors
    /// A message, once.
    pub(super) fn append(&self, lines: &str) -> Result<(), String> {
        match (&self.file).write_all(lines.as_bytes()) {
            Err(error) if !self.has_failed.swap(true, Ordering::Relaxed) => {
                Err(format!("cannot write to the log file `{}`: {error}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogFile;

    #[test]
    fn lines_are_added_to_those_that_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        std::fs::write(&path, "one\n").expect("written");
        LogFile::open(&path).expect("opened").append("two\n").expect("appended");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one\ntwo\n");
    }

    #[test]
    fn a_fifo_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        let refused = LogFile::open(&path).expect_err("a FIFO");
        assert!(refused.to_string().contains("it is a FIFO"), "{refused}");
    }

    #[test]
    fn a_full_disk_is_reported_once() {
        let log = LogFile::open("/dev/full".as_ref()).expect("opened");
        let error = log.append("one\n").expect_err("full");
        assert_eq!(error, "cannot write to the log file `/dev/full`: No space left on device (os error 28)");
        assert_eq!(log.append("two\n"), Ok(()));
    }
}
