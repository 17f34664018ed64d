//! Items that are JSON files, or the members or elements of them.
//!
//! A file is read as a whole and taken apart once, at its top level alone: its items are slices of its text until they are sent.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use jackfield_loader::{escape_untrusted, regular_file, text_file};
use serde_json::value::RawValue;

use super::{
    fix_of_json,
    ids::{id_in, stem},
    too_large,
};
use jackfield_engine::{ItemIds, ItemSender, ItemSource, ReceiverGone, Top};

/// Files that are items, or whose members or elements are.
pub(super) struct JsonItems {
    pub(super) paths: Vec<PathBuf>,
    /// The members of a file that is one item; none if no file is.
    pub(super) item_keys: Vec<String>,
    /// The field that is the id of an element.
    pub(super) id: Option<String>,
    /// The most bytes of an item.
    pub(super) max_item_size: u64,
}

impl ItemSource for JsonItems {
    fn count(&self) -> Option<u64> {
        None
    }

    fn ids(&self) -> ItemIds {
        ItemIds { may_repeat: true, field: self.id.clone(), is_added: true }
    }

    /// A file that cannot be read, or is not JSON, is a failed item that has its stem as its id.
    fn send_items(self: Box<Self>, items: &mut ItemSender) -> Result<(), ReceiverGone> {
        self.paths.iter().try_for_each(|path| self.file(path, items))
    }
}

impl JsonItems {
    fn file(&self, path: &Path, out: &mut ItemSender) -> Result<(), ReceiverGone> {
        let shown = path.display();
        let stem = stem(path);
        let place = || format!("`{shown}`");
        let text = match text_of(path, self.max_item_size) {
            Ok(text) => text,
            Err(why) => return out.send(Some(&stem), Err(why), &place),
        };
        let text = text.trim_ascii();
        match serde_json::from_str(text) {
            Ok(Top::Object(members)) => match self.is_one_item(&members) {
                Ok(true) => {
                    let whole = unrepeated(&members, &place()).and_then(|()| self.bounded(text, &place));
                    out.send(Some(&stem), whole, &place)
                }
                Ok(false) => self.members(&members, &place(), out),
                Err(why) => out.send(Some(&stem), Err(format!("{} {why}", place())), &place),
            },
            Ok(Top::Array(elements)) => self.elements(&elements, &place(), out),
            Ok(Top::Other(what)) => {
                let why = format!(
                    "{} holds {what}, and items are the members of an object or the elements of an array",
                    place()
                );
                out.send(Some(&stem), Err(why), &place)
            }
            Err(error) => {
                let fix = fix_of_json(text, &error);
                out.send(Some(&stem), Err(format!("{} is not JSON: {error}{fix}", place())), &place)
            }
        }
    }

    /// Whether a file with these members is one item. One that has some of the keys was meant to be.
    fn is_one_item(&self, members: &[(String, &RawValue)]) -> Result<bool, String> {
        let is_there = |key: &&String| members.iter().any(|(name, _)| name == *key);
        let (there, missing): (Vec<_>, Vec<_>) = self.item_keys.iter().partition(is_there);
        match (there.first(), missing.first()) {
            (Some(_), None) => Ok(true),
            (None, _) => Ok(false),
            (Some(there), Some(missing)) => Err(format!(
                "has the member `{there}` without `{missing}`: add it, or take it out of `item_keys` of `[input]`"
            )),
        }
    }

    fn members(&self, members: &[(String, &RawValue)], file: &str, out: &mut ItemSender) -> Result<(), ReceiverGone> {
        if members.is_empty() {
            tracing::warn!("{file} is an object without members: it has no items");
        }
        let mut first = HashMap::new();
        for (at, (name, value)) in members.iter().enumerate() {
            let place = || format!("member `{}` of {file}", escape_untrusted(name));
            let document = match first.insert(name, at) {
                None => self.bounded(value.get(), &place),
                Some(_) => Err(repeated(name, file)),
            };
            out.send(Some(name).filter(|name| !name.is_empty()).map(String::as_str), document, &place)?;
        }
        Ok(())
    }

    fn elements(&self, elements: &[&RawValue], file: &str, out: &mut ItemSender) -> Result<(), ReceiverGone> {
        if elements.is_empty() {
            tracing::warn!("{file} is an empty array: it has no items");
        }
        let mut first = HashMap::new();
        for (at, value) in elements.iter().enumerate() {
            let place = || format!("element {} of {file}", at + 1);
            let id = self.id.as_deref().and_then(|field| id_in(value.get(), field));
            let earlier = id.as_ref().and_then(|id| match first.get(id) {
                Some(earlier) => Some(*earlier),
                None => first.insert(id.clone(), at + 1),
            });
            let document = match (earlier, &id) {
                (Some(earlier), Some(id)) => {
                    let id = escape_untrusted(id);
                    Err(format!("{} has the id of element {earlier}, `{id}`: give it one of its own", place()))
                }
                _ => self.bounded(value.get(), &place),
            };
            out.send(id.as_deref(), document, &place)?;
        }
        Ok(())
    }

    fn bounded(&self, json: &str, place: &dyn Fn() -> String) -> Result<String, String> {
        if json.len() as u64 > self.max_item_size {
            Err(too_large(&place(), self.max_item_size))
        } else {
            Ok(json.to_owned())
        }
    }
}

