//! The schema of items that are written in the pipeline itself, inferred from them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::expand::JsonType;

/// A schema that each of the values satisfies.
pub(crate) fn infer(values: &[&Value]) -> Value {
    let types: BTreeSet<JsonType> = values.iter().map(|value| JsonType::of_value(value)).collect();
    let alternatives: Vec<Value> = types
        .into_iter()
        .map(|ty| {
            let values_of_type = values.iter().filter(|value| JsonType::of_value(value) == ty);
            match ty {
                JsonType::Object => object(&values_of_type.filter_map(|value| value.as_object()).collect::<Vec<_>>()),
                JsonType::Array => {
                    let elements: Vec<&Value> = values_of_type.filter_map(|value| value.as_array()).flatten().collect();
                    json!({ "type": "array", "items": infer(&elements) })
                }
                ty => json!({ "type": ty.name() }),
            }
        })
        .collect();
    match <[Value; 1]>::try_from(alternatives) {
        Ok([one]) => one,
        // Nothing is known of the elements of an empty list.
        Err(none) if none.is_empty() => Value::Bool(true),
        Err(several) => json!({ "anyOf": several }),
    }
}

fn object(objects: &[&Map<String, Value>]) -> Value {
    let mut fields: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, value) in objects.iter().flat_map(|object| object.iter()) {
        fields.entry(name).or_default().push(value);
    }
    let required: Vec<&str> =
        fields.iter().filter(|(_, values)| values.len() == objects.len()).map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|(name, values)| ((*name).to_owned(), infer(values))).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}
