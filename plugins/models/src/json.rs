//! JSON as text that does not depend on the order of keys, and lines of JSON.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a line of JSON Lines.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn parse_line<T: DeserializeOwned>(number: usize, line: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| {
        // The position of the error is in the line, whose number is said before it.
        let reason = error.to_string();
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
        format!("line {number}, column {}: {reason}", error.column())
    })
}

/// The value on one line, with the keys of every object sorted, whatever order they were read in.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text.push(if index == 0 { '[' } else { ',' });
                write(item, text);
            }
            text.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(map) => {
            let mut entries = map.iter().collect::<Vec<_>>();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (index, (key, item)) in entries.iter().enumerate() {
                text.push(if index == 0 { '{' } else { ',' });
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(item, text);
            }
            text.push_str(if entries.is_empty() { "{}" } else { "}" });
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({ "b": [{ "d": 1.0, "c": "\"\n" }, [], {}], "a": null });
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"c":"\"\n","d":1.0},[],{}]}"#);
    }
}
