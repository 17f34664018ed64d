//! Numbers of a value as a person reads them: to a few digits, with an interval behind what it is of, in few lines.

use serde_json::{Map, Value};

use crate::flat_value::{Estimate, INTERVAL, scalar};

/// An object of so many numbers and words stands in one line.
const IN_A_LINE: usize = 8;

/// The value with such numbers, without what is empty.
pub(super) fn readable(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(readable_members(members)),
        other => readable_part(other),
    }
}

/// A value within another.
fn readable_part(value: &Value) -> Value {
    match value {
        Value::Number(_) => Value::String(scalar(value)),
        Value::Array(elements) => elements.iter().map(readable_part).collect(),
        Value::Object(members) => {
            let members = readable_members(members);
            in_a_line(&members).map_or(Value::Object(members), Value::String)
        }
        other => other.clone(),
    }
}

fn readable_members(members: &Map<String, Value>) -> Map<String, Value> {
    let estimate = Estimate::of(members);
    let is_shown = |name: &str, value: &Value| {
        let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        !is_empty && (estimate.is_none() || name != INTERVAL)
    };
    let shown = members.iter().filter(|(name, value)| is_shown(name, value)).map(|(name, value)| {
        let shown = match &estimate {
            Some(estimate) if estimate.name == name => Value::String(estimate.text.clone()),
            _ => readable_part(value),
        };
        (name.clone(), shown)
    });
    shown.collect()
}

fn in_a_line(members: &Map<String, Value>) -> Option<String> {
    let mut parts = Vec::new();
    for (name, value) in members {
        match value {
            Value::String(text) if !text.contains('\n') => parts.push(format!("{name} {text}")),
            Value::Bool(_) => parts.push(format!("{name} {value}")),
            _ => return None,
        }
    }
    (parts.len() <= IN_A_LINE).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn intervals_stand_behind_what_they_are_of_and_what_is_empty_is_left_out() {
        let interval = json!({ "low": 0.791_111, "high": 0.85, "level": 0.95, "method": "bootstrap" });
        let value = json!({
            "count": 470, "mean": 0.823_456, "interval": interval, "confusion": null, "groups": {},
            "pass_rate": { "passed": 3, "rate": 0.75, "interval": interval }, "rows": [{ "a": 1.0 / 3.0 }],
        });
        let wanted = json!({
            "count": "470", "mean": "0.8235 [0.7911, 0.85]", "pass_rate": "passed 3, rate 0.75 [0.7911, 0.85]",
            "rows": ["a 0.3333"],
        });
        assert_eq!(readable(&value), wanted);
    }
}
