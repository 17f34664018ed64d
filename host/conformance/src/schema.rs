//! A JSON Schema, as the checks use it.

use std::sync::Arc;

use jackfield_pipeline::schema_violation;
use jackfield_plugin_api::{TEXT_FILE_FORMAT, TEXT_FILES_FORMAT};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::tensors::Tensors;

/// A schema and its validator.
pub(super) struct Schema {
    pub(super) text: Value,
    /// Absent for a schema that is not valid: a check of its own reports it, and the others treat it as one that allows any
    /// value.
    validator: Option<Validator>,
    /// Where the tensors are held that values name which are made up for it.
    pub(super) tensors: Arc<Tensors>,
}

impl Schema {
    pub(super) fn new(text: Value) -> Self {
        let validator = jsonschema::draft202012::new(&text).ok();
        Self { text, validator, tensors: Arc::default() }
    }

    /// The same, with the tensors of an examination.
    pub(super) fn with_tensors(self, tensors: &Arc<Tensors>) -> Self {
        Self { tensors: Arc::clone(tensors), ..self }
    }

    /// The schema of a configuration as an extension gets it: with text files read.
    pub(super) fn of_config(text: &Value) -> Self {
        let mut text = text.clone();
        read_text_files(&mut text);
        Self::new(text)
    }

    pub(super) fn allows(&self, value: &Value) -> bool {
        self.fault(value).is_none()
    }

    /// What is wrong with a value, and in which part of it.
    pub(super) fn fault(&self, value: &Value) -> Option<String> {
        let error = self.validator.as_ref()?.iter_errors(value).next()?;
        Some(schema_violation(&error, None, usize::MAX))
    }

    /// The listed properties of the top level.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.text["properties"].as_object().into_iter().flatten()
    }

    /// A value of a type that this property does not take in that object, if there is one.
    pub(super) fn wrong_for(&self, object: &Value, property: &str) -> Option<Value> {
        let candidates = [json!(true), json!("no such value"), json!(-0.5), json!(["nothing"]), json!({ "no": {} })];
        candidates.into_iter().find(|candidate| {
            let mut object = object.clone();
            object[property] = candidate.clone();
            self.allows_but_for(&object, property)
        })
    }

    /// Whether an object is refused on account of this property.
    fn allows_but_for(&self, object: &Value, property: &str) -> bool {
        let Some(validator) = &self.validator else { return false };
        let place = format!("/{property}");
        validator.iter_errors(object).any(|error| error.instance_path().to_string().starts_with(&place))
    }
}

/// A text file stands in a pipeline as its path, and reaches the extension as path and text; those of a folder as a list.
fn read_text_files(schema: &mut Value) {
    match schema {
        Value::Object(map) if map.get("format").is_some_and(|format| format == TEXT_FILES_FORMAT) => {
            map.insert("type".to_owned(), json!("array"));
            map.remove("format");
            let mut file = json!({ "type": "string", "format": TEXT_FILE_FORMAT });
            read_text_files(&mut file);
            map.insert("items".to_owned(), file);
        }
        Value::Object(map) if map.get("format").is_some_and(|format| format == TEXT_FILE_FORMAT) => {
            map.remove("format");
            map.insert("type".to_owned(), json!("object"));
            map.insert("properties".to_owned(), json!({ "path": { "type": "string" }, "text": { "type": "string" } }));
            map.insert("required".to_owned(), json!(["path", "text"]));
        }
        Value::Object(map) => map.values_mut().for_each(read_text_files),
        Value::Array(list) => list.iter_mut().for_each(read_text_files),
        _ => {}
    }
}
