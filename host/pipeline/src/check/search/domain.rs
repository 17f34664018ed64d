//! The values of one dimension: whether a value is one of them, and how they are described.

use jackfield_plugin_api::{Dimension, Domain, step_value};
use serde_json::{Value, json};

/// The value as the policy would give it; none if it is not one of the dimension's.
pub(crate) fn canonical(dimension: &Dimension, value: &Value) -> Option<Value> {
    let value = match dimension.domain().ok()? {
        Domain::Choices(choices) => choices.iter().find(|choice| is_same(choice, value))?.clone(),
        Domain::Float { .. } | Domain::Steps { integer: false, .. } => json!(value.as_f64()?),
        _ => value.clone(),
    };
    dimension.contains(&value).then_some(value)
}

/// Whether two values are the same: numbers as numbers, however they are written.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

/// What a dimension's values are, for a hint.
pub(crate) fn allowed(dimension: &Dimension) -> String {
    const MOST: usize = 8;
    match dimension.domain() {
        Ok(Domain::Choices(choices)) => {
            let shown: Vec<String> = choices.iter().take(MOST).map(|choice| format!("`{choice}`")).collect();
            let cut = choices.len().saturating_sub(MOST);
            let cut = if cut > 0 { format!(" and {cut} more") } else { String::new() };
            format!("`{}` is one of {}{cut}", dimension.name, shown.join(", "))
        }
        Ok(Domain::Float { min, max, .. }) => format!("`{}` is from {min} to {max}", dimension.name),
        Ok(Domain::LogIntegers { min, max }) => format!("`{}` is an integer from {min} to {max}", dimension.name),
        Ok(Domain::Steps { min, step, count, integer }) => {
            let max = step_value(min, step, count - 1);
            let number = if integer { "an integer" } else { "a number" };
            let by = if integer && step == 1.0 { String::new() } else { format!(" in steps of {step}") };
            format!("`{}` is {number} from {min} to {max}{by}", dimension.name)
        }
        Err(failure) => failure.message().to_owned(),
    }
}

/// The type of a dimension's values.
pub(crate) fn schema_of(dimension: &Dimension) -> Value {
    match dimension.domain() {
        Ok(Domain::Choices(choices)) => json!({ "enum": choices }),
        Ok(Domain::LogIntegers { min, max }) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Ok(_) => {
            let ty = if dimension.integer { "integer" } else { "number" };
            json!({ "type": ty, "minimum": dimension.min, "maximum": dimension.max })
        }
        // It is reported.
        Err(_) => Value::Bool(true),
    }
}
