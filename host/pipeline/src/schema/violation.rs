//! What a JSON Schema has against a value, in words.

use jsonschema::ValidationError;

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
    use serde_json::{Value, json};

    use super::*;

    fn violation(value: &Value, whole: Option<&str>, max_characters: usize) -> String {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let error = validator.iter_errors(value).next().expect("a value that does not fit");
        schema_violation(&error, whole, max_characters)
    }

    #[test]
    fn a_violation_names_the_part_of_the_value_that_is_wrong() {
        assert_eq!(violation(&json!({ "n": "x" }), None, 100), "`/n`: \"x\" is not of type \"integer\"");
        assert_eq!(violation(&json!([]), Some("the answer"), 100), "the answer: [] is not of type \"object\"");
        assert_eq!(violation(&json!([]), None, 6), "[] is ");
    }
}
