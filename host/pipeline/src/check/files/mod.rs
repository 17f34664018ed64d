//! The files that a `with` table names: they are read here, so that no plugin has to read them, or hashed, so that it is known
//! what a plugin reads.

mod path_digest;
mod text_files;

use std::{fs, path::Path};

use jackfield_plugin_api::{
    DIGESTED_PATH_FORMAT, FILE_PATH_FORMAT, TEXT_FILE_FORMAT, TEXT_FILES_FORMAT, X_MACHINE_DEFAULT, X_NO_EFFECT,
};
use serde_json::{Value, json};

use crate::{
    diagnostics::{Diagnostic, Span},
    plan::PathIdentities,
    syntax::{Node, tree},
};
use jackfield_loader::{is_secret_name, regular_file};

/// What is needed to find the files that a configuration names.
pub(crate) struct ConfigFiles<'a> {
    /// The pipeline's folder, which paths are relative to.
    pub(crate) folder: &'a Path,
    /// The schema of the configuration, which says what strings are paths.
    pub(crate) schema: &'a Value,
    /// The configuration as it is written, if it is.
    pub(crate) node: Option<&'a Node>,
    /// Where a diagnostic about a default value is reported.
    pub(crate) span: Span,
}

impl ConfigFiles<'_> {
    /// Replaces each string that the schema calls a text file with `{path, text}`, each that it calls text files with a list of
    /// these, each that it calls a digested path with `{path, sha256}`, and makes each path absolute. A path that is absent and
    /// has a default is made absolute too.
    ///
    /// Gives back what replaces the paths where configurations are compared.
    pub(crate) fn fill(&self, config: &mut Value, diagnostics: &mut Vec<Diagnostic>) -> PathIdentities {
        let Self { folder, schema, node, span } = *self;
        let mut fill =
            Fill { folder, root: schema, span, diagnostics, pointer: String::new(), paths: PathIdentities::new() };
        fill.value(schema, node, config);
        fill.paths
    }
}

/// Whether a string of a configuration, at this JSON pointer or inside what is there, names a file or folder by the schema.
pub(crate) fn names_a_file(schema: &Value, config: &Value, pointer: &str) -> bool {
    let mut to_visit = vec![(schema, config, pointer)];
    while let Some((at, value, pointer)) = to_visit.pop() {
        let schemas = alternatives(schema, at);
        let is_path = |schema: &&Value| {
            [TEXT_FILE_FORMAT, TEXT_FILES_FORMAT, DIGESTED_PATH_FORMAT, FILE_PATH_FORMAT]
                .iter()
                .any(|format| schema["format"] == *format)
        };
        if pointer.is_empty() && value.is_string() && schemas.iter().any(is_path) {
            return true;
        }
        let (first, rest) = match pointer.strip_prefix('/') {
            Some(inner) => inner.split_at(inner.find('/').unwrap_or(inner.len())),
            None => ("", ""),
        };
        let name = first.replace("~1", "/").replace("~0", "~");
        let is_on_way = |key: &str| pointer.is_empty() || key == name;
        let properties = schemas.iter().filter_map(|schema| schema["properties"].as_object()).flatten();
        for (key, schema) in properties.filter(|(key, _)| is_on_way(key)) {
            to_visit.extend(value.get(key).map(|value| (schema, value, rest)));
        }
        if let (Value::Array(list), true) = (value, pointer.is_empty()) {
            let items = schemas.iter().filter_map(|schema| schema.get("items"));
            to_visit.extend(items.flat_map(|schema| list.iter().map(move |value| (schema, value, ""))));
        }
    }
    false
}

/// A schema, and what it is made of.
pub(crate) fn alternatives<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let (mut found, mut to_visit) = (Vec::new(), vec![schema]);
    while let Some(schema) = to_visit.pop() {
        // A schema that refers to itself does not add anything.
        if found.len() > 64 {
            break;
        }
        if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            to_visit.extend(root.pointer(pointer));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            to_visit.extend(schema[key].as_array().into_iter().flatten());
        }
        found.push(schema);
    }
    found
}

struct Fill<'a> {
    folder: &'a Path,
    root: &'a Value,
    /// Where a diagnostic about a default value is reported.
    span: Span,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// The current value, as a JSON pointer.
    pointer: String,
    paths: PathIdentities,
}

