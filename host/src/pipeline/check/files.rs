//! Files that a `with` table names: read here, so that no plugin has to.

use std::{fs, path::Path};

use jackfield_plugin_api::{FILE_PATH, TEXT_FILE};
use serde_json::{Value, json};

use crate::{
    pipeline::{
        faults::Fault,
        source::Span,
        tree::{self, Node},
    },
    plugin::regular_file,
};

/// Replaces each string that the schema calls a text file by `{path, text}`, and makes each path absolute. A path that is
/// absent and has a default is made absolute too.
pub(super) fn fill(folder: &Path, schema: &Value, node: Option<&Node>, config: &mut Value, faults: &mut Vec<Fault>) {
    Fill { folder, root: schema, faults }.value(schema, node, config);
}

struct Fill<'a> {
    folder: &'a Path,
    root: &'a Value,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Fill<'a> {
    fn value(&mut self, schema: &'a Value, node: Option<&Node>, value: &mut Value) {
        let schemas = self.alternatives(schema);
        match value {
            Value::String(text) => {
                let is = |format: &str| schemas.iter().any(|schema| schema["format"] == format);
                if let Some(node) = node.filter(|_| is(TEXT_FILE)) {
                    if let Some(read) = self.read(text, node.span) {
                        *value = json!({ "path": text, "text": read });
                    }
                } else if is(FILE_PATH) {
                    let full = self.folder.join(&*text);
                    if let Some(node) = node {
                        self.is_file_or_folder(text, &full, node.span);
                    }
                    *text = full.to_string_lossy().into_owned();
                }
            }
            Value::Object(map) => {
                let properties = schemas.iter().filter_map(|schema| schema["properties"].as_object());
                for (name, schema) in properties.flatten() {
                    let default = schema["default"].as_str().filter(|_| schema["format"] == FILE_PATH);
                    if let Some(default) = default {
                        map.entry(name).or_insert_with(|| Value::from(default));
                    }
                    if let Some(inner) = map.get_mut(name) {
                        let node = node.and_then(Node::as_table).and_then(|table| table.get(name));
                        self.value(schema, node, inner);
                    }
                }
            }
            Value::Array(list) => {
                let Some(schema) = schemas.iter().find_map(|schema| schema.get("items")) else { return };
                for (index, inner) in list.iter_mut().enumerate() {
                    let node = match node.map(|node| &node.value) {
                        Some(tree::Value::List(list)) => list.get(index),
                        _ => None,
                    };
                    self.value(schema, node, inner);
                }
            }
            _ => {}
        }
    }

    /// A schema, and what it is made of.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let (mut found, mut open) = (Vec::new(), vec![schema]);
        while let Some(schema) = open.pop() {
            // A schema that refers to itself has nothing more to say.
            if found.len() > 64 {
                break;
            }
            if let Some(place) = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
                open.extend(self.root.pointer(place));
            }
            for key in ["anyOf", "oneOf", "allOf"] {
                open.extend(schema[key].as_array().into_iter().flatten());
            }
            found.push(schema);
        }
        found
    }

    /// What the extension will open itself may be absent, or a folder; what would keep it waiting for ever is a fault.
    fn is_file_or_folder(&mut self, path: &str, full: &Path, at: Span) {
        let Ok(about) = fs::metadata(full) else { return };
        if !about.is_dir()
            && let Err(error) = regular_file::only_regular(about.file_type())
        {
            let fault = Fault::at("bad-file", at, format!("cannot use the file `{path}`: {error}"));
            self.faults.push(fault.note(format!("it is looked for at `{}`", full.display())));
        }
    }

    fn read(&mut self, path: &str, at: Span) -> Option<String> {
        let full = self.folder.join(path);
        let what = match regular_file::read_text(&full, regular_file::MOST_TEXT) {
            Ok(text) => return Some(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            Err(error) => error.to_string(),
        };
        let fault = Fault::at("bad-file", at, format!("cannot read the file `{path}`: {what}"));
        self.faults.push(fault.note(format!("it is looked for at `{}`", full.display())));
        None
    }
}
