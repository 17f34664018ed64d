//! The digest of a file or folder that a configuration names.
//!
//! A model's weights are gigabytes, so what was hashed once is remembered, by path, size, time of change and inode, in a
//! folder of the user's own. A file that changed a moment ago is not remembered: a second change within the resolution
//! of the clock would not be noticed.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jackfield_plugin_api::to_hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most files of a folder.
const MOST_FILES: usize = 10_000;

/// The most bytes in all: what is more would take minutes each time.
const MOST_BYTES: u64 = 256 << 30;

/// The most folders inside each other.
const DEEPEST: usize = 16;

/// From how many bytes on it pays to remember a digest.
const WORTH_REMEMBERING: u64 = 4 << 20;

/// How long ago a file has to have changed for its digest to be remembered.
const SETTLED: Duration = Duration::from_secs(2);

/// SHA-256 of a file, or of the names and contents of all files of a folder, in hexadecimal digits. Files and folders whose
/// names begin with a dot do not count: tools leave notes of their own there.
///
/// # Errors
/// Why there is none, as a fragment.
pub(crate) fn digest_of(path: &Path) -> Result<String, String> {
    digest_with_memory(path, folder_of_digests().as_deref())
}

fn digest_with_memory(path: &Path, digests: Option<&Path>) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => error.to_string(),
    })?;
    let mut found = BTreeMap::new();
    if about.is_dir() {
        let mut collect = Collect { root: path, bytes: 0, found: &mut found };
        collect.folder("", 0)?;
    } else {
        found.insert(String::new(), regular(path, about)?);
    }
    let bytes: u64 = found.values().map(Metadata::len).sum();
    if bytes > MOST_BYTES {
        return Err(format!("there are more than {} GiB", MOST_BYTES >> 30));
    }
    let memory = digests.filter(|_| bytes >= WORTH_REMEMBERING).map(|digests| memory_of(digests, path));
    let known = memory.as_deref().map(recall).unwrap_or_default();
    let mut seen = BTreeMap::new();
    for (name, about) in &found {
        let stamp = Stamp::of_metadata(about);
        let digest = match known.get(name).filter(|known| known.stamp == stamp) {
            Some(known) => known.sha256.clone(),
            None => {
                let file = if name.is_empty() { path.to_owned() } else { path.join(name) };
                hash(&file).map_err(|error| format!("`{}`: {error}", file.display()))?
            }
        };
        seen.insert(name.clone(), Known { stamp, sha256: digest });
    }
    if let Some(memory) = memory.filter(|_| seen != known) {
        let settled = seen.iter().filter(|(name, _)| is_settled(&found[*name]));
        remember(&memory, &settled.map(|(name, known)| (name.clone(), known.clone())).collect());
    }
    if let Some(Known { sha256, .. }) = seen.get("") {
        return Ok(sha256.clone());
    }
    let mut all = Sha256::new();
    all.update("jackfield folder 1\n");
    for (name, known) in &seen {
        all.update((name.len() as u64).to_be_bytes());
        all.update(name);
        all.update(&known.sha256);
    }
    Ok(to_hex(&all.finalize()))
}

/// Finds the files of a folder.
struct Collect<'a> {
    root: &'a Path,
    bytes: u64,
    found: &'a mut BTreeMap<String, Metadata>,
}

impl Collect<'_> {
    /// Adds the files below `inside`, which is empty or ends in `/`.
    fn folder(&mut self, inside: &str, depth: usize) -> Result<(), String> {
        let folder = self.root.join(inside);
        let shown = |error: io::Error| format!("`{}`: {error}", folder.display());
        if depth > DEEPEST {
            return Err(format!("it has folders inside folders, more than {DEEPEST} deep"));
        }
        for entry in fs::read_dir(&folder).map_err(shown)? {
            let entry = entry.map_err(shown)?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| format!("the name of {name:?} in it is not UTF-8"))?;
            if name.starts_with('.') {
                continue;
            }
            let (path, inner) = (entry.path(), format!("{inside}{name}"));
            // A link counts as what it leads to.
            let about = fs::metadata(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
            if about.is_dir() {
                self.folder(&format!("{inner}/"), depth + 1)?;
                continue;
            }
            self.bytes = self.bytes.saturating_add(about.len());
            self.found.insert(inner, regular(&path, about)?);
            if self.found.len() > MOST_FILES || self.bytes > MOST_BYTES {
                let most = format!("{MOST_FILES} files or {} GiB", MOST_BYTES >> 30);
                return Err(format!(
                    "the folder contains more than {most}: name a folder that contains only what is needed"
                ));
            }
        }
        Ok(())
    }
}

/// Only a regular file: a pipe or a device may not have an end.
fn regular(path: &Path, about: Metadata) -> Result<Metadata, String> {
    if about.is_file() { Ok(about) } else { Err(format!("`{}` is neither a file nor a folder", path.display())) }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut sha256, mut block) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(to_hex(&sha256.finalize())),
            length => sha256.update(&block[..length]),
        }
    }
}

/// What shows that a file has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: (u64, u64),
}

impl Stamp {
    fn of_metadata(about: &Metadata) -> Self {
        Self {
            bytes: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
            inode: (about.dev(), about.ino()),
        }
    }
}

