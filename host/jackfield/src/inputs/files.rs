//! Items that are files: `{path, name, text}`.

use std::{
    io,
    path::{Path, PathBuf},
};

use jackfield_loader::text_file;
use serde_json::json;

use super::{
    ids::{ids_of_files, unpacked_name},
    too_large,
};
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
        let ids = ids_of_files(&self.paths);
        for (path, id) in self.paths.iter().zip(ids) {
            items.send(Some(&id), file(path, self.max_item_size), &|| format!("`{}`", path.display()))?;
        }
        Ok(())
    }
}

fn file(path: &Path, most: u64) -> Result<String, String> {
    let shown = path.display();
    let text = text_file::read(path, most).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(&format!("`{shown}`"), most),
        _ => match error.to_string().strip_prefix("it is ") {
            Some(what) if error.kind() == io::ErrorKind::InvalidData => format!("`{shown}` is {what}"),
            _ => format!("cannot read `{shown}`: {error}"),
        },
    })?;
    if text.contains('\0') {
        return Err(format!("`{shown}` is binary, not text (it holds a NUL byte)"));
    }
    Ok(json!({ "path": path.to_string_lossy(), "name": unpacked_name(path), "text": text }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