impl<'a> Fill<'a> {
    fn value(&mut self, schema: &'a Value, node: Option<&Node>, value: &mut Value) {
        let schemas = alternatives(self.root, schema);
        match value {
            Value::String(text) => {
                let has_format = |format: &str| schemas.iter().any(|schema| schema["format"] == format);
                if let Some(node) = node.filter(|_| has_format(TEXT_FILE_FORMAT)) {
                    if let Some(read) = self.read(text, node.span) {
                        *value = json!({ "path": text, "text": read });
                    }
                } else if let Some(node) = node.filter(|_| has_format(TEXT_FILES_FORMAT)) {
                    match text_files::read(text, &self.folder.join(&*text)) {
                        Ok(files) => {
                            // Texts are compared by their digest, so that a difference can be shown without them.
                            self.paths.insert(self.pointer.clone(), json!({ "sha256": text_files::digest(&files) }));
                            *value =
                                files.into_iter().map(|(path, text)| json!({ "path": path, "text": text })).collect();
                        }
                        Err(wrong) => self.diagnostics.extend(wrong.into_iter().map(|wrong| {
                            let diagnostic = Diagnostic::at("bad-file", node.span, wrong.message);
                            diagnostic.note(format!("it was looked for at `{}`", wrong.path.display()))
                        })),
                    }
                } else if has_format(DIGESTED_PATH_FORMAT) {
                    if let Some((path, sha256)) = self.digest(text, node.map_or(self.span, |node| node.span)) {
                        self.paths.insert(self.pointer.clone(), json!({ "sha256": sha256 }));
                        *value = json!({ "path": path, "sha256": sha256 });
                    }
                } else if has_format(FILE_PATH_FORMAT) {
                    if let Some(node) = node {
                        self.is_file_or_folder(text, &self.folder.join(&*text), node.span);
                    }
                    self.path(text);
                }
            }
            Value::Object(map) => {
                let properties = schemas.iter().filter_map(|schema| schema["properties"].as_object());
                for (name, schema) in properties.flatten() {
                    let is_path = schema["format"] == FILE_PATH_FORMAT || schema["format"] == DIGESTED_PATH_FORMAT;
                    let default = schema["default"].as_str().filter(|_| is_path);
                    // What this machine uses for an absent key is written into the configuration, as if somebody had set it.
                    if let Some(default) = schema.get(X_MACHINE_DEFAULT).or(default.and(schema.get("default"))) {
                        map.entry(name).or_insert_with(|| default.clone());
                    }
                    if let Some(inner) = map.get_mut(name) {
                        let node = node.and_then(Node::as_table).and_then(|table| table.get(name));
                        let length = self.pointer.len();
                        self.pointer += &format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                        self.value(schema, node, inner);
                        if schema[X_NO_EFFECT] == true {
                            self.paths.insert(self.pointer.clone(), Value::Null);
                        }
                        self.pointer.truncate(length);
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
                    let length = self.pointer.len();
                    self.pointer += &format!("/{index}");
                    self.value(schema, node, inner);
                    self.pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// What the extension will open itself may be absent, or a folder; a file that it would wait for without end is reported.
    fn is_file_or_folder(&mut self, path: &str, full: &Path, at: Span) {
        let Ok(about) = fs::metadata(full) else { return };
        if !about.is_dir()
            && let Err(error) = regular_file::only_regular(about.file_type())
        {
            let diagnostic = Diagnostic::at("bad-file", at, format!("cannot use the file `{path}`: {error}"));
            self.diagnostics.push(diagnostic.note(format!("it was looked for at `{}`", full.display())));
        }
    }

    /// Makes a path absolute. Where it leads is not known, so the path as it is written stands for it; that of a secret has
    /// no part in any result.
    fn path(&mut self, text: &mut String) {
        let key = self.pointer.rsplit('/').next().unwrap_or_default();
        let holds_secret = key.strip_suffix("_file").is_some_and(is_secret_name);
        let identity = if holds_secret { Value::Null } else { Value::from(text.as_str()) };
        self.paths.insert(self.pointer.clone(), identity);
        *text = self.folder.join(&*text).to_string_lossy().into_owned();
    }

    /// The absolute path, and the digest of what lies there.
    fn digest(&mut self, path: &str, at: Span) -> Option<(String, String)> {
        let full = self.folder.join(path);
        match path_digest::digest_of(&full) {
            Ok(sha256) => Some((full.to_string_lossy().into_owned(), sha256)),
            Err(why) => {
                let diagnostic = Diagnostic::at("bad-file", at, format!("cannot read `{path}`: {why}"));
                self.diagnostics.push(diagnostic.note(format!("it was looked for at `{}`", full.display())));
                None
            }
        }
    }

    fn read(&mut self, path: &str, at: Span) -> Option<String> {
        let full = self.folder.join(path);
        match text_files::text_of(&full) {
            Ok(text) => Some(text),
            Err(why) => {
                let diagnostic = Diagnostic::at("bad-file", at, format!("cannot read the file `{path}`: {why}"));
                self.diagnostics.push(diagnostic.note(format!("it was looked for at `{}`", full.display())));
                None
            }
        }
    }
}