fn is_settled(about: &Metadata) -> bool {
    let changed =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(about.ctime().max(about.mtime()).max(0) as u64));
    changed.is_some_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|since| since >= SETTLED))
}

/// A file that was hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    sha256: String,
}

/// Where digests are remembered; none where they are not.
fn folder_of_digests() -> Option<PathBuf> {
    let root = match std::env::var_os("JACKFIELD_CACHE_DIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        Some(_) => return None,
        None => {
            let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            xdg.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?.join("jackfield")
        }
    };
    Some(root.join("digests"))
}

fn memory_of(digests: &Path, path: &Path) -> PathBuf {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    digests.join(to_hex(&Sha256::digest(path.as_os_str().as_encoded_bytes()))).with_extension("json")
}

/// What is remembered of a path; nothing if somebody else could have written it.
fn recall(memory: &Path) -> BTreeMap<String, Known> {
    let is_ours = |path: &Path| {
        let (about, me) = (fs::symlink_metadata(path).ok()?, fs::metadata("/proc/self").ok()?);
        Some(about.uid() == me.uid() && about.permissions().mode() & 0o022 == 0 && !about.is_symlink())
    };
    let folder = memory.parent().unwrap_or(Path::new("/"));
    if is_ours(folder) != Some(true) || is_ours(memory) != Some(true) {
        return BTreeMap::new();
    }
    fs::read(memory).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Remembers digests. A failure is ignored: then the next check takes longer.
fn remember(memory: &Path, known: &BTreeMap<String, Known>) {
    let folder = memory.parent().unwrap_or(Path::new("/"));
    let kept = DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut temporary, known)?;
        temporary.persist(memory).map_err(|error| error.error)
    });
    if let Err(error) = kept {
        tracing::debug!("a digest was not remembered: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn plain(path: &Path) -> Result<String, String> {
        digest_with_memory(path, None)
    }

    #[test]
    fn a_file_has_the_digest_of_its_bytes_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, "abc").unwrap();
        fs::write(&two, "abc").unwrap();
        let digest = plain(&one).unwrap();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(plain(&two), Ok(digest));
    }

    #[test]
    fn a_folder_has_the_digest_of_its_names_and_bytes() {
        let make = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            plain(folder.path()).unwrap()
        };
        let digest = make(&[("a", "1"), ("b/c", "2")]);
        assert_eq!(make(&[("b/c", "2"), ("a", "1"), (".git/x", "3"), (".DS_Store", "4")]), digest);
        for other in
            [&[("a", "1")][..], &[("a", "1"), ("b/c", "3")], &[("a", "1"), ("b/d", "2")], &[("a", "1b/c"), ("b", "2")]]
        {
            assert_ne!(make(other), digest);
        }
    }

    #[test]
    fn what_has_no_end_and_what_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        assert_eq!(plain(&inside("none")), Err("there is no such file or folder".to_owned()));
        assert!(plain(Path::new("/dev/zero")).is_err_and(|why| why.contains("neither a file nor a folder")));
        fs::create_dir(inside("pipes")).unwrap();
        assert!(Command::new("mkfifo").arg(inside("pipes/p")).status().unwrap().success());
        assert!(plain(&inside("pipes")).is_err_and(|why| why.contains("neither a file nor a folder")));
        fs::create_dir(inside("loop")).unwrap();
        std::os::unix::fs::symlink("../loop", inside("loop/again")).unwrap();
        assert!(plain(&inside("loop")).is_err_and(|why| why.contains("deep")));
        fs::create_dir(inside("many")).unwrap();
        for number in 0..=MOST_FILES {
            fs::hard_link(inside("many/0"), inside(&format!("many/{number}")))
                .or_else(|_| fs::write(inside(&format!("many/{number}")), ""))
                .unwrap();
        }
        assert!(plain(&inside("many")).is_err_and(|why| why.contains("more than 10000 files")));
    }

    #[test]
    fn a_large_file_is_hashed_once_until_it_changes() {
        let (folder, digests) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("weights");
        fs::write(&path, vec![7; WORTH_REMEMBERING as usize]).unwrap();
        let memory = memory_of(digests.path(), &path);
        let digest = digest_with_memory(&path, Some(digests.path())).unwrap();
        assert_eq!(digest, plain(&path).unwrap());
        // It changed a moment ago.
        assert!(recall(&memory).is_empty());
        // As if it had been hashed long ago, with another outcome: that is what is believed while the file is the same.
        let known = |sha256: &str| {
            let stamp = Stamp::of_metadata(&fs::metadata(&path).unwrap());
            BTreeMap::from([(String::new(), Known { stamp, sha256: sha256.to_owned() })])
        };
        remember(&memory, &known("remembered"));
        assert_eq!(digest_with_memory(&path, Some(digests.path())).unwrap(), "remembered");
        // Another file of the same size replaces it.
        fs::write(folder.path().join("other"), vec![8; WORTH_REMEMBERING as usize]).unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        let other = digest_with_memory(&path, Some(digests.path())).unwrap();
        assert_eq!(other, plain(&path).unwrap());
        assert_ne!(other, digest);
        // Digests that others can write are not used.
        remember(&memory, &known("remembered"));
        fs::set_permissions(&memory, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(digest_with_memory(&path, Some(digests.path())).unwrap(), other);
    }
}
