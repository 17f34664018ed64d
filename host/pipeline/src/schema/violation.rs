//! What a JSON Schema has against a value, in words.

use jsonschema::ValidationError;
use serde_json::{Value, json};

use super::View;

/// The most characters of a message about a constant, which it may repeat.
const MOST_CHARACTERS: usize = 200;

impl View<'_> {
    /// What this part of a schema has against a value. A schema that cannot be compiled, which is reported elsewhere, has nothing.
    pub(crate) fn violations(&self, value: &Value) -> Vec<String> {
        let mut schema = json!({ "allOf": self.parts });
        for definitions in ["$defs", "definitions"] {
            if let Some(known) = self.root.get(definitions) {
                schema[definitions] = known.clone();
            }
        }
        let Ok(validator) = jsonschema::validator_for(&schema) else { return Vec::new() };
        let errors = validator.iter_errors(value);
        errors.map(|error| schema_violation(&error, None, MOST_CHARACTERS)).collect()
    }
}

/// What is wrong with a value by its schema, and where: `` `/items/0/id`: 7 is not of type "string" ``. A longer message than
/// `max_characters` is cut: it may repeat the value.
///
/// `whole` is what the value is called where all of it is wrong; without that, such a message does not name a part.
#[must_use]
pub fn schema_violation(error: &ValidationError<'_>, whole: Option<&str>, max_characters: usize) -> String {
    let message: String = error.to_string().chars().take(max_characters).collect();
    let pointer = error.instance_path().to_string();
    match (pointer.as_str(), whole) {
        ("", Some(whole)) => format!("{whole}: {message}"),
        ("", None) => message,
        (pointer, _) => format!("`{pointer}`: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(value: &Value, whole: Option<&str>, max_characters: usize) -> String {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let error = validator.iter_errors(value).next().expect("a value that does not fit");
        schema_violation(&error, whole, max_characters)
    }

    #[test]
    fn a_part_of_a_schema_is_held_against_a_value_with_what_it_refers_to() {
        let schema = json!({ "$defs": { "Small": { "type": "integer", "maximum": 9 } }, "$ref": "#/$defs/Small" });
        let view = View::new(&schema);
        assert_eq!(view.violations(&json!(9)), [""; 0]);
        assert_eq!(view.violations(&json!(10)), ["10 is greater than the maximum of 9"]);
    }

    #[test]
    fn a_violation_names_the_part_of_the_value_that_is_wrong() {
        assert_eq!(violation(&json!({ "n": "x" }), None, 100), "`/n`: \"x\" is not of type \"integer\"");
        assert_eq!(violation(&json!([]), Some("the answer"), 100), "the answer: [] is not of type \"object\"");
        assert_eq!(violation(&json!([]), None, 6), "[] is ");
    }
}
