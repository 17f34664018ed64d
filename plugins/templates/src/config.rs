//! A template as a setting.

use std::borrow::Cow;

use jackfield_plugin_api::{TEXT_FILE_FORMAT, TextFile, X_TEMPLATE};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A template as it stands in a configuration: its text, or `{ file = "prompt.txt" }`, a file that the host reads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Template {
    /// The text itself.
    Inline(String),
    /// A file with the text.
    File {
        /// The file.
        file: TextFile,
    },
}

impl Template {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            Self::File { file } => &file.text,
        }
    }

    /// The path of the file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Inline(_) => None,
            Self::File { file } => Some(&file.path),
        }
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", X_TEMPLATE: true },
                {
                    "type": "object",
                    "properties": { "file": { "type": "string", "format": TEXT_FILE_FORMAT, X_TEMPLATE: true } },
                    "required": ["file"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
