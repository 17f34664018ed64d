//! The folder of compiled code. It has native code that runs unchecked, so the folder and its files have to belong to this user
//! and be closed to everybody else. All operations go through the open folder, so that replacing its path has no effect.

use std::{
    fmt,
    fs::{DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat},
    process::geteuid,
};

/// The most bytes of one file that are read.
const MOST_READ: u64 = 4 << 30;
/// The ending of the name of a file that is being written.
const PARTIAL: &str = ".partial";
/// The age from which such a file was abandoned by the process that wrote it.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// The folder, open.
pub(super) struct Folder {
    path: PathBuf,
    handle: OwnedFd,
    /// The most bytes that it may hold.
    most: u64,
}

/// Why a folder is not used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It cannot be made, opened or written.
    Io(io::Error),
    /// It is a symbolic link.
    Link,
    /// It belongs to this other user.
    NotOwn(u32),
    /// Others than its owner have rights to it: these.
    Open(u32),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be written: {error}"),
            Self::Link => f.write_str("is a symbolic link, and is not used"),
            Self::NotOwn(user) => write!(f, "belongs to another user ({user}), and is not used"),
            Self::Open(mode) => write!(f, "is open to others (mode {mode:04o}), and is not used"),
        }
    }
}

impl Unusable {
    /// What to do about it.
    pub(super) fn hint(&self, folder: &Path) -> Option<String> {
        match self {
            Self::Open(_) => {
                Some(format!("if only you have written to it, close it to others: chmod 700 {}", folder.display()))
            }
            Self::Io(_) | Self::Link | Self::NotOwn(_) => {
                Some("set JACKFIELD_CACHE_DIR to a folder of your own".to_owned())
            }
        }
    }
}

impl Folder {
    /// Opens the folder, and makes it if it is not there.
    pub(super) fn open(path: &Path, most: u64) -> Result<Self, Unusable> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(_) if path.is_symlink() => return Err(Unusable::Link),
            Err(error) => return Err(Unusable::Io(made.err().unwrap_or(error.into()))),
        };
        let about = rustix::fs::fstat(&handle).map_err(|error| Unusable::Io(error.into()))?;
        if about.st_uid != geteuid().as_raw() {
            return Err(Unusable::NotOwn(about.st_uid));
        }
        if rights(&about) & 0o077 != 0 {
            return Err(Unusable::Open(rights(&about)));
        }
        Ok(Self { path: path.to_owned(), handle, most })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The content of a file, or none if it does not exist. Its time of use is updated.
    ///
    /// # Errors
    /// Why the file cannot be used, as the predicate of a sentence about it.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        // With `NONBLOCK`, opening a pipe does not wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => return Err("is a symbolic link".to_owned()),
            Err(error) => return Err(format!("cannot be opened: {}", io::Error::from(error))),
        };
        let about = rustix::fs::fstat(&file).map_err(|error| format!("cannot be read: {}", io::Error::from(error)))?;
        if !is_file(&about) {
            return Err("is not a regular file".to_owned());
        }
        if about.st_uid != geteuid().as_raw() {
            return Err(format!("belongs to another user ({})", about.st_uid));
        }
        if rights(&about) & 0o022 != 0 {
            return Err(format!("can be written by others (mode {:04o})", rights(&about)));
        }
        if about.st_nlink != 1 {
            return Err("has a second name elsewhere".to_owned());
        }
        let mut file = File::from(file);
        let mut content = Vec::with_capacity(bytes_of(&about).min(MOST_READ) as usize);
        let read = (&mut file).take(MOST_READ).read_to_end(&mut content);
        read.map_err(|error| format!("cannot be read: {error}"))?;
        // The file that was used last is removed last.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(content))
    }

    /// Writes a file as a whole or not at all, in place of the one of its name, and makes room for it.
    pub(super) fn keep(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let length: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if length > self.most {
            self.remove(name);
            return Err(io::Error::other(format!("it has {length} bytes, and the folder may hold {}", self.most)));
        }
        let partial = self.write_aside(parts)?;
        let renamed = rustix::fs::renameat(&self.handle, &partial, &self.handle, name);
        // The name is on the disk when the folder is written.
        let kept = renamed.and_then(|()| rustix::fs::fsync(&self.handle)).map_err(io::Error::from);
        if kept.is_err() {
            self.remove(&partial);
        }
        self.make_room();
        kept
    }

    /// Writes a new file to the disk, and returns its name.
    fn write_aside(&self, parts: &[&[u8]]) -> io::Result<String> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!("{}-{}{PARTIAL}", std::process::id(), since.as_nanos());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.handle, &name, flags, Mode::RUSR | Mode::WUSR)?);
        let written = parts.iter().try_for_each(|part| file.write_all(part)).and_then(|()| file.sync_all());
        match written {
            Ok(()) => Ok(name),
            Err(error) => {
                self.remove(&name);
                Err(error)
            }
        }
    }

    /// Whether a file can be written.
    pub(super) fn try_writing(&self) -> Result<(), Unusable> {
        self.write_aside(&[]).map(|name| self.remove(&name)).map_err(Unusable::Io)
    }

    /// How many files there are, and their bytes.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.files().iter().fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.bytes))
    }

    /// Removes the files that were not used for longest, until the folder holds no more than it may. Other processes may do the
    /// same.
    fn make_room(&self) {
        let (mut files, now) = (self.files(), SystemTime::now());
        files.sort_by_key(|file| file.used);
        let mut held: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            let age = now.duration_since(file.used).unwrap_or_default();
            let being_written = file.name.ends_with(PARTIAL);
            if (being_written && age > LEFT_BEHIND) || (!being_written && held > self.most) {
                self.remove(&file.name);
                held = held.saturating_sub(file.bytes);
            }
        }
    }

    fn remove(&self, name: &str) {
        // Another process may have been faster.
        let _ = rustix::fs::unlinkat(&self.handle, name, AtFlags::empty());
    }

    fn files(&self) -> Vec<Kept> {
        let Ok(entries) = Dir::read_from(&self.handle) else { return Vec::new() };
        let about = |entry: rustix::io::Result<rustix::fs::DirEntry>| {
            let name = entry.ok()?.file_name().to_str().ok()?.to_owned();
            let about = rustix::fs::statat(&self.handle, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let since = Duration::new(u64::try_from(about.st_mtime).ok()?, u32::try_from(about.st_mtime_nsec).ok()?);
            is_file(&about).then(|| Kept { name, bytes: bytes_of(&about), used: SystemTime::UNIX_EPOCH + since })
        };
        entries.filter_map(about).collect()
    }
}

/// A file in the folder.
struct Kept {
    name: String,
    bytes: u64,
    used: SystemTime,
}

fn is_file(about: &Stat) -> bool {
    FileType::from_raw_mode(about.st_mode) == FileType::RegularFile
}

fn rights(about: &Stat) -> u32 {
    Mode::from_raw_mode(about.st_mode).bits() & 0o7777
}

fn bytes_of(about: &Stat) -> u64 {
    u64::try_from(about.st_size).unwrap_or(0)
}
