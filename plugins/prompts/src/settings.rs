//! The parts of the configuration.

use std::{borrow::Cow, sync::Arc};

use jackfield_plugin_api::{TEXT_FILE_FORMAT, prelude::*};
use jackfield_templates::Template;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Map;

/// A message of the conversation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptMessage {
    /// Who says it: `system` instructs the model, `user` asks it, and `assistant` is the model in an earlier answer.
    pub role: Role,
    /// What is said: a template.
    pub content: Template,
}

/// The JSON Schema of an answer: the schema itself, or `{ file = "answer.json" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum AnswerSchema {
    /// A file with the schema.
    File(SettingFile),
    /// The schema.
    Inline(Map<String, Value>),
}

/// A file that the host reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingFile {
    /// The file.
    pub file: TextFile,
}

impl AnswerSchema {
    /// The schema.
    ///
    /// # Errors
    /// What is wrong with the file, as a fragment.
    pub fn read(&self) -> std::result::Result<Arc<Value>, String> {
        let value = match self {
            Self::Inline(schema) => Value::Object(schema.clone()),
            Self::File(SettingFile { file }) => {
                serde_json::from_str(&file.text).map_err(|error| format!("`{}` is not JSON: {error}", file.path))?
            }
        };
        match value {
            Value::Object(_) => Ok(Arc::new(value)),
            _ => Err("a JSON Schema is an object".to_owned()),
        }
    }
}

impl JsonSchema for AnswerSchema {
    fn schema_name() -> Cow<'static, str> {
        "AnswerSchema".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // A schema has no keyword `file`.
        json_schema!({
            "type": "object",
            "properties": { "file": { "type": "string", "format": TEXT_FILE_FORMAT } },
        })
    }
}

/// Examples of an input and its answer: a list, or `{ file = "examples.jsonl" }`, a file of JSON lines or a CSV file with a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Shots {
    /// Each with the variables of the last message of the user, and `answer`.
    Inline(Vec<Map<String, Value>>),
    /// A file of them.
    File(SettingFile),
}

impl Default for Shots {
    fn default() -> Self {
        Self::Inline(Vec::new())
    }
}

impl JsonSchema for Shots {
    fn schema_name() -> Cow<'static, str> {
        "Shots".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {
                    "type": "array",
                    "items": { "type": "object", "properties": { "answer": true }, "required": ["answer"], "additionalProperties": true },
                },
                {
                    "type": "object",
                    "properties": { "file": { "type": "string", "format": TEXT_FILE_FORMAT } },
                    "required": ["file"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// What counts the tokens of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tokenizer {
    /// The tokenizer `o200k`, which is in the plugin, and close to those of other models.
    #[default]
    O200k,
    /// The model's own; it has to offer `tokenize`.
    #[schemars(extend("x-needs" = "model:tokenize"))]
    Model,
}
