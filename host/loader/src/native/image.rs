//! A private copy of a library, as a file that the dynamic loader can load and that nobody else can reach or change.

use std::{
    fs::{File, Permissions},
    io::{self, Write as _},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A private copy of a library, for as long as this lives.
pub(super) struct Image {
    path: PathBuf,
    storage: Storage,
}

enum Storage {
    /// In memory; it has no name in any folder.
    Memory(OwnedFd),
    /// In a folder of this process's own.
    Folder(TempDir),
}

impl Image {
    /// Copies the bytes to memory, or, where there are no files in memory, to a folder of this user alone.
    pub(super) fn new(bytes: &[u8]) -> io::Result<Self> {
        match in_memory(bytes) {
            Ok(image) => Ok(image),
            Err(error) => {
                tracing::debug!("a native plugin is not loaded from memory: {error}");
                Self::in_folder(bytes)
            }
        }
    }

    /// Copies the bytes to a folder of this user alone.
    pub(super) fn in_folder(bytes: &[u8]) -> io::Result<Self> {
        let mut made = tempfile::Builder::new();
        made.prefix("jackfield-plugin-").permissions(Permissions::from_mode(0o700));
        let folder = made.tempdir()?;
        let path = folder.path().join("plugin.so");
        File::create_new(&path)?.write_all(bytes)?;
        Ok(Self { path, storage: Storage::Folder(folder) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the copy once the library is loaded, if it lies in a folder. The loader takes two files of one path for the same
    /// library, so a memory file stays open, and no other file gets its number.
    pub(super) fn loaded(self) {
        match self.storage {
            Storage::Memory(file) => std::mem::forget(file),
            Storage::Folder(folder) => drop(folder),
        }
    }

    /// What to do if the loader refuses the copy.
    pub(super) fn hint(&self) -> Option<String> {
        match &self.storage {
            Storage::Memory(_) => None,
            Storage::Folder(folder) => Some(format!(
                "it was copied to `{}`: if that is mounted `noexec`, set TMPDIR to a folder that is not",
                folder.path().display()
            )),
        }
    }
}

#[cfg(target_os = "linux")]
fn in_memory(bytes: &[u8]) -> io::Result<Image> {
    use rustix::{
        fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
        io::Errno,
    };

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Older kernels do not know `EXEC`, and do not need it.
    let made = memfd_create("jackfield-plugin", flags | MemfdFlags::EXEC);
    let made = made.or_else(|error| match error {
        Errno::INVAL => memfd_create("jackfield-plugin", flags),
        other => Err(other),
    });
    let mut file = File::from(made?);
    file.write_all(bytes)?;
    let file = OwnedFd::from(file);
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // Without `/proc`, the file has no path.
    path.metadata()?;
    Ok(Image { path, storage: Storage::Memory(file) })
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_bytes: &[u8]) -> io::Result<Image> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_copy_in_memory_cannot_be_changed() {
        let image = Image::new(b"a library").expect("made");
        assert_eq!(fs::read(image.path()).expect("read"), b"a library");
        assert!(image.path().starts_with("/proc/self/fd"), "{}", image.path().display());
        // By whoever finds it.
        let written = File::options().write(true).open(image.path()).and_then(|mut file| file.write_all(b"another"));
        written.expect_err("it is sealed");
        File::options().write(true).open(image.path()).and_then(|file| file.set_len(0)).expect_err("it is sealed");
        assert_eq!(fs::read(image.path()).expect("read"), b"a library");
    }

    #[test]
    fn a_copy_in_a_folder_is_this_users_alone_and_gone_once_it_is_loaded() {
        let image = Image::in_folder(b"a library").expect("made");
        let path = image.path().to_owned();
        let folder = path.parent().expect("a folder").to_owned();
        assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);
        assert!(image.hint().expect("a hint").contains("TMPDIR"));
        image.loaded();
        assert!(!folder.exists());
    }

    #[test]
    fn no_two_copies_have_one_path() {
        let (first, second) = (Image::new(b"one").expect("made"), Image::new(b"two").expect("made"));
        let path = first.path().to_owned();
        assert_ne!(path, second.path());
        first.loaded();
        assert_ne!(path, Image::new(b"three").expect("made").path(), "it was given away again");
        assert_eq!(fs::read(&path).expect("read"), b"one");
    }
}
