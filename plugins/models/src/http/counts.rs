//! Tokens as a server counts them.

use serde::{Deserialize as _, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A count that may be written as a fraction or as a text. One that makes no sense (negative, no number) is as good as none:
/// it costs no answer, and the host counts.
pub(crate) fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(of(&Value::deserialize(deserializer)?))
}

fn of(value: &Value) -> Option<u64> {
    let of_float = |number: f64| (number >= 0.0).then_some(number as u64);
    match value {
        Value::Number(number) => number.as_u64().or_else(|| of_float(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| of_float(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// All that a server says of tokens; nothing if that is not an object.
pub(crate) fn usage<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_object() { serde_json::from_value(value).ok() } else { None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn an_odd_count_is_read_as_far_as_it_makes_sense() {
        for (value, count) in [
            (json!(7), Some(7)),
            (json!(7.0), Some(7)),
            (json!(7.9), Some(7)),
            (json!("7"), Some(7)),
            (json!(" 7.5 "), Some(7)),
            (json!(u64::MAX), Some(u64::MAX)),
            (json!(1e300), Some(u64::MAX)),
            (json!(-1), None),
            (json!(-0.5), None),
            (json!("NaN"), None),
            (json!("many"), None),
            (json!("inf"), Some(u64::MAX)),
            (json!(null), None),
            (json!([7]), None),
            (json!({}), None),
        ] {
            assert_eq!(of(&value), count, "{value}");
        }
    }
}
