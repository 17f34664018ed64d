//! Items that are files: `{path, name, text}`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield_loader::regular_file;
use serde_json::json;

use super::too_large;
use jackfield_engine::{ItemIds, ItemSender, ItemSource, ReceiverGone};

/// Files, each of which is an item.
pub(super) struct FileItems {
    pub(super) paths: Vec<PathBuf>,
    /// The most bytes of an item.
    pub(super) max_item_size: u64,
}

impl ItemSource for FileItems {
    fn count(&self) -> Option<u64> {
        Some(self.paths.len() as u64)
    }

    fn ids(&self) -> ItemIds {
        ItemIds { may_repeat: true, ..ItemIds::default() }
    }

    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        let ids = file_ids(&self.paths);
        for (path, id) in self.paths.iter().zip(ids) {
            items.send(Some(&id), file(path, self.max_item_size), &|| format!("`{}`", path.display()))?;
        }
        Ok(())
    }
}

/// Ids for files: the stem where that is unique, else the name, else the path.
fn file_ids(paths: &[PathBuf]) -> Vec<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let count = |of: &dyn Fn(&PathBuf) -> String| {
        let mut counts = BTreeMap::<String, usize>::new();
        for path in paths {
            *counts.entry(of(path)).or_default() += 1;
        }
        counts
    };
    let (stems, names) = (count(&stem), count(&name));
    let id = |path: &PathBuf| {
        if stems[&stem(path)] == 1 {
            stem(path)
        } else if names[&name(path)] == 1 {
            name(path)
        } else {
            path.to_string_lossy().into_owned()
        }
    };
    paths.iter().map(id).collect()
}

fn file(path: &Path, most: u64) -> Result<String, String> {
    let bytes = regular_file::read(path, most).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => too_large(&format!("`{}`", path.display()), most),
        _ => format!("cannot read `{}`: {error}", path.display()),
    })?;
    if bytes.contains(&0) {
        return Err(format!("`{}` is binary, not text (it holds a NUL byte)", path.display()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        format!("`{}` is not UTF-8 text (byte {} is wrong)", path.display(), error.utf8_error().valid_up_to())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(json!({ "path": path.to_string_lossy(), "name": name, "text": text }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_files_are_as_short_as_they_can_be() {
        let paths: Vec<PathBuf> = ["a/x.txt", "a/y.txt", "a/y.vtt", "b/y.txt"].iter().map(PathBuf::from).collect();
        assert_eq!(file_ids(&paths), ["x", "a/y.txt", "y.vtt", "b/y.txt"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_named_with_what_would_let_it_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "12345").expect("written");
        assert!(file(&path, 5).is_ok());
        let shown = path.display();
        assert_eq!(file(&path, 4), Err(format!("`{shown}` is larger than 4 bytes: see `max_item_size` of `[input]`")));
    }
}
