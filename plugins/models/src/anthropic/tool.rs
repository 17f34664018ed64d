//! The tool whose input is the answer.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Name of the tool.
pub(super) const NAME: &str = "answer";

/// A schema as the input of a tool. An input is an object, so a schema of anything else is put into one.
pub(super) struct Tool<'a> {
    /// Schema of the input.
    pub(super) input: Cow<'a, Value>,
    /// Whether the answer is the input's only property, named as the tool.
    pub(super) wrapped: bool,
}

impl<'a> Tool<'a> {
    /// The tool for answers of this schema.
    pub(super) fn new(schema: &'a Value) -> Self {
        if schema.get("type").and_then(Value::as_str) == Some("object") {
            return Self { input: Cow::Borrowed(schema), wrapped: false };
        }
        let mut inner = schema.clone();
        let mut input = json!({ "type": "object", "required": [NAME], "additionalProperties": false });
        // References count from the root, so definitions stay there.
        for key in ["$defs", "definitions"] {
            if let Some(definitions) = inner.as_object_mut().and_then(|inner| inner.remove(key)) {
                input[key] = definitions;
            }
        }
        input["properties"] = json!({ NAME: inner });
        Self { input: Cow::Owned(input), wrapped: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_the_input_itself() {
        let schema = json!({ "type": "object", "properties": {} });
        let tool = Tool::new(&schema);
        assert!(!tool.wrapped);
        assert_eq!(*tool.input, schema);
    }

    #[test]
    fn anything_else_is_put_into_an_object() {
        let schema =
            json!({ "type": "array", "items": { "$ref": "#/$defs/a" }, "$defs": { "a": { "type": "string" } } });
        let tool = Tool::new(&schema);
        assert!(tool.wrapped);
        assert_eq!(
            *tool.input,
            json!({
                "type": "object", "required": ["answer"], "additionalProperties": false,
                "$defs": { "a": { "type": "string" } },
                "properties": { "answer": { "type": "array", "items": { "$ref": "#/$defs/a" } } },
            })
        );
        assert!(Tool::new(&Value::Bool(true)).wrapped);
    }
}