fn text_of(path: &Path, most: u64) -> Result<String, String> {
    text_file::read(path, most.max(regular_file::MOST_BYTES)).map_err(|error| {
        let fix = match error.kind() {
            std::io::ErrorKind::FileTooLarge => {
                ": split it, or make each item a line and read them with `use = \"jsonl\"`"
            }
            _ => "",
        };
        format!("cannot read `{}`: {error}{fix}", path.display())
    })
}

/// An error where an object has a member twice.
fn unrepeated(members: &[(String, &RawValue)], file: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    members.iter().find(|(name, _)| !seen.insert(name)).map_or(Ok(()), |(name, _)| Err(repeated(name, file)))
}

fn repeated(name: &str, file: &str) -> String {
    format!("{file} has the member `{}` more than once: rename or remove one", escape_untrusted(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use jackfield_engine::{composed, read_all};
    use jackfield_pipeline::InputPlan;

    use crate::inputs::BundledInputs;

    /// The items of files: id, and document or fault, with the folder's path taken out.
    fn items(files: &[(&str, &str)], item_keys: &[&str], id: Option<&str>, most: u64) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let folder = folder.path().to_string_lossy().into_owned();
        let input = InputPlan::Json {
            patterns: vec![folder.clone()],
            item_keys: item_keys.iter().map(|key| (*key).to_owned()).collect(),
            id: id.map(str::to_owned),
            max_item_size: most,
        };
        let items = read_all(&BundledInputs, &input).expect("items");
        let text = |document: Result<String, String>| document.unwrap_or_else(|fault| fault.replace(&folder, "DIR"));
        items.into_iter().map(|(id, document)| (id, text(document))).collect()
    }

    fn listed(items: &[(String, String)]) -> String {
        items.iter().map(|(id, text)| format!("{id}: {text}\n")).collect()
    }

    const KEYS: &[&str] = &["train", "test"];

    #[test]
    fn a_file_with_all_item_keys_is_one_item_and_the_members_of_others_are_items() {
        let files = [
            ("b.json", "\u{feff} {\"train\": [], \"test\": [1.0e2]}\n"),
            ("a.json", r#"{"x": {"train": 1, "id": "own"}, "y": [2], "z": {}}"#),
            ("c.txt", "not looked at"),
            (".d.json", "hidden"),
        ];
        insta::assert_snapshot!(listed(&items(&files, KEYS, None, 64)), @r#"
        x: {"train": 1, "id": "own"}
        y: [2]
        z: {"id":"z"}
        b: {"id":"b","train": [], "test": [1.0e2]}
        "#);
        assert_eq!(listed(&items(&files[..1], &[], None, 64)), "train: []\ntest: [1.0e2]\n");
    }

    #[test]
    fn elements_have_a_field_or_their_position_as_id() {
        let files = [("a.json", r#"[{"n": "x"}, {"m": 0}, {"n": 7, "id": 1}, 3]"#)];
        insta::assert_snapshot!(listed(&items(&files, KEYS, Some("n"), 64)), @r#"
        x: {"id":"x","n": "x"}
        2: {"id":"2","m": 0}
        7: {"n": 7, "id": 1}
        4: 3
        "#);
        assert_eq!(listed(&items(&files, &[], None, 64)).lines().next(), Some(r#"1: {"id":"1","n": "x"}"#));
    }

    #[test]
    fn what_is_wrong_with_a_file_or_an_item_fails_alone_and_is_named() {
        let files = [
            ("a.json", "{\"x\": 1,\n \"x\": 2, \"\\u001b\": 3, \"\": 4}"),
            ("b.json", r#"[{"n": "e"}, {"n": "f"}, {"n": "e"}]"#),
            ("c.json", "{\"train\": [],\n \"test\": [}"),
            ("d.json", r#"{"train": []}"#),
            ("e.json", "7"),
            ("f.json", r#"{"train": 1, "test": 2, "train": 3}"#),
            ("g.json", r#"{"train": 1, "test": "0123456789012345678901234567890123456789"}"#),
            ("h.json", r#"{"small": 1, "large": "01234567890123456789012345678901234567890123456789"}"#),
            ("i.json", ""),
            ("j.json", "{} {}"),
            ("k.json", "null"),
            ("l.json", "[]"),
        ];
        insta::assert_snapshot!(listed(&items(&files, KEYS, Some("n"), 50)));
    }

    #[test]
    fn an_id_that_another_file_gave_is_told_apart_and_stands_in_the_item() {
        let files = [("a.json", r#"{"b": {}}"#), ("b.json", r#"{"train": 1, "test": 2}"#)];
        insta::assert_snapshot!(listed(&items(&files, KEYS, None, 64)), @r#"
        b: {"id":"b"}
        b#2: {"id":"b#2","train": 1, "test": 2}
        "#);
    }

    proptest! {
        #[test]
        fn members_come_out_as_they_went_in(members in prop::collection::btree_map("\\PC{1,6}", "\\PC{0,9}", 0..9)) {
            let text = serde_json::to_string(&members).expect("JSON");
            let read = items(&[("a.json", &text)], &[], None, 64);
            let wanted: Vec<_> = members.iter().map(|(name, text)| (composed(name).into_owned(), serde_json::json!(text).to_string())).collect();
            prop_assert_eq!(read, wanted);
        }
    }
}
