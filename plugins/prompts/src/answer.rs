//! The answer, and its type.

use std::borrow::Cow;

use jackfield_plugin_api::{X_FROM_CONFIG, prelude::*};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// What `prompt` answers: `{ text }`, or the JSON value that `schema` describes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Answer(pub Value);

impl Answer {
    /// The text of a model.
    pub(crate) fn text(text: String) -> Self {
        Self(json!({ "text": text }))
    }

    /// The JSON value that a model wrote; the host has compared it with the schema.
    pub(crate) fn json(text: &str) -> Result<Self> {
        let not_json = |error| Failure::InvalidOutput(format!("the answer is not JSON: {error}"));
        serde_json::from_str(text).map(Self).map_err(not_json)
    }
}

impl JsonSchema for Answer {
    fn schema_name() -> Cow<'static, str> {
        "Answer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            X_FROM_CONFIG: "/schema",
            "description": "The text of the model; with `schema`, the JSON value that it describes.",
            "type": "object",
            "properties": { "text": { "type": "string", "description": "What the model answered." } },
            "required": ["text"],
        })
    }
}
