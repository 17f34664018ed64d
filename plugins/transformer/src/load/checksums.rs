//! `checksums.json`: the SHA-256 of a model's files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Component, Path},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    LoadError, LoadFault,
    folder::{LONGEST_LIST, small_file},
};

/// The file's name.
pub const CHECKSUMS: &str = "checksums.json";
/// The most files that are listed.
const MOST_FILES: u64 = 1 << 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checksums {
    algorithm: String,
    files: BTreeMap<String, String>,
}

/// Compares the files of a folder with `checksums.json`, if that is there. `weights` are the names of the files that hold
/// weights, each of which must be listed.
pub(crate) fn verify(folder: &Path, weights: &[String]) -> Result<(), LoadError> {
    for (name, wanted) in listed(folder, weights)? {
        let path = folder.join(&name);
        let found = sha256(&path).map_err(|error| LoadFault::from(error).of(&path))?;
        if !found.eq_ignore_ascii_case(&wanted) {
            return Err(LoadFault::WrongChecksum { wanted, found }.of(&path));
        }
    }
    Ok(())
}

/// The names in `checksums.json` with their SHA-256, none if that is not there. No file is compared.
pub(super) fn listed(folder: &Path, weights: &[String]) -> Result<BTreeMap<String, String>, LoadError> {
    let path = folder.join(CHECKSUMS);
    let Some(text) = small_file(&path, LONGEST_LIST)? else { return Ok(BTreeMap::new()) };
    let wrong = |fault: LoadFault| fault.of(&path);
    let checksums: Checksums =
        serde_json::from_slice(&text).map_err(|error| wrong(LoadFault::NotJson(error.to_string())))?;
    if checksums.algorithm != "sha256" {
        let why = format!("it is {:?}, and must be \"sha256\"", checksums.algorithm);
        return Err(wrong(LoadFault::WrongKey { key: "algorithm".to_owned(), why }));
    }
    if checksums.files.len() as u64 > MOST_FILES {
        let found = checksums.files.len() as u64;
        return Err(wrong(LoadFault::TooMany { what: "files", found, most: MOST_FILES }));
    }
    if let Some(name) = weights.iter().find(|name| !checksums.files.contains_key(*name)) {
        return Err(wrong(LoadFault::NotListed(name.clone())));
    }
    match checksums.files.keys().find(|name| !is_plain(name)) {
        Some(name) => Err(wrong(LoadFault::OutsideFolder(name.clone()))),
        None => Ok(checksums.files),
    }
}

/// What `checksums.json` of a folder should hold: the SHA-256 of each of its files, but of those that are hidden, and of
/// `checksums.json` itself.
///
/// # Errors
/// [`LoadError`] if a file cannot be read, or has a name that is not UTF-8.
pub fn checksums(folder: &Path) -> Result<String, LoadError> {
    let unreadable = |error: io::Error| LoadFault::from(error).of(folder);
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(LoadFault::OutsideFolder(name).of(folder));
        };
        if path.is_file() && name != CHECKSUMS && !name.starts_with('.') {
            files.insert(name.to_owned(), sha256(&path).map_err(|error| LoadFault::from(error).of(&path))?);
        }
    }
    let checksums = Checksums { algorithm: "sha256".to_owned(), files };
    serde_json::to_string_pretty(&checksums).map_err(|error| LoadFault::NotJson(error.to_string()).of(folder))
}

/// Whether a name is that of a file in the folder itself.
pub(super) fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
