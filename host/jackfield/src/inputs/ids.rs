//! Ids of items: from values of a field, and from the names of files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield_engine::{composed, field_of};
use jackfield_loader::text_file::is_named_gzip;
use serde_json::value::RawValue;

/// The id that a field of an item holds: a text that is not blank, or a number. The rest of the item, however deeply nested,
/// is not looked into.
pub(super) fn id_in(json: &str, field: &str) -> Option<String> {
    id_of(field_of(json, field)?)
}

/// A value as an id. A number is what it says, whatever its size; `7.0` is how some programs write the number `7`.
fn id_of(value: &RawValue) -> Option<String> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' => text_as_id(serde_json::from_str(json).ok()?),
        b'-' | b'0'..=b'9' => {
            let whole = json.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|digit| digit == b'0'));
            Some(whole.map_or(json, |(whole, _)| whole).to_owned())
        }
        _ => None,
    }
}

/// A text as an id; none if it is blank.
pub(super) fn text_as_id(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}

/// What a file is called, without the ending that says that it is packed.
pub(super) fn unpacked_name(path: &Path) -> String {
    let name = if is_named_gzip(path) { path.file_stem() } else { path.file_name() };
    composed(&name.unwrap_or_default().to_string_lossy()).into_owned()
}

/// The name of a file without its ending.
pub(super) fn stem(path: &Path) -> String {
    let name = unpacked_name(path);
    Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Ids for files: the stem where that is unique, else the name, else the path.
pub(super) fn ids_of_files(paths: &[PathBuf]) -> Vec<String> {
    let count = |of: fn(&Path) -> String| {
        let mut counts = BTreeMap::<String, usize>::new();
        for path in paths {
            *counts.entry(of(path)).or_default() += 1;
        }
        counts
    };
    let (stems, names) = (count(stem), count(unpacked_name));
    let id = |path: &PathBuf| {
        let (stem, name) = (stem(path), unpacked_name(path));
        if stems[&stem] == 1 {
            stem
        } else if names[&name] == 1 {
            name
        } else {
            path.to_string_lossy().into_owned()
        }
    };
    paths.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_files_are_as_short_as_they_can_be() {
        let ids = |paths: &[&str]| ids_of_files(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(ids(&["a/x.txt", "a/y.txt", "a/y.vtt", "b/y.txt"]), ["x", "a/y.txt", "y.vtt", "b/y.txt"]);
        assert_eq!(ids(&["x.txt.gz", "y.txt", "y.vtt.GZ", "z.tar.txt"]), ["x", "y.txt", "y.vtt", "z.tar"]);
        assert_eq!(ids(&["a.txt", "a.txt.gz"]), ["a.txt", "a.txt.gz"]);
        assert_eq!(ids(&["cafe\u{301}.txt"]), ["caf\u{e9}"]);
    }

    #[test]
    fn a_number_is_an_id_as_it_is_written() {
        let id = |json: &str| id_in(&format!("{{\"m\": [1], \"n\": {json}}}"), "n");
        for (json, wanted) in [
            ("7", "7"),
            ("7.0", "7"),
            ("-7.00", "-7"),
            ("7.50", "7.50"),
            ("1e3", "1e3"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("\" a\"", " a"),
        ] {
            assert_eq!(id(json).as_deref(), Some(wanted), "{json}");
        }
        for json in ["\"\"", "\" \\t\"", "null", "true", "[7]", "{\"n\": 7}"] {
            assert_eq!(id(json), None, "{json}");
        }
    }
}
