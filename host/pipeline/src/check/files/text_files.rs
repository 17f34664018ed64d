//! Texts that a configuration names: a file, or the files of a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jackfield_plugin_api::to_hex;
use sha2::{Digest as _, Sha256};

use jackfield_loader::{escape_untrusted, regular_file, text_file};

/// The most files of a folder.
const MOST_FILES: usize = 100_000;

/// The most bytes of all of them together.
const MOST_BYTES: u64 = 64 << 20;

/// What cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Why, naming what it is about as the pipeline does.
    pub(crate) message: String,
    /// Where it was looked for.
    pub(crate) path: PathBuf,
}

/// The text of a regular file: unpacked, and without a byte order mark.
///
/// # Errors
/// Why there is none, as a fragment.
pub(crate) fn text_of(path: &Path) -> Result<String, String> {
    match text_file::read(path, regular_file::MOST_TEXT) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("there is no such file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The file at `full`, or the files of the folder there, sorted by name: path and text. `path` is what the pipeline calls it.
///
/// # Errors
/// With all that cannot be read.
pub(crate) fn read(path: &str, full: &Path) -> Result<Vec<(String, String)>, Vec<Unreadable>> {
    let wrong = |message: String| vec![Unreadable { message, path: full.to_owned() }];
    let about = fs::metadata(full).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => wrong(format!("cannot read `{path}`: there is no such file or folder")),
        _ => wrong(format!("cannot read `{path}`: {error}")),
    })?;
    if !about.is_dir() {
        let text = text_of(full).map_err(|why| wrong(format!("cannot read the file `{path}`: {why}")))?;
        return Ok(vec![(path.to_owned(), text)]);
    }
    let names = names_in(full).map_err(|why| wrong(format!("cannot read the folder `{path}`: {why}")))?;
    let (mut files, mut failed, mut bytes) = (Vec::with_capacity(names.len()), Vec::new(), 0);
    for name in names {
        let inner = Path::new(path).join(&name).to_string_lossy().into_owned();
        let full = full.join(&name);
        match text_of(&full) {
            Ok(text) => {
                bytes += text.len() as u64;
                files.push((inner, text));
            }
            Err(why) => {
                let message = format!("cannot read the file `{}`: {why}", escape_untrusted(&inner));
                failed.push(Unreadable { message, path: full });
            }
        }
        if bytes > MOST_BYTES {
            let most = regular_file::format_size(MOST_BYTES);
            return Err(wrong(format!("the files of the folder `{path}` hold more than {most} together: name fewer")));
        }
    }
    if failed.is_empty() { Ok(files) } else { Err(failed) }
}

/// The names of the regular files of a folder, sorted, without those that begin with a dot.
fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| format!("the name of {name:?} in it is not UTF-8"))?;
        // What a link leads to counts. One that leads nowhere is a file that cannot be read.
        if name.starts_with('.') || fs::metadata(entry.path()).is_ok_and(|about| !about.is_file()) {
            continue;
        }
        if names.len() == MOST_FILES {
            return Err(format!("it contains more than {MOST_FILES} files"));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err("it does not contain any files".to_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// SHA-256 of paths and texts, in hexadecimal digits: all that a plugin gets of them.
pub(crate) fn digest(files: &[(String, String)]) -> String {
    let mut all = Sha256::new();
    all.update("jackfield text files 1\n");
    for part in files.iter().flat_map(|(path, text)| [path, text]) {
        all.update((part.len() as u64).to_be_bytes());
        all.update(part);
    }
    to_hex(&all.finalize())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        folder
    }

    fn read_in(folder: &Path) -> Result<Vec<(String, String)>, Vec<String>> {
        read("p", folder).map_err(|wrong| wrong.into_iter().map(|wrong| wrong.message).collect())
    }

    #[test]
    fn the_files_of_a_folder_are_read_in_the_order_of_their_names() {
        let folder = folder(&[("b", b"\xef\xbb\xbf2"), ("B", b"1"), (".h", b"\xff"), ("d/x", b"\xff"), ("a.txt", b"")]);
        symlink("b", folder.path().join("link")).expect("linked");
        assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().expect("mkfifo").success());
        let wanted = [("p/B", "1"), ("p/a.txt", ""), ("p/b", "2"), ("p/link", "2")];
        let wanted: Vec<_> = wanted.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        assert_eq!(read_in(folder.path()), Ok(wanted));
        assert_eq!(read_in(&folder.path().join("b")), Ok(vec![("p".to_owned(), "2".to_owned())]));
    }

    #[test]
    fn a_file_of_another_system_is_the_text_that_it_holds() {
        let utf16: Vec<u8> = "\u{feff}schön".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let folder = folder(&[("a.txt", &utf16)]);
        assert_eq!(text_of(&folder.path().join("a.txt")), Ok("schön".to_owned()));
    }

    #[test]
    fn all_that_cannot_be_read_is_named() {
        let broken = folder(&[("a", b"\xff"), ("b", b"fine")]);
        symlink("nowhere", broken.path().join("c")).expect("linked");
        let wanted = [
            "cannot read the file `p/a`: it is not UTF-8 text (byte 0 is wrong)",
            "cannot read the file `p/c`: there is no such file",
        ];
        assert_eq!(read_in(broken.path()), Err(wanted.map(str::to_owned).to_vec()));
        let gone = read_in(&broken.path().join("gone"));
        assert_eq!(gone, Err(vec!["cannot read `p`: there is no such file or folder".to_owned()]));
        let empty = folder(&[("d/x", b"")]);
        assert_eq!(
            read_in(empty.path()),
            Err(vec!["cannot read the folder `p`: it does not contain any files".to_owned()])
        );
        assert_eq!(
            read_in(Path::new("/dev/zero")),
            Err(vec!["cannot read the file `p`: it is a device, not a regular file".to_owned()])
        );
        let names = (0..5).map(|at| (at.to_string(), vec![b'a'; 16 << 20]));
        let names: Vec<_> = names.collect();
        let large = folder(&names.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect::<Vec<_>>());
        assert_eq!(
            read_in(large.path()),
            Err(vec!["the files of the folder `p` hold more than 64 MiB together: name fewer".to_owned()])
        );
    }

    #[test]
    fn the_digest_is_of_names_and_texts_and_of_where_they_part() {
        let of = |files: &[(&str, &str)]| {
            digest(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
        };
        let usual = of(&[("a", "1"), ("b", "2")]);
        assert_eq!(of(&[("a", "1"), ("b", "2")]), usual);
        for other in
            [&[("a", "1")][..], &[("a", "1"), ("b", "3")], &[("a", "1"), ("c", "2")], &[("a", "1b"), ("", "2")]]
        {
            assert_ne!(of(other), usual);
        }
    }
}
