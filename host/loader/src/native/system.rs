//! The libraries of the system: those that the dynamic loader finds in folders that only the administrator can write to.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Folders of libraries on every system, besides those that `ld.so.cache` names.
const FOLDERS: &[&str] = &[
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    #[cfg(target_arch = "x86_64")]
    "/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "x86_64")]
    "/usr/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/lib/aarch64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/usr/lib/aarch64-linux-gnu",
];

/// Where a library would come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The system; only its administrator can have changed it.
    System,
    /// A file that others than the administrator can change.
    Elsewhere(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Looks a library up as the dynamic loader would: in the folders that the environment names, in those of the library that needs
/// it, in `ld.so.cache`, in the folders of the system.
pub(super) fn find(name: &str, folders: &[String]) -> Found {
    if libraries_of_the_program().contains(name) {
        return Found::System;
    }
    let environment = environment_folders();
    for folder in environment.iter().map(PathBuf::as_path).chain(folders.iter().map(Path::new)) {
        let file = folder.join(name);
        if file.exists() {
            return if is_trusted(&file) { Found::System } else { Found::Elsewhere(file) };
        }
    }
    let cached = cache().get(name).map(Vec::as_slice).unwrap_or_default();
    let usual = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    // The processor decides which of several the loader takes, so all of them have to be the system's.
    let mut found = cached.iter().cloned().chain(usual).filter(|file| file.exists()).peekable();
    if found.peek().is_none() {
        return Found::Nowhere;
    }
    found.find(|file| !is_trusted(file)).map_or(Found::System, Found::Elsewhere)
}

/// The libraries that the program itself is linked to. They are loaded already, so the loader takes them, wherever they are.
fn libraries_of_the_program() -> &'static BTreeSet<String> {
    static LOADED: OnceLock<BTreeSet<String>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let files = maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
        files.filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
    })
}

/// The folders that the environment puts before all others. The loader read the variable when the process began.
fn environment_folders() -> &'static [PathBuf] {
    static FOLDERS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOLDERS.get_or_init(|| {
        let text = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let text = text.to_string_lossy();
        // An empty name is the current folder.
        let folder = |folder: &str| PathBuf::from(if folder.is_empty() { "." } else { folder });
        if text.is_empty() { Vec::new() } else { text.split([':', ';']).map(folder).collect() }
    })
}

/// Whether only the administrator can put a library into a folder, which need not exist.
pub(super) fn is_for_the_administrator(folder: &Path) -> bool {
    // The loader replaces words that begin with `$`, which are not replaced here, and the contents of `/proc` and `/dev`
    // change from one moment to the next.
    folder.is_absolute()
        && !["/proc", "/dev"].iter().any(|root| folder.starts_with(root))
        && !folder.to_string_lossy().contains('$')
        && folder.ancestors().find(|path| path.symlink_metadata().is_ok()).is_some_and(is_trusted)
}

/// Whether only the administrator can change a file or folder, and all folders on the way to it.
pub(super) fn is_trusted(path: &Path) -> bool {
    let Ok(real) = fs::canonicalize(path) else { return false };
    // In a container, the administrator may appear under another number.
    let Ok(administrator) = fs::metadata("/").map(|root| root.uid()) else { return false };
    real.ancestors().all(|path| {
        fs::symlink_metadata(path)
            .is_ok_and(|about| (about.uid() == 0 || about.uid() == administrator) && about.mode() & 0o022 == 0)
    })
}

/// The paths of libraries by name, from `ld.so.cache`. It is read once, as the loader does.
fn cache() -> &'static BTreeMap<String, Vec<PathBuf>> {
    static CACHE: OnceLock<BTreeMap<String, Vec<PathBuf>>> = OnceLock::new();
    CACHE.get_or_init(|| match fs::read("/etc/ld.so.cache") {
        Ok(bytes) if is_trusted(Path::new("/etc/ld.so.cache")) => parse(&bytes).unwrap_or_default(),
        Ok(_) => BTreeMap::new(),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::debug!("`/etc/ld.so.cache` is not read: {error}");
            }
            BTreeMap::new()
        }
    })
}

/// Reads the format that glibc has written since 2.2, alone or after the older one.
fn parse(bytes: &[u8]) -> Option<BTreeMap<String, Vec<PathBuf>>> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let start = bytes.windows(MAGIC.len()).position(|window| window == MAGIC)?;
    let bytes = &bytes[start..];
    let number = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(u32::from_ne_bytes(four) as usize)
    };
    let text = |at: usize| {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(std::str::from_utf8(&rest[..end]).ok()?.to_owned())
    };
    let mut libraries = BTreeMap::<String, Vec<PathBuf>>::new();
    for index in 0..number(MAGIC.len())? {
        let at = HEADER + index * ENTRY;
        let (name, path) = (text(number(at + 4)?)?, text(number(at + 8)?)?);
        libraries.entry(name).or_default().push(OsString::from(path).into());
    }
    Some(libraries)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_c_library_is_the_systems_and_a_file_of_anyone_is_not() {
        assert_eq!(find("libc.so.6", &[]), Found::System);
        assert_eq!(find("libnone-such.so.1", &[]), Found::Nowhere);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("libnone-such.so.1");
        fs::write(&file, "").expect("written");
        let folders = [folder.path().to_string_lossy().into_owned()];
        // Below the folder for temporary files, anyone can put something.
        assert_eq!(find("libnone-such.so.1", &folders), Found::Elsewhere(file));
    }

    #[test]
    fn only_a_folder_that_the_administrator_alone_can_fill_is_looked_into() {
        for folder in ["/usr/lib", "/lib/none-such/of-these"] {
            assert!(is_for_the_administrator(Path::new(folder)), "{folder}");
        }
        for folder in [
            "",
            ".",
            "lib",
            "/tmp",
            "/tmp/none-such/of-these",
            "/proc/self/cwd",
            "$ORIGIN",
            "/usr/$LIB",
            "/usr/lib/../../tmp",
        ] {
            assert!(!is_for_the_administrator(Path::new(folder)), "{folder}");
        }
    }

    #[test]
    fn what_others_can_write_on_the_way_is_not_trusted() {
        assert!(is_trusted(Path::new("/etc/ld.so.conf")) || !Path::new("/etc/ld.so.conf").exists());
        assert!(!is_trusted(Path::new("/none-such")));
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).expect("set");
        assert!(!is_trusted(file.path()), "anyone can put another in its place");
    }

    #[test]
    fn the_loaders_cache_is_read_and_any_bytes_are_survived() {
        let mut bytes = b"an older format, then: glibc-ld.so.cache1.1".to_vec();
        let start = bytes.len() - 20;
        for number in [1_u32, 0, 0, 0, 0, 0, 0] {
            bytes.extend(number.to_ne_bytes());
        }
        for number in [0x303_u32, 72, 83, 0, 0, 0] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(b"libz.so.1\0\0/lib/libz.so.1\0");
        let read = parse(&bytes).expect("read");
        assert_eq!(read.get("libz.so.1").expect("there"), &[PathBuf::from("/lib/libz.so.1")]);
        for end in start..bytes.len() {
            let _ = parse(&bytes[..end]);
            let mut bytes = bytes.clone();
            bytes[end] ^= 0xff;
            let _ = parse(&bytes);
        }
    }
}
