//! A value in a few words: its numbers and texts, each with the way to it.

use serde_json::Value;

use crate::{text::truncate, units::significant_digits};

/// The longest text of a part, in characters.
const MOST_CHARACTERS: usize = 80;

/// The longest list that is shown element by element.
const MOST_ELEMENTS: usize = 8;

/// The parts of a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FlatValue {
    /// The first parts: the way to each, such as `groups.easy.mean` (empty for the whole), and the value there.
    pub parts: Vec<(String, String)>,
    /// How many there are beyond these.
    pub others: usize,
}

/// The parts of a value, at most so many.
#[must_use]
pub fn flat_value(value: &Value, most: usize) -> FlatValue {
    let mut flat = FlatValue::default();
    add(value, "", most, &mut flat);
    flat
}

fn add(value: &Value, way: &str, most: usize, flat: &mut FlatValue) {
    let text = match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let way = if way.is_empty() { name.clone() } else { format!("{way}.{name}") };
                add(member, &way, most, flat);
            }
            return;
        }
        Value::Array(elements) if elements.len() > MOST_ELEMENTS || elements.iter().any(is_nested) => {
            format!("a list of {}", elements.len())
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        scalar_value => scalar(scalar_value),
    };
    if flat.parts.len() < most {
        flat.parts.push((way.to_owned(), truncate(&text, MOST_CHARACTERS)));
    } else {
        flat.others += 1;
    }
}

const fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// A number with a few digits; a text as it is.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => significant_digits(number.as_f64().unwrap_or_default()),
        Value::Object(_) => "{}".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_texts_are_shown_with_the_way_to_them() {
        let value = json!({ "count": 3, "mean": 2.0 / 3.0, "ci": { "low": 0.5, "high": 1.0 }, "all": [1, 2], "rows": [{}], "none": {}, "tiny": 1e-9 });
        let flat = flat_value(&value, 6);
        let parts: Vec<String> = flat.parts.iter().map(|(way, text)| format!("{way} {text}")).collect();
        assert_eq!(parts.join("; "), "all [1, 2]; ci.high 1; ci.low 0.5; count 3; mean 0.6667; none {}");
        assert_eq!(flat.others, 2);
        assert_eq!(flat_value(&json!(12.5), 3).parts, [(String::new(), "12.5".to_owned())]);
    }
}
